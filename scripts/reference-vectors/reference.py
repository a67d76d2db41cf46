"""What Pillow, torchvision and PaddleClas make of an image: the crop that ours must equal."""

import io

import numpy as np
from PIL import Image, ImageOps

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def decode(data, colour, exif_orientation):
    """The decoded image in mode RGB or L. Raises whatever Pillow raises for a bad file."""
    image = Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "BMP"])
    image.load()
    if exif_orientation == "apply":
        image = ImageOps.exif_transpose(image)
    if image.mode == "I;16":
        # Our own rule: Pillow would clip to white what is above 255.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("L" if colour == "grey" else "RGB")


def resize(image, rule, resample):
    width, height = image.size
    if rule["mode"] == "stretch":
        return image.resize((rule["width"], rule["height"]), resample)
    if rule["mode"] == "letterbox":
        fill = rule["fill"]
        color = fill if image.mode == "L" else (fill, fill, fill)
        return ImageOps.pad(image, (rule["width"], rule["height"]), resample, color)
    size = rule["size"]
    if rule["rounding"] == "truncate":
        short, long = min(width, height), max(width, height)
        other = int(size * long / short)
        sides = (size, other) if width <= height else (other, size)
    else:
        percent = float(size) / min(width, height)
        sides = (int(round(width * percent)), int(round(height * percent)))
    return image.resize(sides, resample)


def centre_crop(pixels, rule):
    """`pixels` is [H, W, C]; margins of images that are too small are black, as in torchvision."""
    height, width = pixels.shape[:2]
    if rule["width"] > width or rule["height"] > height:
        more_x = max(0, rule["width"] - width)
        more_y = max(0, rule["height"] - height)
        margins = ((more_y // 2, (more_y + 1) // 2), (more_x // 2, (more_x + 1) // 2), (0, 0))
        pixels = np.pad(pixels, margins)
        height, width = pixels.shape[:2]
    if rule["offset"] == "floor":
        top, left = (height - rule["height"]) // 2, (width - rule["width"]) // 2
    else:
        top = int(round((height - rule["height"]) / 2.0))
        left = int(round((width - rule["width"]) / 2.0))
    return pixels[top : top + rule["height"], left : left + rule["width"]]


def crop(data, recipe):
    """uint8 [H, W, C], C = 3 (red, green, blue) or 1."""
    image = decode(data, recipe["colour"], recipe["exifOrientation"])
    pixels = np.asarray(resize(image, recipe["resize"], FILTERS[recipe["interpolation"]]))
    pixels = pixels.reshape(pixels.shape[0], pixels.shape[1], -1)
    if "crop" in recipe:
        pixels = centre_crop(pixels, recipe["crop"])
    return np.ascontiguousarray(pixels)
