"""A small converter for chains of PyTorch's layers, in the place of litert-torch.

That one takes 2 GB and ten seconds for each net. This one writes what it writes, but for the
TRANSPOSE at both ends: maps as [batch, height, width, channels], batch normalizations multiplied
into the convolutions before them.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from tests.support.nets.builder import ModelBuilder

if TYPE_CHECKING:
    import pytest
    from torch import Tensor

__all__ = ["converted", "install"]

_ACTIVATIONS = {nn.ReLU: "RELU", nn.ReLU6: "RELU6"}


def converted(module: nn.Module, shape: tuple[int, ...], *, same: bool = False) -> bytes:
    """A chain as a .tflite file.

    Args:
        module: an `nn.Sequential` of convolutions, batch normalizations, ReLU, a global average
            with its `Flatten`, and `Linear`; in evaluation mode.
        shape: of the input as PyTorch has it: batch, channels, height, width.
        same: whether all padding is SAME, as Keras writes it; with strides it computes another net.
    """
    layers = [m for m in module.modules() if not isinstance(m, (nn.Sequential, nn.Flatten))]
    builder = ModelBuilder(description="a chain of layers")
    graph = builder.graph()
    x = graph.input((shape[0], shape[2], shape[3], shape[1]))
    while layers:
        layer = layers.pop(0)
        if isinstance(layer, nn.Conv2d):
            filters, bias = _folded(layer, layers)
            activation = _ACTIVATIONS.get(type(layers[0]) if layers else None, "NONE")
            if activation != "NONE":
                layers.pop(0)
            kernel, stride = layer.kernel_size, layer.stride
            padded = layer.padding[0] > 0
            if padded and stride[0] > 1 and not same:
                x = graph.pad_spatial(x, layer.padding[0])
            keys: dict[str, Any] = {
                "padding": "SAME" if padded and (stride[0] == 1 or same) else "VALID",
                "bias": bias,
                "activation": activation,
            }
            if layer.groups > 1:
                filters = np.ascontiguousarray(filters.transpose(3, 1, 2, 0))
                x = graph.depthwise(x, kernel, stride, filters=filters, **keys)
            else:
                x = graph.conv2d(x, layer.out_channels, kernel, stride, filters=filters, **keys)
        elif isinstance(layer, nn.AdaptiveAvgPool2d):
            x = graph.mean(x)
        else:
            assert isinstance(layer, nn.Linear), layer
            weight, bias = _array(layer.weight), _array(layer.bias)
            x = graph.fully_connected(x, layer.out_features, filters=weight, bias=bias)
    graph.output(x)
    return builder.build()


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the converter where litert-torch would be."""

    class Converted:
        def __init__(self, data: bytes) -> None:
            self.data = data

        def export(self, path: str) -> None:
            with open(path, "wb") as file:  # noqa: PTH123 - as the converter is called
                file.write(self.data)

    stand_in = ModuleType("litert_torch")
    stand_in.convert = lambda module, inputs: Converted(  # type: ignore[attr-defined]
        converted(module, tuple(inputs[0].shape))
    )
    monkeypatch.setitem(sys.modules, "litert_torch", stand_in)


def _folded(layer: nn.Conv2d, rest: list[nn.Module]) -> tuple[np.ndarray, np.ndarray]:
    """Filter [outputs, height, width, inputs] and bias, with the normalization that follows."""
    filters = _array(layer.weight).transpose(0, 2, 3, 1)
    bias = np.zeros(layer.out_channels, np.float32) if layer.bias is None else _array(layer.bias)
    if rest and isinstance(rest[0], nn.BatchNorm2d):
        norm = rest.pop(0)
        scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
        filters = filters * scale[:, None, None, None]
        bias = (bias - _array(norm.running_mean)) * scale + _array(norm.bias)
    return np.ascontiguousarray(filters, np.float32), np.asarray(bias, np.float32)


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy()
