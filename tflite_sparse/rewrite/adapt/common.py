"""What the forms share: the context of a rewrite, and small parts that several of them make."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse._dataclass import dataclass
from tflite_sparse.rewrite.adapt.editor import Editor, constant_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor

__all__ = [
    "ACTIVATIONS",
    "GROUP",
    "RANK",
    "Context",
    "Said",
    "add_up",
    "is_map",
    "numbers_of",
    "pad_before",
    "reduces_map",
    "select",
]

RANK = 4
ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
"""Fused activations that XNNPACK takes."""


GROUP = 12
"""Channels that enter the sparse layout together: the cells of 2x2 in maps of three channels."""

Said = tuple[str, str, str] | None
"""What a form did: the pass, what and why; None where there was nothing to do."""


@dataclass(slots=True)
class Context:
    """What a rewrite of a subgraph is about.

    Attributes:
        editor: edits the subgraph.
        flip: whether maps are reversed along height and width.
        passes: names of the passes that may be used.
        members: ids of the operators that will run in the sparse layout.
        heads: ids of the reductions that bring values out of it.
    """

    editor: Editor
    flip: tuple[bool, bool]
    passes: frozenset[str]
    members: set[int] = field(default_factory=set)
    heads: set[int] = field(default_factory=set)

    def allows(self, name: str) -> bool:
        """Whether a pass may be used."""
        return name in self.passes

    def ends(self, operator: Operator) -> bool:
        """Whether a reduction only brings values out."""
        return id(operator) in self.heads


def is_map(tensor: Tensor | None) -> bool:
    """Whether a value is a 4-D fp32 tensor of known size."""
    return (
        tensor is not None
        and tensor.type == "FLOAT32"
        and len(tensor.shape) == RANK
        and min(tensor.shape) > 0
    )


def numbers_of(operator: Operator, operand: int) -> tuple[int, ...] | None:
    """The integers of a constant operand; None where it is none."""
    data = constant_of(operator, operand)
    if data is None or data.dtype.kind not in "iu":
        return None
    return tuple(int(n) for n in data.reshape(-1))


def reduces_map(operator: Operator) -> bool:
    """Whether a reduction runs along height and width of a map, and nothing else."""
    axes = numbers_of(operator, 1)
    spatial = axes is not None and sorted(axis % RANK for axis in axes) == [1, 2]
    return spatial and is_map(operator.inputs[0])


def pad_before(
    editor: Editor,
    place: Operator,
    source: Tensor,
    pads: tuple[int, int, int, int],
    channels: int = 0,
) -> Tensor:
    """Puts a PAD with zeros in front of an operator; what it writes.

    Args:
        editor: edits the subgraph.
        place: the operator.
        source: what is padded.
        pads: zeros above, left of, below and right of it.
        channels: zero channels behind its own.
    """
    top, left, bottom, right = pads
    batch, height, width, depth = source.shape
    shape = (batch, height + top + bottom, width + left + right, depth + channels)
    padded = editor.value(shape, source, f"{source.name}/padded")
    numbers = np.array([[0, 0], [top, bottom], [left, right], [0, channels]], np.int32)
    constant = editor.constant(numbers, f"{source.name}/paddings")
    editor.before(place, "PAD", [source, constant], [padded])
    return padded


def select(
    editor: Editor,
    place: Operator | None,
    source: Tensor,
    matrix: NDArray[np.float32],
    name: str,
    output: Tensor | None = None,
) -> Tensor:
    """Puts a 1x1 convolution without bias or activation in front of an operator; what it writes.

    Args:
        editor: edits the subgraph.
        place: the operator; None for the end.
        source: what it reads.
        matrix: its filter, shape (output channels, input channels).
        name: name of its value.
        output: a tensor that it writes instead of a new one.
    """
    channels = matrix.shape[0]
    if output is None:
        output = editor.value((*source.shape[:3], channels), source, name)
    filters = editor.constant(matrix.reshape(channels, 1, 1, -1), f"{name}/filter")
    bias = editor.constant(np.zeros(channels, np.float32), f"{name}/bias")
    editor.before(place, "CONV_2D", [source, filters, bias], [output], **_ONE_BY_ONE)
    return output


_ONE_BY_ONE = {"padding": "VALID", "stride_h": 1, "stride_w": 1}


def add_up(
    editor: Editor,
    place: Operator | None,
    parts: Iterable[Tensor],
    output: Tensor,
    activation: str = "NONE",
) -> None:
    """Adds values up in front of an operator, into a tensor."""
    first, *others = parts
    total = first
    for index, part in enumerate(others):
        last = index == len(others) - 1
        result = output if last else editor.value(output.shape, output, f"{output.name}/sum")
        said = activation if last else "NONE"
        editor.before(place, "ADD", [total, part], [result], fused_activation_function=said)
        total = result
