"""The region: the operators that will run in the sparse layout, grown from where maps enter it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from tflite_sparse._dataclass import dataclass
from tflite_sparse.rewrite.adapt.common import Context, is_map
from tflite_sparse.rewrite.adapt.editor import remembered
from tflite_sparse.rewrite.adapt.passes.windows import convolution_refusal
from tflite_sparse.rewrite.adapt.regions.forms import form_of
from tflite_sparse.rewrite.adapt.window import placed_window, spatial_padding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tflite_sparse.model import Operator, Subgraph, Tensor

__all__ = ["Region", "grow", "readers_of", "stem_refusal"]

_REDUCTIONS = ("MEAN", "SUM")


@dataclass(slots=True)
class Region:
    """Operators that will run in the sparse layout.

    Attributes:
        context: how the maps lie, and which passes may be used.
        stem: the convolution that brings the image in, if one does.
        entries: other values that are brought in.
        members: the operators, in the order of execution, without the stem.
        blocked: operators that read a value of the region and have no sparse form, with the reason.
    """

    context: Context
    stem: Operator | None
    entries: list[Tensor]
    members: list[Operator] = field(default_factory=list)
    blocked: list[tuple[Operator, str]] = field(default_factory=list)

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
            if form is not None and not form.leaves and not self.context.ends(op):
                yield op.outputs[0]

    def limit(self, members: Iterable[Operator]) -> Region:
        """The region with some of its members only; what then only ends maps leaves it too."""
        kept = list(members)
        context = Context(self.context.editor, self.context.flip, self.context.passes)
        region = Region(context, self.stem, self.entries, kept, self.blocked)
        _settle(region)
        return region


@remembered
def readers_of(tensor: Tensor) -> list[Operator]:
    """The operators that read a map, through PADs of height and width too; each once.

    Such a PAD counts as a reader itself where something reads it that has no window.
    """
    graph = tensor.subgraph
    found: dict[int, Operator] = {}
    for use in graph.consumers(tensor):
        op = use.operator
        if spatial_padding(op) is None:
            found[id(op)] = op
            continue
        padded = op.outputs[0]
        beyond = readers_of(padded)
        through = [r for r in beyond if placed_window(r) is not None and use.operand == 0]
        for reader in through:
            found[id(reader)] = reader
        if len(through) < len(beyond) or any(padded is output for output in graph.outputs):
            found[id(op)] = op
    return list(found.values())


def stem_refusal(operator: Operator, flip: tuple[bool, bool]) -> str | None:
    """Why a CONV_2D cannot bring an image into the sparse layout.

    XNNPACK src/subgraph.c, xnn_check_nchw_compatibility: a 3x3 convolution with stride 2, padding 1
    on all sides, 3 input channels, no groups.
    """
    refusal = convolution_refusal(operator)
    placed = placed_window(operator)
    if refusal is not None or placed is None:
        return refusal or "has no known size"
    filt = operator.inputs[1]
    rows, columns = placed.turned(flip)
    if (rows.stride, columns.stride) != (2, 2):
        return f"has stride {rows.stride}x{columns.stride}, not 2x2"
    channels = placed.source.shape[3]
    if filt is None or filt.shape[3] != channels or channels > 3:  # noqa: PLR2004 - an image
        return f"reads {channels} channels, more than 3"
    if rows.offset(3) is None or columns.offset(3) is None:
        return "has a kernel and padding that fit into no 3x3 window with padding 1"
    return None


def grow(
    context: Context, stem: Operator | None, entries: list[Tensor], among: Iterable[Operator] = ()
) -> Region:
    """Grows a region from where values enter it, through all operators with a sparse form.

    Args:
        context: how maps lie, and which passes may be used.
        stem: the convolution that brings the image in.
        entries: other values that are brought in.
        among: operators to keep to; empty for all.
    """
    graph = context.editor.subgraph
    region = Region(context, stem, entries)
    inside = {id(tensor) for tensor in entries}
    if stem is not None:
        inside.add(id(stem.outputs[0]))
    chosen = {id(op) for op in among}
    # Reductions are let in whatever they are for; what they are for shows in the end.
    context.heads = {id(op) for op in graph.operators if op.name in _REDUCTIONS}
    for op in graph.operators:
        if op is stem or (chosen and id(op) not in chosen):
            continue
        form = form_of(op)
        if spatial_padding(op) is not None:
            continue
        if form is None or not op.outputs:
            if any(t is not None and id(t) in inside for t in op.inputs):
                region.blocked.append((op, "has no sparse form"))
            continue
        reads = form.reads(op)
        present = [id(tensor) in inside for tensor in reads]
        if not any(present):
            continue
        refusal = form.refusal(op, context) if all(present) else "reads a value from outside too"
        if refusal is not None:
            region.blocked.append((op, refusal))
            continue
        region.members.append(op)
        if not form.leaves and is_map(op.outputs[0]):
            inside.add(id(op.outputs[0]))
    _settle(region)
    return region


def _settle(region: Region) -> None:
    """Takes out what has no use for maps: operators after the last reduction, and such ends."""
    context = region.context
    while True:
        members = {id(op) for op in region.members}
        spatial = _feeding_maps(region, members)
        context.heads = {
            id(op) for op in region.members if op.name in _REDUCTIONS and id(op) not in spatial
        }
        kept = []
        inside = {id(tensor) for tensor in region.values()}
        for op in region.members:
            form = form_of(op)
            assert form is not None  # noqa: S101 - members have one
            reads_inside = all(id(tensor) in inside for tensor in form.reads(op))
            keeps_dims = op.name not in _REDUCTIONS or context.ends(op) or op.option("keep_dims")
            useful = id(op) in spatial or context.ends(op) or form.leaves
            if reads_inside and keeps_dims and useful:
                kept.append(op)
        if len(kept) == len(region.members):
            break
        region.members = kept
    context.members = {id(op) for op in region.members}


def _feeding_maps(region: Region, members: set[int]) -> set[int]:
    """The members whose result is a map or takes part in one."""
    found: set[int] = set()
    for op in reversed(region.members):
        result = op.outputs[0]
        if (is_map(result) and max(result.shape[1:3]) > 1) or any(
            id(r) in found for r in readers_of(result) if id(r) in members
        ):
            found.add(id(op))
    return found
