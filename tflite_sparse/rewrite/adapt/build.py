"""Operators that several passes and forms insert into a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.editor import Editor

__all__ = ["add_up", "pad_before", "placed_side_by_side", "select", "slice_channels"]

_ONE_BY_ONE = {"padding": "VALID", "stride_h": 1, "stride_w": 1}


def pad_before(
    editor: Editor,
    place: Operator,
    source: Tensor,
    pads: tuple[int, int, int, int],
    channels: int = 0,
) -> Tensor:
    """Inserts a PAD with zeros before an operator and returns its output.

    Args:
        editor: edits the subgraph.
        place: the operator that it comes before.
        source: what is padded.
        pads: zeros above, left of, below and right of it.
        channels: zero channels to append.
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
    """Inserts a 1x1 convolution without bias or activation; returns its output.

    Args:
        editor: edits the subgraph.
        place: the operator that it comes before; None for the end.
        source: what it reads.
        matrix: its filter, shape (output channels, input channels).
        name: name of its value.
        output: the tensor to write; None for a new one.
    """
    channels = matrix.shape[0]
    if output is None:
        output = editor.value((*source.shape[:3], channels), source, name)
    filters = editor.constant(matrix.reshape(channels, 1, 1, -1), f"{name}/filter")
    bias = editor.constant(np.zeros(channels, np.float32), f"{name}/bias")
    editor.before(place, "CONV_2D", [source, filters, bias], [output], **_ONE_BY_ONE)
    return output


def placed_side_by_side(
    editor: Editor, place: Operator | None, parts: Sequence[Tensor], output: Tensor
) -> list[Tensor]:
    """Inserts 1x1 convolutions that put maps in their places among the channels of all of them.

    Args:
        editor: edits the subgraph.
        place: the operator that they come before; None for the end.
        parts: the maps.
        output: what the results are to be added up to.

    Returns:
        The results, each with the channels of all maps, zero but for its own.
    """
    total = output.shape[3]
    placed = []
    first = 0
    for part in parts:
        channels = part.shape[3]
        matrix = np.zeros((total, channels), np.float32)
        matrix[np.arange(first, first + channels), np.arange(channels)] = 1
        placed.append(select(editor, place, part, matrix, f"{output.name}/placed"))
        first += channels
    return placed


def slice_channels(
    editor: Editor,
    place: Operator | None,
    tensor: Tensor,
    channels: range,
    output: Tensor | None = None,
) -> Tensor:
    """Inserts a STRIDED_SLICE that takes some channels of a map; returns its output.

    Args:
        editor: edits the subgraph.
        place: the operator that it comes before; None for the end.
        tensor: the map.
        channels: which channels.
        output: the tensor to write; None for a new one.
    """
    if output is None:
        shape = (*tensor.shape[:3], len(channels))
        output = editor.value(shape, tensor, f"{tensor.name}/sliced")
    numbers = ([0, 0, 0, channels.start], [0, 0, 0, channels.stop], [1, 1, 1, 1])
    begin, end, strides = (
        editor.constant(np.array(values, np.int32), f"{output.name}/{name}")
        for values, name in zip(numbers, ("begin", "end", "strides"), strict=True)
    )
    # Whole along the batch, height and width: a caller may change the batch.
    editor.before(
        place, "STRIDED_SLICE", [tensor, begin, end, strides], [output], begin_mask=7, end_mask=7
    )
    return output


def add_up(
    editor: Editor,
    place: Operator | None,
    parts: Iterable[Tensor],
    output: Tensor,
    activation: str = "NONE",
) -> None:
    """Inserts ADDs that sum up values into a tensor, each as early as it can be computed.

    So two of the values have to be in memory at once, however many there are.

    Args:
        editor: edits the subgraph.
        place: the operator that they come before at the latest; None for the end.
        parts: the values, two or more.
        output: the tensor to write.
        activation: what is fused into the last ADD.
    """
    first, *others = parts
    total = first
    for index, part in enumerate(others):
        last = index == len(others) - 1
        result = output if last else editor.value(output.shape, output, f"{output.name}/sum")
        fused = activation if last else "NONE"
        producers = (editor.subgraph.producer(tensor) for tensor in (total, part))
        latest = max((p for p in producers if p is not None), key=lambda p: p.index, default=None)
        spot = place if latest is None else editor.after(latest)
        editor.before(spot, "ADD", [total, part], [result], fused_activation_function=fused)
        total = result
