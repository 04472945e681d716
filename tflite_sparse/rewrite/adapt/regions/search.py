"""Finds the region that wins most: where it begins, how its maps lie, and where it ends."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.context import Context
from tflite_sparse.rewrite.adapt.convolution import is_pointwise
from tflite_sparse.rewrite.adapt.forms.kxk import TOO_FEW
from tflite_sparse.rewrite.adapt.forms.table import form_of
from tflite_sparse.rewrite.adapt.passes.entries import ENTRIES
from tflite_sparse.rewrite.adapt.passes.mirror import MIRROR
from tflite_sparse.rewrite.adapt.passes.windows import stem_refusal
from tflite_sparse.rewrite.adapt.queries import is_map
from tflite_sparse.rewrite.adapt.readers import readers_of
from tflite_sparse.rewrite.adapt.regions.partitions import Partitions
from tflite_sparse.rewrite.adapt.regions.region import REDUCTIONS, Region, grow
from tflite_sparse.rewrite.adapt.window import spatial_padding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.editor import Editor
    from tflite_sparse.rewrite.adapt.passes.adapt_pass import AnyPass
    from tflite_sparse.rewrite.adapt.regions.price import Pricer
    from tflite_sparse.rewrite.adapt.window import Mirrored

__all__ = ["find_regions", "possible_layouts", "price_in_the_way"]

_LAYOUTS: tuple[Mirrored, ...] = tuple(
    (rows, columns) for rows, columns in product((False, True), repeat=2)
)
_BEGINNINGS = 6
_CUTS = 48
_MORE_ENTRIES = 8
_REGIONS = 4


def possible_layouts(passes: frozenset[AnyPass]) -> tuple[Mirrored, ...]:
    """The ways in which maps may lie."""
    return tuple(layout for layout in _LAYOUTS if MIRROR in passes or not any(layout))


def find_regions(editor: Editor, passes: frozenset[AnyPass], pricer: Pricer) -> list[Region]:
    """The regions of a subgraph that win time by the prices, each of them as large as pays."""
    regions: list[Region] = []
    taken: set[Operator | None] = set()
    partitions = Partitions(editor.subgraph)
    while len(regions) < _REGIONS:
        region = _best_region(editor, passes, pricer, partitions, taken)
        if region is None:
            break
        regions.append(region)
        taken |= {*region.context.members, region.stem}
    return regions


def price_in_the_way(
    editor: Editor, passes: frozenset[AnyPass], *, least: float
) -> tuple[Operator, str] | None:
    """Where the largest region would begin that costs more than it wins.

    Args:
        editor: the editor of the subgraph.
        passes: the passes that may be used.
        least: share of the 1x1 convolutions that must be in it.

    Returns:
        The operator, and that it costs too much; None where no region is as large.
    """
    operators = editor.subgraph.operators
    beginnings = _beginnings(editor, passes, operators)
    regions = (region for region in beginnings if not region.context.detours)
    largest = max(regions, key=lambda region: len(region.members), default=None)
    if largest is None:
        return None
    inside = [op for op in largest.members if op.name == "CONV_2D" and is_pointwise(op)]
    total = sum(op.name == "CONV_2D" and is_pointwise(op) for op in operators)
    if not inside or len(inside) <= least * total:
        return None
    price = (
        f"begins a part of which {len(inside)} of {total} 1x1 convolutions could run sparse,"
        " but bringing maps in and out and respelling operators would cost more than that wins"
    )
    return largest.stem or largest.members[0], price


def _best_region(
    editor: Editor,
    passes: frozenset[AnyPass],
    pricer: Pricer,
    partitions: Partitions,
    taken: set[Operator | None],
) -> Region | None:
    free = [op for op in editor.subgraph.operators if op not in taken]
    best: tuple[float, Region] | None = None
    for region in _beginnings(editor, passes, free):
        if region.members:
            candidate = _with_more_entries(_trimmed(region, pricer), pricer, partitions, free)
            if best is None or candidate[0] > best[0]:
                best = candidate
    return best[1] if best is not None and best[0] > 0 else None


def _beginnings(
    editor: Editor, passes: frozenset[AnyPass], free: list[Operator]
) -> Iterator[Region]:
    """Whole regions from every place where one may begin."""
    layouts = possible_layouts(passes)
    stems = 0
    for op in free:
        if op.name != "CONV_2D" or is_pointwise(op) or stems == _BEGINNINGS:
            continue
        fitting = [layout for layout in layouts if stem_refusal(op, layout) is None]
        stems += bool(fitting)
        for layout in fitting:
            yield from _grown(Context(editor, layout, passes), op, [], free)
    if ENTRIES in passes:
        contexts = [Context(editor, layout, passes) for layout in layouts]
        for tensor in _entry_candidates(contexts, free)[:_BEGINNINGS]:
            for layout in layouts:
                yield from _grown(Context(editor, layout, passes), None, [tensor], free)


def _grown(
    context: Context, stem: Operator | None, entries: list[Tensor], free: list[Operator]
) -> Iterator[Region]:
    """The region from a place, and the one that goes through KxK convolutions at a loss."""
    region = grow(context, stem, entries, free)
    yield region
    if any(reason.endswith(TOO_FEW) for _, reason in region.blocked):
        through = context.again()
        through.detours = True
        yield grow(through, stem, entries, free)


def _entry_candidates(contexts: list[Context], free: list[Operator]) -> list[Tensor]:
    """Maps that operators hand to operators with a sparse form, and could not compute in it."""
    candidates = []
    for op in free:
        if not op.outputs or not is_map(op.outputs[0]):
            continue
        result = op.outputs[0]
        if max(result.shape[1:3]) == 1 or _could_be_inside(op, contexts):
            continue
        # An unpacked filter is four-dimensional too, but no map.
        if any(_reads(reader, result) for reader in readers_of(result)):
            candidates.append(result)
    return candidates


def _reads(operator: Operator, tensor: Tensor) -> bool:
    """Whether an operator has a sparse form in which it reads a map."""
    form = form_of(operator)
    return form is not None and tensor in form.reads(operator)


def _could_be_inside(operator: Operator, contexts: list[Context]) -> bool:
    """Whether an operator may run in the sparse layout, wherever that begins."""
    form = form_of(operator)
    if form is None:
        return False
    if operator.name in REDUCTIONS or spatial_padding(operator) is not None:
        return True
    inputs = operator.subgraph.inputs
    if all(tensor in inputs for tensor in form.reads(operator)):
        return False
    return any(form.refusal(operator, context) is None for context in contexts)


def _trimmed(region: Region, pricer: Pricer) -> tuple[float, Region]:
    """The part of a region that wins most, ends cut off that cost more than they win."""
    best, won = region, pricer.net(region)
    while True:
        better = None
        for op in _cuts(best):
            gone = _after(best, op)
            if len(gone) == len(best.members):
                continue
            part = best.limit(m for m in best.members if m not in gone)
            net = pricer.net(part)
            if net > won:
                better, won = part, net
        if better is None:
            return won, best
        best = better


def _cuts(region: Region) -> list[Operator]:
    """Operators at which a region may be cut: those from which values leave it."""
    leaving = set(region.leaving())
    if not leaving:
        return []
    cuts: dict[Operator, None] = {}
    for op in reversed(region.members):
        result = op.outputs[0]
        inside = [reader for reader in readers_of(result) if reader in region.context.members]
        if result in leaving or any(reader in cuts for reader in inside):
            cuts[op] = None
    nearest_first = list(cuts)
    step = max(1, -(-len(cuts) // _CUTS))
    near, far = nearest_first[: _CUTS // 2], nearest_first[_CUTS // 2 :: step]
    return near + far


def _after(region: Region, operator: Operator) -> set[Operator]:
    """An operator and all members that depend on it."""
    gone = {operator}
    lost = {operator.outputs[0]}
    for op in region.members:
        form = form_of(op)
        if form is not None and any(tensor in lost for tensor in form.reads(op)):
            gone.add(op)
            lost.add(op.outputs[0])
    return gone


def _with_more_entries(
    trimmed: tuple[float, Region],
    pricer: Pricer,
    partitions: Partitions,
    free: list[Operator],
) -> tuple[float, Region]:
    """Brings in further values where that wins more operators than it costs."""
    won, region = trimmed
    if not region.context.allows(ENTRIES):
        return trimmed
    tried: set[frozenset[Tensor]] = set()
    for _ in range(_MORE_ENTRIES):
        better = None
        for tensors in _missing(region, tried):
            tried.add(frozenset(tensors))
            entries = [*region.entries, *tensors]
            grown = grow(region.context.again(), region.stem, entries, free)
            net, part = _trimmed(grown, pricer)
            if net > won and partitions.are_one(part):
                better, won = part, net
        if better is None:
            break
        region = better
    return won, region


def _missing(region: Region, tried: set[frozenset[Tensor]]) -> list[list[Tensor]]:
    """Maps from outside that operators next to the region read: those of each operator."""
    inside = set(region.values())
    missing: dict[frozenset[Tensor], list[Tensor]] = {}
    for op, _ in region.blocked:
        form = form_of(op)
        tensors = [] if form is None else [t for t in form.reads(op) if t not in inside]
        key = frozenset(tensors)
        if not tensors or key in tried:
            continue
        if all(
            is_map(t) and max(t.shape[1:3]) > 1 and not _is_mirrored_in_between(region, t)
            for t in tensors
        ):
            missing[key] = tensors
    return list(missing.values())[:_MORE_ENTRIES]


def _is_mirrored_in_between(region: Region, tensor: Tensor) -> bool:
    """Whether a map that comes out of the region would have to be reversed to get in again.

    XNNPACK has no operator for that, so that the region would be cut in two.
    """
    if not any(region.context.mirrored):
        return False
    graph = region.subgraph
    queue, seen = [tensor], {tensor}
    while queue:
        producer = graph.producer(queue.pop())
        if producer is None:
            continue
        if producer is region.stem or producer in region.context.members:
            return True
        for read in producer.inputs:
            if read is not None and read not in seen:
                seen.add(read)
                queue.append(read)
    return False
