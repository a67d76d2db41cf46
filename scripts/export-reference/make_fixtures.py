"""Write test/fixtures/verify, which the tests of `edge-infer verify` read. See README.md.

A tiny classifier exported with Pillow's bicubic filter, as the export script does it, and what
other ways of preparing make of one picture, for `--explain` to recognise.
"""

import base64
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torchvision.transforms.v2 import InterpolationMode, functional

from pipelines import reference

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ROOT / "test/fixtures/imaging"
OUT = ROOT / "test/fixtures/verify"
SIDE, SHORT_SIDE, CLASSES = 24, 27, 4
PHOTOS = ["jpeg-300x200.jpg", "jpeg-exif-6.jpg", "png-128x97.png", "bmp-24-101x53.bmp"]
RECIPE = {
    "exifOrientation": "ignore",
    "resize": {"mode": "short-side", "size": SHORT_SIDE, "rounding": "truncate"},
    "interpolation": "bicubic",
    "pillow": ">=13",
    "crop": {"width": SIDE, "height": SIDE, "offset": "half-even"},
    "normalise": {"divideBy": 255, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
}


def main():
    """Write everything anew."""
    shutil.rmtree(OUT, ignore_errors=True)
    photos = OUT / "photos"
    photos.mkdir(parents=True)
    for name in PHOTOS:
        shutil.copyfile(IMAGES / name, photos / name)
    work = OUT / "work"
    work.mkdir()
    (work / "model.onnx").write_bytes(build_classifier())
    (work / "labels.txt").write_text("".join(f"class {index}\n" for index in range(CLASSES)))
    (work / "recipe.json").write_text(json.dumps(RECIPE))
    export(
        *["--recipe", work / "recipe.json", "--model", work / "model.onnx"],
        *["--labels", work / "labels.txt", "--images", photos, "--golden", "2"],
        *["--reference", OUT / "reference.jsonl", "--crops", "crops"],
        *["--model-folder", OUT / "model", "--name", "tiny"],
    )
    shutil.rmtree(work)
    causes = {name: base64.b64encode(make().tobytes()).decode() for name, make in ways().items()}
    recipe = {**RECIPE, "colour": "rgb"}
    del recipe["normalise"]
    text = json.dumps({"image": PHOTOS[1], "recipe": recipe, "crops": causes}, indent=1)
    (OUT / "causes.json").write_text(text + "\n")


def export(*arguments):
    """Run the export script."""
    script = Path(__file__).with_name("export_reference.py")
    subprocess.run([sys.executable, script, *map(str, arguments)], check=True)


def build_classifier():
    """Return a model that weighs the four quarters of the picture with seeded weights."""
    random = np.random.default_rng(7)
    weights = random.normal(0, 1, (CLASSES, 12)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node(
                "AveragePool",
                ["image"],
                ["quarters"],
                kernel_shape=[SIDE // 2, SIDE // 2],
                strides=[SIDE // 2, SIDE // 2],
            ),
            helper.make_node("Flatten", ["quarters"], ["features"]),
            helper.make_node("Gemm", ["features", "weights"], ["logits"], transB=1),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    return model.SerializeToString(deterministic=True)


def ways():
    """Other ways to make the crop of the second picture, by a name for each."""
    data = (IMAGES / PHOTOS[1]).read_bytes()

    def recipe(**changes):
        return lambda: reference.crop(data, {**RECIPE, "colour": "rgb", **changes})

    def pillow(resample):
        image = reference.decode(data, "rgb", "ignore")
        pixels = np.asarray(reference.resize(image, RECIPE["resize"], resample))
        return reference.centre_crop(pixels, RECIPE["crop"])

    def opencv(interpolation, is_bgr=False):
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        height, width = pixels.shape[:2]
        short = min(width, height)
        sides = int(SHORT_SIDE * width / short), int(SHORT_SIDE * height / short)
        crop = reference.centre_crop(
            cv2.resize(pixels, sides, interpolation=interpolation), RECIPE["crop"]
        )
        return np.ascontiguousarray(crop if is_bgr else crop[:, :, ::-1])

    def tensor():
        image = torch.from_numpy(np.array(Image.open(io.BytesIO(data)).convert("RGB")))
        resized = functional.resize(
            image.permute(2, 0, 1), [SHORT_SIDE], InterpolationMode.BICUBIC, antialias=True
        )
        crop = functional.center_crop(resized, [SIDE, SIDE])
        return np.ascontiguousarray(crop.permute(1, 2, 0).numpy())

    stretch = {"mode": "stretch", "width": SIDE, "height": SIDE}
    letterbox = {"mode": "letterbox", "width": SIDE, "height": SIDE, "fill": 114}
    short_side = {"mode": "short-side", "size": 30, "rounding": "truncate"}
    return {
        "bilinear": recipe(interpolation="bilinear"),
        "rounded": recipe(resize={**RECIPE["resize"], "rounding": "round"}),
        "floor": recipe(crop={**RECIPE["crop"], "offset": "floor"}),
        "exif": recipe(exifOrientation="apply"),
        "stretched": lambda: reference.crop(
            data,
            {
                k: v
                for k, v in {**RECIPE, "colour": "rgb", "resize": stretch}.items()
                if k != "crop"
            },
        ),
        "letterboxed": recipe(resize=letterbox),
        "other-short-side": recipe(resize=short_side),
        "exif-bilinear": recipe(exifOrientation="apply", interpolation="bilinear"),
        "bgr": lambda: np.ascontiguousarray(recipe()()[:, :, ::-1]),
        "lanczos": lambda: pillow(Image.Resampling.LANCZOS),
        "nearest": lambda: pillow(Image.Resampling.NEAREST),
        "box": lambda: pillow(Image.Resampling.BOX),
        "hamming": lambda: pillow(Image.Resampling.HAMMING),
        "opencv-linear": lambda: opencv(cv2.INTER_LINEAR),
        "opencv-linear-bgr": lambda: opencv(cv2.INTER_LINEAR, is_bgr=True),
        "opencv-cubic": lambda: opencv(cv2.INTER_CUBIC),
        "opencv-area": lambda: opencv(cv2.INTER_AREA),
        "opencv-nearest": lambda: opencv(cv2.INTER_NEAREST),
        "tensor": tensor,
        "flipped": lambda: np.ascontiguousarray(recipe()()[:, ::-1]),
    }


if __name__ == "__main__":
    main()
