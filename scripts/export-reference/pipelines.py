"""What training makes of a picture: its own code to run, and the same in a manifest's words.

Every pipeline decodes with Pillow, resizes and crops 8-bit pixels, and normalises. `crop` and
`tensor` run training's own objects; `preprocessing` and `colour` are what `manifest.json` says of
them. A step that a manifest cannot say is refused by name.
"""

import dataclasses
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import PIL

sys.path.append(str(Path(__file__).resolve().parent.parent / "reference-vectors"))
import reference  # noqa: E402  what Pillow makes of a manifest's recipe

EXPRESSIBLE = (
    "A manifest can say: Resize (bilinear or bicubic, of Pillow images), CenterCrop, Grayscale "
    "with one channel as the first step, conversion to a tensor with values from 0 to 1, Normalize."
)


class CannotExpressError(Exception):
    """The pipeline has a step that a manifest cannot say."""


@dataclasses.dataclass
class Pipeline:
    """One way from an image file's bytes to a model's input."""

    words: str
    preprocessing: dict
    colour: str
    #: bytes -> uint8 [H, W, C], C = 3 (red, green, blue) or 1: the pixels before normalisation
    crop: Callable[[bytes], np.ndarray]
    #: bytes -> float32 or uint8 [H, W, C] in the tensor's order of channels
    tensor: Callable[[bytes], np.ndarray]
    packages: list[str]

    @property
    def recipe(self):
        """What `reference.crop` takes."""
        return {**self.preprocessing, "colour": self.colour}

    def versions(self):
        """Version by package, as the header of a reference lists them."""
        python = ".".join(map(str, sys.version_info[:3]))
        return {"python": python, **{name: version(name) for name in ["pillow", *self.packages]}}


def pillow_version():
    """The manifest's word for the order of the two passes of a resize."""
    return ">=13" if int(PIL.__version__.split(".")[0]) >= 13 else "<13"


def from_recipe(path):
    """Return the pipeline of a manifest, or of its `preprocessing` with `colour` (default rgb)."""
    recipe = json.loads(Path(path).read_text("utf-8"))
    if "preprocessing" in recipe:
        recipe = {**recipe["preprocessing"], "colour": recipe["input"].get("colour", "rgb")}
    colour = recipe.pop("colour", "rgb")
    recipe.setdefault("exifOrientation", "ignore")
    recipe.setdefault("pillow", pillow_version())
    if recipe["pillow"] != pillow_version():
        raise CannotExpressError(
            f"{path}: pillow: expected {pillow_version()!r}, since this is Pillow "
            f"{PIL.__version__}, found {recipe['pillow']!r}; install the Pillow of training"
        )
    if recipe["interpolation"] not in reference.FILTERS:
        raise CannotExpressError(f"interpolation {recipe['interpolation']!r}. {EXPRESSIBLE}")
    if recipe["resize"]["mode"] == "short-side":
        recipe["resize"].setdefault("rounding", "truncate")
    if recipe["resize"]["mode"] == "letterbox":
        recipe["resize"].setdefault("fill", 0)
    if "crop" in recipe:
        recipe["crop"].setdefault("offset", "half-even")

    def crop(data):
        return reference.crop(data, {**recipe, "colour": colour})

    return Pipeline(
        words=describe_recipe(recipe, colour),
        preprocessing=recipe,
        colour=colour,
        crop=crop,
        tensor=lambda data: apply_normalise(crop(data), recipe.get("normalise"), colour),
        packages=["numpy"],
    )


def describe_recipe(recipe, colour):
    """A recipe in words."""
    resize = dict(recipe["resize"])
    mode = resize.pop("mode")
    size = ", ".join(f"{key} {value}" for key, value in resize.items())
    words = [f"Pillow: {colour}", f"{mode} resize ({size}, {recipe['interpolation']})"]
    if "crop" in recipe:
        words.append("crop {width}x{height} ({offset})".format(**recipe["crop"]))
    return ", ".join(words)


def apply_normalise(crop, rule, colour):
    """float32 [H, W, C] as numpy and torch compute it; the pixels themselves without a rule."""
    pixels = crop[:, :, ::-1] if colour == "bgr" else crop
    if rule is None:
        return pixels
    values = pixels.astype(np.float32)
    if "divideBy" in rule:
        values = values / np.float32(rule["divideBy"])
    if "multiplyBy" in rule:
        values = values * np.float32(rule["multiplyBy"])
    return (values - np.array(rule["mean"], np.float32)) / np.array(rule["std"], np.float32)
