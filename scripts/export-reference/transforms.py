"""torchvision's and timm's transforms, read step by step into a manifest's words."""

import importlib
import importlib.util
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pipelines import EXPRESSIBLE, CannotExpressError, Pipeline, pillow_version, reference


def load_object(name):
    """The object that `module:attribute` or `FILE.py:attribute` names; attributes may be dotted."""
    where, _, attribute = name.rpartition(":")
    if not where or not attribute:
        raise SystemExit(f"expected MODULE:NAME or FILE.py:NAME, found {name!r}")
    if where.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(where).stem, where)
        if spec is None or not Path(where).is_file():
            raise SystemExit(f"{where}: expected a Python file, found nothing there")
        found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    else:
        found = importlib.import_module(where)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def from_torchvision(name, apply_exif):
    """The pipeline of a transform, of a function that returns one, or of torchvision's weights."""
    found = load_object(name)
    if hasattr(found, "transforms") and hasattr(found, "meta"):  # an entry of a Weights enum
        found = found.transforms()
    elif callable(found) and not hasattr(found, "forward") and not hasattr(found, "transforms"):
        found = found()
    return from_transform(found, f"torchvision {name}", apply_exif, ["torch", "torchvision"])


def from_timm(name, overrides, apply_exif):
    """The evaluation pipeline of a timm model; no weights are fetched."""
    import timm.data

    config = timm.data.resolve_data_config(
        overrides, pretrained_cfg=timm.get_pretrained_cfg(name).to_dict()
    )
    transform = timm.data.create_transform(**config, is_training=False)
    return from_transform(transform, f"timm {name}", apply_exif, ["torch", "torchvision", "timm"])


def from_transform(transform, origin, apply_exif, packages):
    """Reads a torchvision transform step by step and splits it where pixels become a tensor."""
    reader = TransformReader()
    for step in flatten(transform):
        reader.read(step)
    preprocessing = reader.preprocessing("apply" if apply_exif else "ignore")

    def decode(data):
        image = Image.open(io.BytesIO(data))
        return (ImageOps.exif_transpose(image) if apply_exif else image).convert("RGB")

    def crop(data):
        image = decode(data)
        for step in reader.image_steps:
            image = step(image)
        pixels = np.asarray(image)
        return np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], -1))

    return Pipeline(
        words=f"{origin}: {', '.join(reader.words)}",
        preprocessing=preprocessing,
        colour=reader.colour,
        crop=crop,
        # The whole transform, not its parts: this is what training itself called.
        tensor=lambda data: transform(decode(data)).numpy().transpose(1, 2, 0),
        packages=[*packages, "numpy"],
    )


def flatten(transform):
    """The steps of a transform; torchvision's presets are taken apart as their `forward` runs."""
    from torchvision import transforms as v1

    kind = type(transform)
    if kind.__module__ == "torchvision.transforms._presets":
        if kind.__name__ != "ImageClassification":
            raise CannotExpressError(f"the preset {kind.__name__} is not one for classification")
        return [
            v1.Resize(
                transform.resize_size, transform.interpolation, antialias=transform.antialias
            ),
            v1.CenterCrop(transform.crop_size),
            v1.ToTensor(),
            v1.Normalize(transform.mean, transform.std),
        ]
    inner = getattr(transform, "transforms", None)
    if kind.__name__ in ("Compose", "Sequential"):
        children = inner if inner is not None else transform.children()
        return [step for child in children for step in flatten(child)]
    return [transform]


