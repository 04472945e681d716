"""The memory that activations take while a model runs: what is alive at once, at most.

TFLite gives every value that operators compute a place in one arena, from where it is written to
where it is read last; inputs and outputs of the model keep theirs until the end
(tflite/arena_planner.cc). XNNPACK plans its workspace in the same way, where a PAD in front of a
convolution takes none. Both may need a little more than what is alive, where values leave holes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.model.types import dtype

if TYPE_CHECKING:
    from tflite_sparse.model.model import Model
    from tflite_sparse.model.operator import Operator
    from tflite_sparse.model.subgraph import Subgraph
    from tflite_sparse.model.tensor import Tensor

__all__ = ["bytes_of", "peak_bytes"]

_ALIGNMENT = 64
_WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D")


def peak_bytes(model: Model) -> int:
    """Bytes of the activations that are alive at once, at most, in the subgraph with the most.

    Open sizes count as the file states them.

    Args:
        model: the model.
    """
    return max((_peak(subgraph) for subgraph in model.subgraphs), default=0)


def bytes_of(tensor: Tensor) -> int:
    """Bytes that a value takes in the arena; 0 where its type or shape is not known."""
    kind = dtype(tensor.type)
    if kind is None or min(tensor.shape, default=1) < 0:
        return 0
    size = math.prod(tensor.shape) * kind.itemsize
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _fuses(operator: Operator) -> bool:
    """Whether a PAD becomes a part of the one convolution that reads it."""
    if operator.name != "PAD" or not operator.outputs or next(iter(operator.inputs), None) is None:
        return False
    if operator.outputs[0] in operator.subgraph.outputs:
        return False
    readers = [use.operator for use in operator.subgraph.consumers(operator.outputs[0])]
    return (
        len(readers) == 1
        and readers[0].name in _WINDOWED
        and readers[0].option("padding", "SAME") == "VALID"
    )


def _peak(subgraph: Subgraph) -> int:
    constant: set[Tensor] = {tensor for tensor in subgraph.tensors if tensor.is_constant}
    kept = {*subgraph.inputs, *subgraph.outputs} - constant
    begin: dict[Tensor, int] = dict.fromkeys(kept & {*subgraph.inputs}, 0)
    end: dict[Tensor, int] = dict.fromkeys(kept, len(subgraph.operators))
    sources: dict[Tensor, Tensor] = {}
    for index, operator in enumerate(subgraph.operators):
        read = [sources.get(tensor, tensor) for tensor in operator.inputs if tensor is not None]
        if read and constant.issuperset(read):
            # Computed once, when the model is loaded.
            constant.update(operator.outputs)
            continue
        if _fuses(operator):
            sources[operator.outputs[0]] = read[0]
            continue
        for tensor in operator.outputs:
            begin.setdefault(tensor, index)
        for tensor in (*read, *operator.outputs):
            if tensor in begin and tensor not in kept:
                end[tensor] = index
    changes = [0] * (len(subgraph.operators) + 2)
    for tensor, first in begin.items():
        size = bytes_of(tensor)
        changes[first] += size
        changes[end[tensor] + 1] -= size
    peak = alive = 0
    for change in changes:
        alive += change
        peak = max(peak, alive)
    return peak
