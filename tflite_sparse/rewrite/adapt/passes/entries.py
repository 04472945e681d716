"""Brings maps into the sparse layout.

XNNPACK has one operator that does so, a 3x3 convolution with stride 2 on 3 channels. Any map gets
in through DEPTH_TO_SPACE, outside the layout, and such a convolution that picks single cells.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.build import (
    add_up,
    pad_before,
    placed_side_by_side,
    slice_channels,
)
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied, Order, RegionPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.adapt.queries import present
from tflite_sparse.rewrite.adapt.readers import readers_among

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.adaptation import Step
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.regions.region import Region

__all__ = ["ENTRIES", "GROUP", "JOINED", "channel_groups"]

GROUP = 12
"""Channels that enter the sparse layout together: the cells of 2x2 in maps of three channels."""
JOINED = 4
"""Maps that are put side by side at once."""

_BLOCK = 2
_CHANNELS = 3
_WINDOW = 3


class Entries(RegionPass):
    """Brings maps in that are computed outside the sparse layout."""

    name = PassName.ENTRIES
    summary = "bring maps into the sparse layout by DEPTH_TO_SPACE and a 3x3 convolution"
    detail = (
        "A map enters by DEPTH_TO_SPACE of 12 channels at a time into 3 channels and a 3x3 stride-2"
        " convolution of ones and zeros."
    )
    cost = "a 3x3 convolution a group"
    exact = "yes"
    order = Order.ENTER

    def change(self, region: Region) -> None:
        """Brings in every value at which the region begins but for the image."""
        context, editor = region.context, region.context.editor
        for tensor in region.entries:
            place = editor.subgraph.producer(tensor) or region.members[0]
            editor.apply(self, place, partial(_bring_in, tensor, context, region.first_readers))

    def ensures(self, subject: Region, result: tuple[Step, ...]) -> None:
        """Also: no member reads a value from outside any more."""
        super().ensures(subject, result)
        members = subject.context.members
        outside = any(readers_among(tensor, members) for tensor in subject.entries)
        self.check(not outside, "the region reads what was brought in")


ENTRIES = Entries()


def channel_groups(channels: int) -> int:
    """Groups of 12 channels, which become maps of 3 channels with twice the height and width."""
    return -(-channels // GROUP)


def _bring_in(tensor: Tensor, context: Context, first_readers: list[Operator]) -> Applied:
    """Brings a map into the sparse layout for the members that read it.

    Twelve channels at a time become maps of three channels with twice the height and width, in
    which the window of an entry reaches all twelve values of a cell; its kernel picks them.

    Args:
        tensor: the map.
        context: the members, and the editor.
        first_readers: the operators that read the map itself from now on are added here.
    """
    editor, graph = context.editor, context.editor.subgraph
    producer = graph.producer(tensor)
    # Behind the producer there is something: the members that read the map.
    place = graph.operators[0] if producer is None else present(editor.after(producer))
    result = editor.value(tensor.shape, tensor, f"{tensor.name}/sparse")
    for op in readers_among(tensor, context.members):
        for operand, read in enumerate(op.inputs):
            if read is tensor:
                editor.read(op, operand, result)
    channels = tensor.shape[3]
    starts = range(0, channels, GROUP)
    parts = []
    for first in starts:
        last = min(first + GROUP, channels)
        group = tensor
        if len(starts) > 1:
            group = slice_channels(editor, place, tensor, range(first, last))
        if last - first < GROUP:
            group = pad_before(editor, place, group, (0, 0, 0, 0), first + GROUP - last)
        into = result if len(starts) == 1 else None
        parts.append(_enter(place, group, last - first, tensor, into, context))
    while len(parts) > 1:
        sets = [parts[first : first + JOINED] for first in range(0, len(parts), JOINED)]
        into = result if len(sets) == 1 else None
        parts = [_side_by_side(place, some, tensor, into, context) for some in sets]
    begin = 0 if producer is None else producer.index
    first_readers += [
        use.operator
        for use in graph.consumers(tensor)
        if begin <= use.operator.index < place.index and use.operator not in first_readers
    ]
    return Applied(
        f"{len(starts)} entries bring {tensor.shape[1]}x{tensor.shape[2]}x{channels} in",
        "what reads it can run sparse",
    )


def _enter(
    place: Operator,
    group: Tensor,
    channels: int,
    tensor: Tensor,
    output: Tensor | None,
    context: Context,
) -> Tensor:
    """Brings up to twelve channels of a map in."""
    editor = context.editor
    batch, height, width, _ = tensor.shape
    if output is None:
        shape = (batch, height, width, channels)
        output = editor.value(shape, tensor, f"{tensor.name}/entered")
    large = editor.value(
        (batch, height * _BLOCK, width * _BLOCK, _CHANNELS), tensor, f"{tensor.name}/spread"
    )
    editor.before(place, "DEPTH_TO_SPACE", [group], [large], block_size=_BLOCK)
    kernel = np.zeros((channels, _WINDOW, _WINDOW, _CHANNELS), np.float32)
    chosen = np.arange(channels)
    cell, channel = np.divmod(chosen, _CHANNELS)
    kernel[chosen, cell // _BLOCK + 1, cell % _BLOCK + 1, channel] = 1
    filters = editor.constant(kernel, f"{output.name}/filter")
    bias = editor.constant(np.zeros(channels, np.float32), f"{output.name}/bias")
    padded = pad_before(editor, place, large, (1, 1, 1, 1))
    editor.before(
        place, "CONV_2D", [padded, filters, bias], [output],
        padding="VALID", stride_h=2, stride_w=2,
    )  # fmt: skip
    return output


def _side_by_side(
    place: Operator, parts: list[Tensor], tensor: Tensor, output: Tensor | None, context: Context
) -> Tensor:
    """Puts maps that are inside side by side: a few at a time, each is written a few times only."""
    editor = context.editor
    if len(parts) == 1 and output is None:
        return parts[0]
    if output is None:
        shape = (*tensor.shape[:3], sum(part.shape[3] for part in parts))
        output = editor.value(shape, tensor, f"{tensor.name}/joined")
    add_up(editor, place, placed_side_by_side(editor, place, parts, output), output)
    return output
