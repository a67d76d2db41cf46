"""An ONNX classifier: what a manifest says of its input and output, and its scores."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime

ELEMENT_TYPES = {
    "tensor(float)": ("float32", np.float32),
    "tensor(float16)": ("float16", np.float16),
    "tensor(uint8)": ("uint8", np.uint8),
}


class OnnxClassifier:
    """Runs with onnxruntime on the CPU, as the server does."""

    def __init__(self, path, activation):
        self.path = Path(path)
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        if len(inputs) != 1:
            raise SystemExit(f"{path}: expected one input, found {[i.name for i in inputs]}")
        self.input, self.output = inputs[0], outputs[0]
        if self.input.type not in ELEMENT_TYPES:
            raise SystemExit(f"{path}: input {self.input.name}: cannot feed {self.input.type}")
        self.element_type, self.dtype = ELEMENT_TYPES[self.input.type]
        self.activation = activation

    def layout(self, channels):
        """`nchw` or `nhwc`, whichever has the channels where they should be."""
        shape = self.input.shape
        if len(shape) == 4 and shape[1] == channels:
            return "nchw"
        if len(shape) == 4 and shape[3] == channels:
            return "nhwc"
        raise SystemExit(
            f"{self.path}: input {self.input.name}: expected [N, {channels}, H, W] or "
            f"[N, H, W, {channels}], found {shape}"
        )

    def outputs(self, pixels):
        """What the graph gives for one image, float32 [classes]; `pixels` is [H, W, C]."""
        channels = pixels.shape[2]
        image = pixels if self.layout(channels) == "nhwc" else pixels.transpose(2, 0, 1)
        batch = self.input.shape[0] if isinstance(self.input.shape[0], int) else 1
        tensor = np.repeat(np.ascontiguousarray(image)[None], batch, 0).astype(self.dtype)
        (found,) = self.session.run([self.output.name], {self.input.name: tensor})
        return np.asarray(found[0], np.float32).reshape(-1)

    def scores(self, outputs):
        """Scores after the activation, float32 [classes]."""
        if self.activation is None:
            self.activation = guess_activation(outputs)
        return activate(outputs, self.activation)

    def files(self):
        """The graph and the files beside it that hold its weights, by name in a model folder."""
        import onnx
        from onnx.external_data_helper import ExternalDataInfo, uses_external_data

        names = {self.path.name}
        for tensor in onnx.load(self.path, load_external_data=False).graph.initializer:
            if uses_external_data(tensor):
                names.add(ExternalDataInfo(tensor).location)
        return {name: self.path.parent / name for name in sorted(names)}


def guess_activation(outputs):
    """`none` for what are probabilities already, else `softmax`."""
    is_share = bool(np.all((outputs >= 0) & (outputs <= 1)))
    return "none" if is_share and abs(float(outputs.sum()) - 1) < 1e-3 else "softmax"


def activate(outputs, activation):
    """In double arithmetic, each result rounded to float32 once."""
    values = outputs.astype(np.float64)
    if activation == "softmax":
        shares = np.exp(values - values.max())
        values = shares / shares.sum()
    elif activation == "sigmoid":
        values = 1 / (1 + np.exp(-values))
    return values.astype(np.float32)


def sha256(data):
    """The hash of bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
