"""Which weight of a `.tflite` file is which layer of the model that it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.model.weights import Weight
from tflite_sparse.training.layers import LayerWeight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Tensor

__all__ = ["Match", "matched"]

_ALIKE = 0.99
_DEPTHWISE = "DEPTHWISE_CONV_2D"


class Match(msgspec.Struct, frozen=True, eq=False):
    """A weight of the file and its layer.

    Attributes:
        layer: the layer.
        weight: the weight of the file.
        order: the order of the layer's dimensions in the file.
        by_values: whether their values tell; the order of equal shapes does otherwise.
    """

    layer: LayerWeight
    weight: Weight
    order: tuple[int, ...]
    by_values: bool

    def stored(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values in the layer's shape in the shape of the file."""
        return values.transpose(self.order).reshape(self.weight.tensor.shape)


def matched(layers: Sequence[LayerWeight], weights: Sequence[Weight]) -> list[Match]:
    """Matches the weights of a file with layers.

    The values of a filter tell, but for a factor for each output channel, which a batch
    normalization leaves that the converter has multiplied into it. Where values tell nothing, since
    the file is of another training, as many weights as there are layers of the same shape are taken
    in their order.
    """
    matches = []
    free = [*layers]
    rest = []
    for weight in weights:
        # A layer that is used twice may be two weights of the file.
        match = _by_values(free, weight) or _by_values(layers, weight)
        if match is None:
            rest.append(weight)
            continue
        matches.append(match)
        if match.layer in free:
            free.remove(match.layer)
    return matches + _in_order(free, rest)


def _by_values(layers: Sequence[LayerWeight], weight: Weight) -> Match | None:
    tensor = weight.tensor
    values = tensor.data if tensor.sparsity is None else None
    if values is None or values.dtype.kind not in "fiu":
        return None
    rows = _rows(np.asarray(values, np.float32), _output_axis(weight))
    for layer in layers:
        for order in layer.orders:
            if not _may_be(layer, order, tensor):
                continue
            form = layer.values.transpose(order).reshape(tensor.shape)
            if _are_alike(_rows(form.astype(np.float32), _output_axis(weight)), rows):
                return Match(layer, weight, order, by_values=True)
    return None


def _in_order(layers: Sequence[LayerWeight], weights: Sequence[Weight]) -> list[Match]:
    matches = []
    for shape in dict.fromkeys(weight.tensor.shape for weight in weights):
        own = [weight for weight in weights if weight.tensor.shape == shape]
        fits = [
            (layer, order)
            for layer in layers
            if (order := next((o for o in layer.orders if _may_be(layer, o, own[0].tensor)), None))
        ]
        if len(fits) == len(own):
            matches += [
                Match(layer, weight, order, by_values=False)
                for (layer, order), weight in zip(fits, own, strict=True)
            ]
    return matches


def _may_be(layer: LayerWeight, order: tuple[int, ...], tensor: Tensor) -> bool:
    """Whether a layer's shape is that of a tensor, but for dimensions of 1."""
    shape = [layer.values.shape[axis] for axis in order]
    return layer.values.size == tensor.size and _long(shape) == _long(tensor.shape)


def _long(shape: Sequence[int]) -> list[int]:
    return [length for length in shape if length > 1]


def _output_axis(weight: Weight) -> int:
    readers = weight.readers
    depthwise = bool(readers) and readers[0].name == _DEPTHWISE
    return len(weight.tensor.shape) - 1 if depthwise else 0


def _rows(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    return np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)


def _are_alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether rows point the same way, or the opposite one; rows of zeros say nothing."""
    first = np.abs(np.dot(one[0], other[0]))
    if first < _ALIKE * np.linalg.norm(one[0]) * np.linalg.norm(other[0]):
        return False
    sizes = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    same = np.abs(np.einsum("ij,ij->i", one, other)) >= _ALIKE * sizes
    return bool(same.all() and sizes.any())