class TransformReader:
    """Turns steps, in order, into the keys of a manifest's `preprocessing`."""

    def __init__(self):
        self.image_steps = []
        self.words = []
        self.colour = "rgb"
        self.resize = self.crop = self.interpolation = None
        self.is_tensor = False
        self.scale = None
        self.normalise = None

    def read(self, step):
        """Takes the next step or refuses it."""
        name = type(step).__name__
        readers = {
            "Resize": self._resize,
            "CenterCrop": self._center_crop,
            "Grayscale": self._grayscale,
            "ToTensor": self._to_tensor,
            "MaybeToTensor": self._to_tensor,
            "PILToTensor": self._pil_to_tensor,
            "MaybePILToTensor": self._pil_to_tensor,
            "ToImage": self._pil_to_tensor,
            "ToDtype": self._to_dtype,
            "ConvertImageDtype": self._convert_image_dtype,
            "Normalize": self._normalize,
            "RGB": self._keep,
            "Identity": lambda step: None,
        }
        if name not in readers:
            self.refuse(name, "this step is not one that a manifest can say")
        readers[name](step)
        self.words.append(describe_step(step))

    def refuse(self, name, reason):
        """Names the step, why not, and what would do."""
        raise CannotExpressError(f"step {len(self.words) + 1}, {name}: {reason}. {EXPRESSIBLE}")

    def need_image(self, name):
        """Resampling of tensors is other arithmetic than Pillow's, with other pixels."""
        if self.is_tensor:
            self.refuse(
                name,
                "it works on a tensor, whose resampling differs from Pillow's; move it before the "
                "conversion to a tensor, and check that accuracy stays",
            )

    def _resize(self, step):
        self.need_image("Resize")
        if self.resize is not None or self.crop is not None:
            self.refuse("Resize", "it is not the first one, or comes after the crop")
        if getattr(step, "max_size", None) is not None:
            self.refuse("Resize", f"max_size={step.max_size}")
        filter_name = getattr(step.interpolation, "value", step.interpolation)
        if filter_name not in reference.FILTERS:
            self.refuse("Resize", f"interpolation {filter_name}")
        size = [step.size] if isinstance(step.size, int) else list(step.size)
        self.resize = (
            {"mode": "short-side", "size": size[0], "rounding": "truncate"}
            if len(size) == 1
            else {"mode": "stretch", "width": size[1], "height": size[0]}
        )
        self.interpolation = filter_name
        self.image_steps.append(step)

    def _center_crop(self, step):
        self.need_image("CenterCrop")
        if self.resize is None or self.crop is not None:
            self.refuse("CenterCrop", "it does not come right after a Resize")
        size = [step.size] if isinstance(step.size, int) else list(step.size)
        self.crop = {"width": size[-1], "height": size[0], "offset": "half-even"}
        self.image_steps.append(step)

    def _grayscale(self, step):
        self.need_image("Grayscale")
        if self.words or step.num_output_channels != 1:
            self.refuse("Grayscale", "it is not the first step, or keeps three channels")
        self.colour = "grey"
        self.image_steps.append(step)

    def _to_tensor(self, _):
        self.need_image("ToTensor")
        self.is_tensor = True
        self.scale = {"divideBy": 255}

    def _pil_to_tensor(self, _):
        self.is_tensor = True

    def _to_dtype(self, step):
        if not self.is_tensor or str(step.dtype) != "torch.float32" or not step.scale:
            self.refuse("ToDtype", "expected torch.float32 with scale=True, of a tensor")
        self.scale = {"multiplyBy": 1 / 255}  # as it computes: the last bit is another

    def _convert_image_dtype(self, step):
        if not self.is_tensor or str(step.dtype) != "torch.float32":
            self.refuse("ConvertImageDtype", "expected torch.float32, of a tensor")
        self.scale = {"divideBy": 255}

    def _normalize(self, step):
        if self.scale is None or self.normalise is not None:
            self.refuse("Normalize", "expected it once, of a tensor with values from 0 to 1")
        self.normalise = {"mean": numbers(step.mean), "std": numbers(step.std)}

    def _keep(self, step):
        self.need_image(type(step).__name__)
        self.image_steps.append(step)

    def preprocessing(self, exif_orientation):
        """The manifest's `preprocessing`, once every step is read."""
        if not self.is_tensor:
            raise CannotExpressError(f"the transform ends without a tensor. {EXPRESSIBLE}")
        if self.resize is None:
            raise CannotExpressError(f"the transform has no Resize. {EXPRESSIBLE}")
        if self.resize["mode"] == "short-side" and self.crop is None:
            raise CannotExpressError("Resize to one number needs a CenterCrop after it")
        channels = 1 if self.colour == "grey" else 3
        plain = {"mean": [0] * channels, "std": [1] * channels}
        return {
            "exifOrientation": exif_orientation,
            "resize": self.resize,
            "interpolation": self.interpolation,
            "pillow": pillow_version(),
            **({} if self.crop is None else {"crop": self.crop}),
            **(
                {}
                if self.scale is None
                else {"normalise": {**self.scale, **(self.normalise or plain)}}
            ),
        }


def numbers(values):
    """Numbers of a list or tensor, float32 ones in their shortest form."""
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return [float(str(np.float32(value))) for value in listed]


def describe_step(step):
    """A step in words: torchvision's own, without line breaks."""
    return " ".join(str(step).split())
