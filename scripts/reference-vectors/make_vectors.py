"""Writes the fixtures of test/imaging: images, and what Pillow makes of them.

With Pillow 13 all images and vectors.json, with an older one only vectors-pillow12.json (from the
images that are there).
"""

import hashlib
import json
import pathlib

import numpy as np
import PIL

import bmp_images
import jpeg_images
import png_images
from reference import crop

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "imaging"
PHOTOS = pathlib.Path(__file__).resolve().parents[2] / "models" / "efficientnet-lite0" / "golden"
MAKERS = {"jpg": jpeg_images, "png": png_images, "bmp": bmp_images}


def recipe(resize, crop_to=None, offset="half-even", **more):
    made = {"colour": "rgb", "exifOrientation": "ignore", "resize": resize, **more}
    if crop_to is not None:
        made["crop"] = {"width": crop_to[0], "height": crop_to[1], "offset": offset}
    return made


def short(size, rounding="truncate"):
    return {"mode": "short-side", "size": size, "rounding": rounding}


def stretch(width, height):
    return {"mode": "stretch", "width": width, "height": height}


def letterbox(width, height, fill):
    return {"mode": "letterbox", "width": width, "height": height, "fill": fill}


USUAL = recipe(short(256), (224, 224))
OTHERS = [
    recipe(short(256, "round"), (224, 224), "floor", colour="grey"),
    recipe(stretch(224, 224)),
    recipe(letterbox(224, 160, 114), colour="grey"),
    recipe(short(40), (33, 47), colour="grey"),
    recipe(letterbox(64, 64, 7)),
    recipe(short(100, "round"), (160, 120), colour="grey"),
    recipe(stretch(29, 299), (31, 200), "floor"),
    recipe(letterbox(97, 130, 255), (80, 64), colour="grey"),
    recipe(short(15), (15, 16)),
    recipe(stretch(43, 37), colour="grey"),
]


def vector(file, data, made, pillow):
    entries = []
    for interpolation in ("bilinear", "bicubic"):
        full = {**made, "interpolation": interpolation, "pillow": pillow}
        pixels = crop(data, full)
        entries.append({
            "file": file,
            "recipe": full,
            "width": pixels.shape[1],
            "height": pixels.shape[0],
            "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        })
    return entries


NORMALISATIONS = [
    {"divideBy": 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    {"multiplyBy": 0.00392156862745098, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    {"mean": [127], "std": [128]},
    {"mean": [103.939, 116.779, 123.68], "std": [1]},
    {"divideBy": 127.5, "mean": [1], "std": [1]},
    {"divideBy": 255, "mean": [0.1307], "std": [0.3081]},
]


def table(normalise):
    """Every byte in each of three channels, [256, 3], as numpy computes it in float32."""
    values = np.repeat(np.arange(256, dtype=np.float32)[:, None], 3, axis=1)
    if "divideBy" in normalise:
        values = values / np.float32(normalise["divideBy"])
    if "multiplyBy" in normalise:
        values = values * np.float32(normalise["multiplyBy"])
    values = (values - np.float32(normalise["mean"])) / np.float32(normalise["std"])
    assert values.dtype == np.float32
    return {
        "normalise": normalise,
        "float32": hashlib.sha256(values.tobytes()).hexdigest(),
        "float16": hashlib.sha256(values.astype(np.float16).tobytes()).hexdigest(),
    }


def images():
    """(file, data, twin): the pixels are expected of the twin, which Pillow can read."""
    for suffix, maker in MAKERS.items():
        for name, data in maker.good():
            yield f"{name}.{suffix}", data, data
    for name, data, twin in png_images.ours():
        yield f"{name}.png", data, twin


def make_all():
    vectors, files = [], {}
    for i, (file, data, twin) in enumerate(images()):
        files[file] = data
        other = OTHERS[i % len(OTHERS)]
        plans = [USUAL, other]
        if "exif" in file or "xmp" in file:
            plans.append({**other, "exifOrientation": "apply"})
        try:
            for made in plans:
                vectors += vector(file, twin, made, ">=13")
        except Exception as error:
            raise SystemExit(f"Pillow refuses {file}: {error!r}") from error
    refused = []
    for suffix, maker in MAKERS.items():
        for name, data in maker.refused():
            files[f"{name}.{suffix}"] = data
            refused.append(f"{name}.{suffix}")
    photos = []
    for path in sorted(PHOTOS.glob("*.*")):
        if path.suffix in (".png", ".jpg"):
            for made in (USUAL, OTHERS[0], OTHERS[2]):
                photos += vector(path.name, path.read_bytes(), made, ">=13")
    tables = [table(normalise) for normalise in NORMALISATIONS]
    text = {"pillow": PIL.__version__, "vectors": vectors, "refused": refused, "photos": photos}
    text["tables"] = tables
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for old in FIXTURES.iterdir():
        old.unlink()
    for file, data in files.items():
        (FIXTURES / file).write_bytes(data)
    write(FIXTURES / "vectors.json", text)
    size = sum(map(len, files.values()))
    print(f"{len(vectors)} vectors, {len(refused)} refused, {size} bytes of images")


def make_older():
    """Only images and sizes at which the order of the passes matters."""
    vectors = []
    tall = [recipe(stretch(200, 20)), recipe(stretch(31, 40)), recipe(short(256), (224, 224))]
    for path in sorted(FIXTURES.glob("jpeg-*x*.jpg")):
        for made in tall:
            vectors += vector(path.name, path.read_bytes(), made, "<13")
    write(FIXTURES / "vectors-pillow12.json", {"pillow": PIL.__version__, "vectors": vectors})
    print(f"{len(vectors)} vectors")


def write(path, content):
    """One vector a line: small, and changes show up line by line."""
    parts = []
    for key, value in content.items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(item, separators=(",", ":")) for item in value)
            parts.append(f'"{key}": [\n{lines}\n]')
        else:
            parts.append(f'"{key}": {json.dumps(value)}')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if int(PIL.__version__.split(".")[0]) >= 13:
    make_all()
else:
    make_older()
