"""The region: the operators that will run in the sparse layout, grown from where maps enter it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model import Operator, Tensor
from tflite_sparse.rewrite.adapt.context import Context
from tflite_sparse.rewrite.adapt.forms.table import form_of
from tflite_sparse.rewrite.adapt.queries import is_map, present
from tflite_sparse.rewrite.adapt.readers import readers_of
from tflite_sparse.rewrite.adapt.window import spatial_padding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tflite_sparse.model import Subgraph

__all__ = ["OUTSIDE", "REDUCTIONS", "Region", "grow"]

OUTSIDE = "reads a value from outside too"
"""Why an operator stays outside for what another one does."""

REDUCTIONS = ("MEAN", "SUM")
"""Operators that bring values out of the sparse layout."""


class Region(msgspec.Struct, eq=False):
    """Operators that will run in the sparse layout.

    Attributes:
        context: how the maps lie, and which passes may be used.
        stem: the convolution that brings the image in, if one does.
        entries: other values that are brought in.
        members: the operators, in the order of execution, without the stem.
        blocked: operators that read a value of the region but have no sparse form, and why.
        first_readers: the operators that bring the entries in, set by the pass that adds them.
    """

    context: Context
    stem: Operator | None
    entries: list[Tensor]
    members: list[Operator] = msgspec.field(default_factory=list)
    blocked: list[tuple[Operator, str]] = msgspec.field(default_factory=list)
    first_readers: list[Operator] = msgspec.field(default_factory=list)

    @property
    def subgraph(self) -> Subgraph:
        """The subgraph that it lies in."""
        return self.context.editor.subgraph

    def values(self) -> Iterator[Tensor]:
        """The values that lie in the sparse layout, in the order of execution."""
        yield from self.entries
        yield from self.computed()

    def computed(self) -> Iterator[Tensor]:
        """Those of them that are computed in it."""
        if self.stem is not None:
            yield self.stem.outputs[0]
        for op in self.members:
            form = form_of(op)
            if form is not None and not form.leaves and op not in self.context.ends:
                yield op.outputs[0]

    def is_read_outside(self, tensor: Tensor) -> bool:
        """Whether one of these values is an output or read by an operator outside the region."""
        if tensor in self.subgraph.outputs:
            return True
        return any(reader not in self.context.members for reader in readers_of(tensor))

    def leaving(self) -> list[Tensor]:
        """The computed values that are read outside."""
        return [tensor for tensor in self.computed() if self.is_read_outside(tensor)]

    def limit(self, members: Iterable[Operator]) -> Region:
        """The region with some of its members only; what then only ends maps leaves it too."""
        kept = list(members)
        region = Region(self.context.again(), self.stem, self.entries, kept, self.blocked)
        _settle(region)
        return region


def grow(
    context: Context, stem: Operator | None, entries: list[Tensor], among: Iterable[Operator] = ()
) -> Region:
    """Grows a region from where values enter it, through all operators with a sparse form.

    Args:
        context: how maps lie, and which passes may be used.
        stem: the convolution that brings the image in.
        entries: other values that are brought in, unless the region computes them itself.
        among: operators to keep to; empty for all.
    """
    graph = context.editor.subgraph
    region = Region(context, stem, entries)
    inside = set(entries)
    if stem is not None:
        inside.add(stem.outputs[0])
    chosen = set(among)
    # Reductions are let in whatever they are for; what they are for shows in the end.
    context.ends = {op for op in graph.operators if op.name in REDUCTIONS}
    for op in graph.operators:
        if op is stem or (chosen and op not in chosen):
            continue
        form = form_of(op)
        if spatial_padding(op) is not None:
            continue
        if form is None or not op.outputs:
            if any(tensor in inside for tensor in op.inputs):
                region.blocked.append((op, "has no sparse form"))
            continue
        present_inputs = [tensor in inside for tensor in form.reads(op)]
        if not any(present_inputs):
            continue
        refusal = OUTSIDE if not all(present_inputs) else form.refusal(op, context)
        if refusal is not None:
            region.blocked.append((op, refusal))
            continue
        region.members.append(op)
        if not form.leaves and is_map(op.outputs[0]):
            inside.add(op.outputs[0])
    _settle(region)
    # Once what computes an entry has come in, the map is there.
    computed = set(region.computed())
    region.entries = [tensor for tensor in entries if tensor not in computed]
    return region


def _settle(region: Region) -> None:
    """Takes out what has no use for maps: operators after the last reduction, and such ends."""
    context = region.context
    while True:
        spatial = _feeding_maps(region)
        context.ends = {op for op in region.members if op.name in REDUCTIONS and op not in spatial}
        kept = []
        inside = set(region.values())
        for op in region.members:
            form = present(form_of(op))
            reads_inside = all(tensor in inside for tensor in form.reads(op))
            is_end = op in context.ends
            keeps_dims = op.name not in REDUCTIONS or is_end or op.option("keep_dims")
            useful = op in spatial or is_end or form.leaves
            if reads_inside and keeps_dims and useful:
                kept.append(op)
        if len(kept) == len(region.members):
            break
        region.members = kept
    context.members = set(region.members)


def _feeding_maps(region: Region) -> set[Operator]:
    """The members whose result is a map or takes part in one."""
    feeding: set[Operator] = set()
    members = set(region.members)
    for op in reversed(region.members):
        result = op.outputs[0]
        if (is_map(result) and max(result.shape[1:3]) > 1) or any(
            reader in feeding for reader in readers_of(result) if reader in members
        ):
            feeding.add(op)
    return feeding
