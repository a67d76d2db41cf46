"""Writes the fixtures of test/imaging: images, and what Pillow makes of them.

With Pillow 13 all images and vectors.json, with an older one only vectors-pillow12.json (from the
images that are there).
"""

import hashlib
import json
import pathlib

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


def images():
    """(file, data, twin): the pixels are expected of the twin, which Pillow can read."""
    for suffix, maker in MAKERS.items():
        for name, data in maker.good():
            yield f"{name}.{suffix}", data, data
    for name, data, twin in png_images.ours():
        yield f"{name}.png", data, twin


def make_all():
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for old in FIXTURES.iterdir():
        old.unlink()
    vectors, total = [], 0
    for i, (file, data, twin) in enumerate(images()):
        (FIXTURES / file).write_bytes(data)
        total += len(data)
        other = OTHERS[i % len(OTHERS)]
        plans = [USUAL, other]
        if "exif" in file or "xmp" in file:
            plans.append({**other, "exifOrientation": "apply"})
        try:
            for made in plans:
                vectors += vector(file, twin, made, ">=13")
        except Exception as error:
            print(f"Pillow refuses {file}: {error!r}")
    refused = []
    for suffix, maker in MAKERS.items():
        for name, data in maker.refused():
            (FIXTURES / f"{name}.{suffix}").write_bytes(data)
            total += len(data)
            refused.append(f"{name}.{suffix}")
    photos = []
    for path in sorted(PHOTOS.glob("*.*")):
        if path.suffix in (".png", ".jpg"):
            for made in (USUAL, OTHERS[0], OTHERS[2]):
                photos += vector(path.name, path.read_bytes(), made, ">=13")
    text = {"pillow": PIL.__version__, "vectors": vectors, "refused": refused, "photos": photos}
    write(FIXTURES / "vectors.json", text)
    print(f"{len(vectors)} vectors, {len(refused)} refused, {total} bytes of images")


def make_older():
    """Only images and sizes at which the order of the passes matters."""
    vectors = []
    tall = [recipe(stretch(200, 20)), recipe(stretch(31, 40)), recipe(letterbox(60, 64, 3))]
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
