"""The channels of a model that may be put in another order, with all that has to follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tflite_sparse.model import Tensor
from tflite_sparse.model.uses import UNPACKING, Use, trace_constant, uses_of
from tflite_sparse.model.weights import by_content
from tflite_sparse.rewrite.adapt.channels.rules import follow
from tflite_sparse.rewrite.adapt.channels.ties import Axis, Ties

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tflite_sparse.model import Model, Operator, Subgraph

__all__ = ["ChannelClass", "Follower", "channel_classes"]

_TYPES = ("FLOAT32", "FLOAT16", "INT8")
_PER_CHANNEL = ("scale", "zero_point", "min", "max")


class Follower(msgspec.Struct, frozen=True, eq=False):
    """An axis of a constant that follows the order of a class.

    Attributes:
        tensors: the tensors that hold the constant.
        axis: which of its axes.
        uses: where operators read it.
    """

    tensors: list[Tensor]
    axis: int
    uses: list[Use]

    def reorder(self, order: NDArray[np.intp]) -> None:
        """Puts the data, and what belongs to each channel, in another order.

        Args:
            order: the channel that comes to each place.
        """
        first = self.tensors[0]
        data = np.asarray(first.data)
        before, after = data.shape[: self.axis], data.shape[self.axis + 1 :]
        # A whole map that is read as one row has all channels of each pixel together.
        parts = data.reshape(*before, -1, order.size, *after)
        moved = np.ascontiguousarray(parts.take(order, self.axis + 1)).reshape(data.shape)
        for buffer in dict.fromkeys(tensor.buffer for tensor in self.tensors):
            buffer.data = moved
        for tensor in self.tensors:
            _reorder_scales(tensor, self.axis, order)
            tensor.subgraph.memo.clear()


class ChannelClass(msgspec.Struct, frozen=True, eq=False):
    """Channels that lie in one order, and may all be put in another.

    Attributes:
        channels: how many there are.
        followers: the axes of constants that follow.
    """

    channels: int
    followers: list[Follower]


def channel_classes(model: Model) -> list[ChannelClass]:
    """The classes of channels of which nobody outside the model can see the order.

    Args:
        model: the model; weights that are stored sparse keep their order.
    """
    ties = Ties()
    followers: dict[tuple[Operator, int], dict[int, Tensor]] = {}
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            if not _unpacks_constant(operator):
                _tie(operator, ties, followers)
        _keep_values(subgraph, ties)
    constants: dict[object, Follower] = {}
    for content, tensors in by_content(model).items():
        uses = [use for tensor in tensors for use in uses_of(tensor)]
        followed = [followers.get((use.operator, use.operand), {}) for use in uses]
        if not any(followed):
            continue
        alike = all(axes.keys() == followed[0].keys() for axes in followed)
        movable = alike and _is_movable(model, content, tensors)
        for axes in followed:
            for axis, value in axes.items():
                place = Axis(content, axis)
                ties.tie(value, place)
                if not movable or not _divides(tensors[0], axis, ties.channels(value)):
                    ties.keep(place)
        constants[content] = Follower(tensors, 0, uses)
    return list(_classes(ties, constants))


def _classes(ties: Ties, constants: dict[object, Follower]) -> Iterator[ChannelClass]:
    for places in ties.classes():
        channels = ties.channels(places[0])
        own = [
            msgspec.structs.replace(constants[place.content], axis=place.number)
            for place in places
            if isinstance(place, Axis)
        ]
        if own and channels > 1:
            yield ChannelClass(channels, own)


def _tie(
    operator: Operator, ties: Ties, followers: dict[tuple[Operator, int], dict[int, Tensor]]
) -> None:
    values = _values(operator)
    for tensor in values:
        ties.add(tensor, tensor.shape[-1] if tensor.shape else 0)
    followed = follow(operator, ties)
    if followed is None:
        for tensor in values:
            ties.keep(tensor)
        return
    for (operand, axis), value in followed.items():
        followers.setdefault((operator, operand), {})[axis] = value


def _values(operator: Operator) -> list[Tensor]:
    """What an operator reads and writes that is computed."""
    read = [
        tensor
        for operand, tensor in enumerate(operator.inputs)
        if tensor is not None and trace_constant(operator, operand) is None
    ]
    return [*read, *operator.outputs, *operator.intermediates]


def _unpacks_constant(operator: Operator) -> bool:
    """Whether an operator only unpacks a constant for readers that count as the constant's own."""
    if operator.name not in UNPACKING or len(operator.inputs) != 1 or len(operator.outputs) != 1:
        return False
    readers = operator.subgraph.consumers(operator.outputs[0])
    seen = operator.outputs[0] in operator.subgraph.interface
    traced = trace_constant(operator, 0) is not None
    return traced and not seen and bool(readers)


def _keep_values(subgraph: Subgraph, ties: Ties) -> None:
    """Keeps values whose order somebody may see, or of which there is no order to speak of."""
    seen = subgraph.interface
    for tensor in {t for op in subgraph.operators for t in (*op.inputs, *op.outputs) if t}:
        signature = tensor.shape_signature
        quantization = tensor.quantization
        scales = None if quantization is None else quantization["scale"]
        if (
            tensor in seen
            or tensor.type != "FLOAT32"
            or tensor.is_variable
            or not tensor.shape
            or (signature and signature[-1] == -1)
            or (scales is not None and len(scales) > 1)
        ):
            ties.keep(tensor)


def _is_movable(model: Model, content: object, tensors: list[Tensor]) -> bool:
    """Whether the data of a constant may be put in another order for all who read them."""
    first = tensors[0]
    if first.type not in _TYPES or any(entry.buffer.content == content for entry in model.metadata):
        return False
    if first.buffer.nbytes != first.dense_nbytes:
        return False
    return all(
        (tensor.type, tensor.shape) == (first.type, first.shape)
        and tensor.sparsity is None
        and not tensor.is_variable
        and tensor not in tensor.subgraph.interface
        and tensor.subgraph.producer(tensor) is None
        and not any(_is_seen(use) for use in uses_of(tensor))
        and _scales_can_follow(tensor)
        for tensor in tensors
    )


def _is_seen(use: Use) -> bool:
    """Whether the caller sees what a constant is unpacked to."""
    return any({*op.outputs} & op.subgraph.interface for op in use.through)


def _scales_can_follow(tensor: Tensor) -> bool:
    quantization = tensor.quantization
    if quantization is None:
        return True
    if quantization["details"] is not None:
        return False
    axis = int(quantization["quantized_dimension"])
    sizes = {len(quantization[f]) for f in _PER_CHANNEL if quantization[f] is not None} - {0, 1}
    return not sizes or (axis in range(len(tensor.shape)) and sizes == {tensor.shape[axis]})


def _divides(tensor: Tensor, axis: int, channels: int) -> bool:
    """Whether the axis has the channels once, or, of a row of features, once for each pixel."""
    size = tensor.shape[axis]
    if size == channels:
        return True
    quantization = tensor.quantization
    plain = quantization is None or int(quantization["quantized_dimension"]) != axis
    return plain and len(tensor.shape) == 2 and axis == 1 and channels > 0 and size % channels == 0  # noqa: PLR2004 - a matrix


def _reorder_scales(tensor: Tensor, axis: int, order: NDArray[np.intp]) -> None:
    quantization = tensor.quantization
    if quantization is None or int(quantization["quantized_dimension"]) != axis:
        return
    moved = quantization.copy()
    for field in _PER_CHANNEL:
        values = quantization[field]
        if values is not None and len(values) == order.size:
            moved[field] = np.asarray(values)[order]
    tensor.table["quantization"] = moved
