"""Carries a region out: what leaves it, what enters it, how maps lie, then its members."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.passes.boundary import (
    bring_in,
    bring_out,
    make_stem,
    reduce_out,
    turn_depth_to_space,
)
from tflite_sparse.rewrite.adapt.passes.mirror import turn_before
from tflite_sparse.rewrite.adapt.regions.forms import form_of
from tflite_sparse.rewrite.adapt.regions.price import is_read_outside
from tflite_sparse.rewrite.adapt.window import placed_window, spatial_padding

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.editor import Editor
    from tflite_sparse.rewrite.adapt.regions.region import Region

__all__ = ["apply_region", "own_paddings"]


def own_paddings(editor: Editor) -> None:
    """Gives every reader of a PAD of height and width one of its own, which then fuses into it."""
    for pad in list(editor.subgraph.operators):
        if spatial_padding(pad) is None:
            continue
        result = pad.outputs[0]
        if any(result is output for output in editor.subgraph.outputs):
            continue
        for use in editor.subgraph.consumers(result)[1:]:
            twin = editor.value(result.shape, result, f"{result.name}/own")
            editor.before(use.operator, "PAD", pad.inputs, [twin])
            editor.read(use.operator, use.operand, twin)
            editor.record(editor.label(pad), "one for each reader", "a shared PAD does not fuse")


def apply_region(region: Region) -> None:
    """Carries a region out."""
    context, editor = region.context, region.context.editor
    _let_out(region)
    readers: list[Operator] = []
    starts: list[Tensor] = []
    for tensor in region.entries:
        door = editor.subgraph.producer(tensor) or region.members[0]
        editor.noted(door, partial(bring_in, tensor, context, readers))
        starts.append(tensor)
    if region.stem is not None:
        placed = placed_window(region.stem)
        assert placed is not None  # noqa: S101 - see stem_refusal
        readers.append(region.stem)
        starts.append(placed.source)
    if any(context.flip):
        first = region.stem or readers[0]
        editor.noted(first, partial(turn_before, context, starts, readers))
    if region.stem is not None:
        editor.noted(region.stem, partial(make_stem, region.stem, context))
    for op in region.members:
        form = form_of(op)
        if form is not None and not editor.is_gone(op):
            editor.noted(op, partial(form.apply, op, context))
    editor.sweep()


def _let_out(region: Region) -> None:
    """Brings out what is read outside."""
    context, editor = region.context, region.context.editor
    leaving = [tensor for tensor in region.computed() if is_read_outside(tensor, region)]
    for tensor in leaving:
        producer = editor.subgraph.producer(tensor)
        assert producer is not None  # noqa: S101 - members compute it
        editor.noted(producer, partial(bring_out, tensor, context))
    for op in region.members:
        if context.ends(op):
            editor.noted(op, partial(reduce_out, op, context))
        elif op.name == "DEPTH_TO_SPACE":
            editor.noted(op, partial(turn_depth_to_space, op, context))
