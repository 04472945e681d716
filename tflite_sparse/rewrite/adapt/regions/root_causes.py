"""Root causes: the operators, and what is wrong with them, that keep most work from running sparse.

An operator next to a region is often outside for what another one does: an ADD because one of its
two maps comes from a grouped convolution. Here only operators count that have no sparse form by
themselves. Those with the same fault are one cause, and causes are ordered by the work that could
run sparse if they were mended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model import Operator
from tflite_sparse.model.macs import macs
from tflite_sparse.rewrite.adapt.context import Context
from tflite_sparse.rewrite.adapt.convolution import is_kxk, is_pointwise
from tflite_sparse.rewrite.adapt.forms.table import form_of
from tflite_sparse.rewrite.adapt.passes.windows import stem_refusal
from tflite_sparse.rewrite.adapt.queries import is_map
from tflite_sparse.rewrite.adapt.window import placed_window, spatial_padding
from tflite_sparse.xnnpack.explain.root_causes import LEAST_SHARE, maps_read, ranked_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Tensor
    from tflite_sparse.rewrite.adapt.editor import Editor
    from tflite_sparse.rewrite.adapt.passes.adapt_pass import AnyPass
    from tflite_sparse.rewrite.adapt.regions.region import Region
    from tflite_sparse.rewrite.adapt.window import Mirrored

__all__ = ["RootCause", "root_causes"]

_REDUCTIONS = ("MEAN", "SUM")
_IMAGE_CHANNELS = 4


class RootCause(msgspec.Struct, frozen=True):
    """A fault that keeps operators out of the sparse layout, and others with them.

    Attributes:
        reason: what is wrong, in words.
        operators: the operators that have it, in the order of execution.
        share: share of the work of 1x1 convolutions that it keeps dense, alone or with others, 0
            to 1.
    """

    reason: str
    operators: tuple[Operator, ...]
    share: float


def root_causes(
    editor: Editor,
    passes: frozenset[AnyPass],
    layouts: Sequence[Mirrored],
    regions: Sequence[Region] = (),
) -> list[RootCause]:
    """What keeps 1x1 convolutions from running sparse, what matters most first.

    Args:
        editor: the editor of a subgraph that has not been changed but for its spelling.
        passes: the passes that may be used.
        layouts: the layouts of maps that are possible.
        regions: what will run sparse; only what keeps the rest from it counts.
    """
    graph = editor.subgraph
    work = {op: macs(op) for op in graph.operators if op.name == "CONV_2D" and is_pointwise(op)}
    covered = {op for region in regions for op in region.members}
    total = sum(work.values())
    if sum(work[op] for op in work if op not in covered) <= LEAST_SHARE * total:
        return []
    stems = {region.stem for region in regions if region.stem is not None}
    faults = _faults(editor, passes, layouts, covered | stems)
    wanted = {op: macs for op, macs in work.items() if op not in covered}
    ranked = ranked_faults(
        graph.operators,
        {op: (op.name, reason) for op, reason in faults.items()},
        _sources(editor, layouts, regions),
        wanted,
    )
    left = sum(wanted.values()) / total
    return [
        RootCause(
            reason,
            tuple(op for op, why in faults.items() if (op.name, why) == (name, reason)),
            share * left,
        )
        for (name, reason), share in ranked
        if share * left > LEAST_SHARE
    ]


def _faults(
    editor: Editor,
    passes: frozenset[AnyPass],
    layouts: Sequence[Mirrored],
    inside: set[Operator],
) -> dict[Operator, str]:
    """What is wrong with each operator that works on maps and has no sparse form by itself."""
    faults = {}
    for op in editor.subgraph.operators:
        if op in inside or spatial_padding(op) is not None or not any(map(is_map, maps_read(op))):
            continue
        refusals = [_refusal(op, editor, passes, layout) for layout in layouts]
        if refusals and all(refusals):
            faults[op] = str(refusals[0])
    return faults


def _refusal(
    operator: Operator, editor: Editor, passes: frozenset[AnyPass], layout: Mirrored
) -> str | None:
    form = form_of(operator)
    if form is None:
        return "has no sparse form"
    context = Context(editor, layout, passes)
    if is_kxk(operator):
        as_entry = stem_refusal(operator, layout)
        return as_entry and (
            as_entry if _reads_image(operator) else form.refusal(operator, context)
        )
    if operator.name in _REDUCTIONS:
        context.ends = {operator}
    return form.refusal(operator, context)


def _reads_image(operator: Operator) -> bool:
    placed = placed_window(operator)
    return placed is None or placed.source.shape[3] <= _IMAGE_CHANNELS


def _sources(editor: Editor, layouts: Sequence[Mirrored], regions: Sequence[Region]) -> set[Tensor]:
    """The maps that lie in the sparse layout, or can be brought into it by a convolution."""
    stems = (
        op.outputs[0]
        for op in editor.subgraph.operators
        if op.name == "CONV_2D"
        and not is_pointwise(op)
        and any(stem_refusal(op, layout) is None for layout in layouts)
    )
    return {tensor for region in regions for tensor in region.values()} | set(stems)
