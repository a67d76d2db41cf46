"""What every Python peer does with a picture, so that the peers differ only in how they serve it.

The arithmetic is the model's (models/efficientnet-lite0/README.md). It is tuned as far as an hour
goes: SIMD base64, no copy that numpy can avoid, a session that neither spins nor locks.
"""

import io
import json
import os
import random

import numpy as np
import onnxruntime
import pybase64
from PIL import Image

SHORT_SIDE, CROP = 256, 224
LABELS = json.loads(open(os.environ["LABELS_FILE"], encoding="utf-8").read())


def open_session(model_file=os.environ["MODEL_FILE"], threads=int(os.environ["THREADS"])):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model_file, options, providers=["CPUExecutionProvider"])


def decode(image_base64):
    """Base64 of a picture to a tensor, float32 [1, 3, 224, 224]."""
    image = Image.open(io.BytesIO(pybase64.b64decode(image_base64))).convert("RGB")
    width, height = image.size
    short = min(width, height)
    image = image.resize((width * SHORT_SIDE // short, height * SHORT_SIDE // short), Image.Resampling.BICUBIC)
    left, top = round((image.width - CROP) / 2), round((image.height - CROP) / 2)
    pixels = np.asarray(image.crop((left, top, left + CROP, top + CROP)))
    tensor = np.empty((1, 3, CROP, CROP), np.float32)
    np.subtract(pixels.transpose(2, 0, 1), np.float32(127), out=tensor[0])
    tensor *= np.float32(1 / 128)
    return tensor


def answer(logits, top_num):
    """Logits [1000] to the body of the answer, best class first."""
    scores = np.exp(logits - logits.max())
    scores /= scores.sum()
    best = np.argpartition(-scores, top_num)[:top_num]
    best = best[np.argsort(-scores[best], kind="stable")]
    results = [{"name": LABELS[i], "score": float(scores[i])} for i in best]
    return {"log_id": random.getrandbits(63), "results": results}
