"""Brings maps out of the sparse layout.

XNNPACK has two operators that do so, reductions and DEPTH_TO_SPACE. Any map gets out through
DEPTH_TO_SPACE and, outside the layout again, SPACE_TO_DEPTH.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.build import select, slice_channels
from tflite_sparse.rewrite.adapt.convolution import can_widen
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied, Order, RegionPass
from tflite_sparse.rewrite.adapt.passes.mirror import reverse
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.adapt.queries import RANK, present
from tflite_sparse.rewrite.adapt.readers import readers_among

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.adaptation import Step
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.regions.region import Region

__all__ = ["EXITS"]

_BLOCK = 2


class Exits(RegionPass):
    """Brings maps out that are read outside the sparse layout."""

    name = PassName.EXITS
    summary = "bring maps out of the sparse layout by DEPTH_TO_SPACE and SPACE_TO_DEPTH"
    detail = (
        "A map that something outside reads goes through DEPTH_TO_SPACE, which leaves the sparse"
        " layout, and SPACE_TO_DEPTH: the identity. Channels are padded to a multiple of 4."
    )
    cost = "two moves of the map"
    exact = "yes"
    order = Order.LEAVE

    def change(self, region: Region) -> None:
        """Brings out every value of the region that is read outside."""
        context, editor = region.context, region.context.editor
        for tensor in region.leaving():
            producer = present(editor.subgraph.producer(tensor))
            editor.apply(self, producer, partial(_bring_out, tensor, context))

    def ensures(self, subject: Region, result: tuple[Step, ...]) -> None:
        """Also: no output of the model lies in the sparse layout."""
        super().ensures(subject, result)
        inside = set(subject.computed())
        outputs = subject.subgraph.outputs
        self.check(inside.isdisjoint(outputs), "outputs are outside the sparse layout")


EXITS = Exits()


def _bring_out(tensor: Tensor, context: Context) -> Applied:
    """Brings a map out of the sparse layout for what reads it outside."""
    editor, graph = context.editor, context.editor.subgraph
    producer = present(graph.producer(tensor))
    inside = readers_among(tensor, context.members)
    sparse = editor.split(tensor, "/sparse", inside)
    place = editor.after(producer)
    batch, height, width, channels = tensor.shape
    full = -(-channels // RANK) * RANK
    value = sparse
    if full != channels:
        if not inside and can_widen(producer, context):
            value = _widen(producer, full, context)
        else:
            eye = np.eye(full, channels, dtype=np.float32)
            value = select(editor, place, sparse, eye, f"{tensor.name}/widened")
    large = editor.value(
        (batch, height * _BLOCK, width * _BLOCK, full // RANK), tensor, f"{tensor.name}/spread"
    )
    editor.before(place, "DEPTH_TO_SPACE", [value], [large], block_size=_BLOCK)
    is_reversed = any(context.mirrored) and max(height, width) > 1
    last = full == channels and not is_reversed
    out = tensor if last else editor.value((*tensor.shape[:3], full), tensor, f"{sparse.name}/out")
    editor.before(place, "SPACE_TO_DEPTH", [large], [out], block_size=_BLOCK)
    if full != channels:
        output = None if is_reversed else tensor
        out = slice_channels(editor, place, out, range(channels), output)
    if is_reversed:
        reverse(context, place, out, tensor)
    return Applied(
        f"DEPTH_TO_SPACE and SPACE_TO_DEPTH bring {height}x{width}x{channels} out",
        "it is read outside the sparse layout",
    )


def _widen(producer: Operator, channels: int, context: Context) -> Tensor:
    """Gives a 1x1 convolution more output channels, which are zero; what it writes then."""
    editor = context.editor
    narrow = producer.outputs[0]
    more = channels - narrow.shape[3]
    editor.set_weight(
        producer, 1, lambda f: np.pad(f, ((0, more), (0, 0), (0, 0), (0, 0))), f"wide_{channels}"
    )
    editor.set_weight(producer, 2, lambda bias: np.pad(bias, (0, more)), f"wide_{channels}")
    wide = editor.value((*narrow.shape[:3], channels), narrow, f"{narrow.name}/widened")
    editor.write(producer, 0, wide)
    return wide
