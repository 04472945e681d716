"""Finds the region that wins most: where it begins, how its maps lie, and where it ends."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.common import Context, is_map
from tflite_sparse.rewrite.adapt.passes.windows import is_pointwise
from tflite_sparse.rewrite.adapt.regions.forms import form_of
from tflite_sparse.rewrite.adapt.regions.price import Pricer, is_read_outside
from tflite_sparse.rewrite.adapt.regions.region import Region, grow, readers_of, stem_refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.editor import Editor

__all__ = ["find_regions", "nearest_obstacles"]

_FLIPS = tuple((rows, columns) for rows, columns in product((False, True), repeat=2))
_BEGINNINGS = 6
_CUTS = 48
_MORE_ENTRIES = 8
_REGIONS = 4


def find_regions(editor: Editor, passes: frozenset[str], pricer: Pricer) -> list[Region]:
    """The regions of a subgraph that win time by the prices, each of them as large as pays."""
    found: list[Region] = []
    taken: set[int] = set()
    while len(found) < _REGIONS:
        region = _best_region(editor, passes, pricer, taken)
        if region is None:
            break
        found.append(region)
        taken |= region.context.members | {id(region.stem)}
    return found


def nearest_obstacles(editor: Editor, passes: frozenset[str]) -> list[tuple[Operator, str]]:
    """What stands in the way of the largest region that there could be, nearest first.

    Where most 1x1 convolutions would be in it, that is the price of getting maps in and out.
    """
    operators = editor.subgraph.operators
    regions = _beginnings(editor, passes, operators)
    largest = max(regions, key=lambda region: len(region.members), default=None)
    if largest is None:
        return []
    inside = [op for op in largest.members if op.name == "CONV_2D" and is_pointwise(op)]
    total = sum(op.name == "CONV_2D" and is_pointwise(op) for op in operators)
    if len(inside) * 2 <= total:
        return largest.blocked
    price = (
        f"begins a part of which {len(inside)} of {total} 1x1 convolutions could run sparse,"
        " but bringing maps in and out and respelling operators would cost more than that wins"
    )
    return [(largest.stem or largest.members[0], price), *largest.blocked]


def _best_region(
    editor: Editor, passes: frozenset[str], pricer: Pricer, taken: set[int]
) -> Region | None:
    free = [op for op in editor.subgraph.operators if id(op) not in taken]
    best: tuple[float, Region] | None = None
    for region in _beginnings(editor, passes, free):
        if region.members:
            found = _with_more_entries(_trimmed(region, pricer), pricer, free)
            if best is None or found[0] > best[0]:
                best = found
    return best[1] if best is not None and best[0] > 0 else None


def _beginnings(editor: Editor, passes: frozenset[str], free: list[Operator]) -> Iterator[Region]:
    """Whole regions from every place where one may begin."""
    flips = [flip for flip in _FLIPS if "flip" in passes or not any(flip)]
    stems = 0
    for op in free:
        if op.name != "CONV_2D" or is_pointwise(op) or stems == _BEGINNINGS:
            continue
        fitting = [flip for flip in flips if stem_refusal(op, flip) is None]
        stems += bool(fitting)
        for flip in fitting:
            yield grow(Context(editor, flip, passes), op, [], free)
    if "entries" in passes:
        for tensor in _doors(free)[:_BEGINNINGS]:
            for flip in flips:
                yield grow(Context(editor, flip, passes), None, [tensor], free)


def _doors(free: list[Operator]) -> list[Tensor]:
    """Maps that operators without a sparse form hand to operators with one."""
    found = []
    for op in free:
        if not op.outputs or not is_map(op.outputs[0]):
            continue
        result = op.outputs[0]
        if max(result.shape[1:3]) == 1 or form_of(op) is not None:
            continue
        if any(form_of(reader) is not None for reader in readers_of(result)):
            found.append(result)
    return found


def _trimmed(region: Region, pricer: Pricer) -> tuple[float, Region]:
    """The part of a region that wins most, ends cut off that cost more than they win."""
    best, won = region, pricer.net(region)
    while True:
        better = None
        for op in _cuts(best):
            gone = _after(best, op)
            if len(gone) == len(best.members):
                continue
            part = best.limit(m for m in best.members if id(m) not in gone)
            net = pricer.net(part)
            if net > won:
                better, won = part, net
        if better is None:
            return won, best
        best = better


def _cuts(region: Region) -> list[Operator]:
    """Operators at which a region may be cut: those from which values leave it."""
    leaving = {id(tensor) for tensor in region.computed() if is_read_outside(tensor, region)}
    if not leaving:
        return []
    feeding: set[int] = set()
    found = []
    for op in reversed(region.members):
        result = op.outputs[0]
        inside = [r for r in readers_of(result) if id(r) in region.context.members]
        if id(result) in leaving or any(id(r) in feeding for r in inside):
            feeding.add(id(op))
            found.append(op)
    step = max(1, -(-len(found) // _CUTS))
    near, far = found[: _CUTS // 2], found[_CUTS // 2 :: step]
    return near + far


def _after(region: Region, operator: Operator) -> set[int]:
    """An operator and all members that depend on it."""
    gone = {id(operator)}
    lost = {id(operator.outputs[0])}
    for op in region.members:
        form = form_of(op)
        if form is not None and any(id(tensor) in lost for tensor in form.reads(op)):
            gone.add(id(op))
            lost.add(id(op.outputs[0]))
    return gone


def _with_more_entries(
    found: tuple[float, Region], pricer: Pricer, free: list[Operator]
) -> tuple[float, Region]:
    """Brings in further values where that wins more operators than it costs."""
    won, region = found
    if not region.context.allows("entries"):
        return found
    tried: set[int] = set()
    for _ in range(_MORE_ENTRIES):
        better = None
        for tensor in _missing(region, tried):
            tried.add(id(tensor))
            context = Context(region.context.editor, region.context.flip, region.context.passes)
            grown = grow(context, region.stem, [*region.entries, tensor], free)
            net, part = _trimmed(grown, pricer)
            if net > won:
                better, won = part, net
        if better is None:
            break
        region = better
    return won, region


def _missing(region: Region, tried: set[int]) -> list[Tensor]:
    inside = {id(tensor) for tensor in region.values()}
    found: dict[int, Tensor] = {}
    for op, _ in region.blocked:
        form = form_of(op)
        for tensor in [] if form is None else form.reads(op):
            spatial = is_map(tensor) and max(tensor.shape[1:3]) > 1
            known = id(tensor) in inside or id(tensor) in tried
            if spatial and not known and not _turned_in_between(region, tensor):
                found[id(tensor)] = tensor
    return list(found.values())[:_MORE_ENTRIES]


def _turned_in_between(region: Region, tensor: Tensor) -> bool:
    """Whether a map that comes out of the region would have to be reversed to get in again.

    XNNPACK has no operator for that, so that the region would be cut in two.
    """
    if not any(region.context.flip):
        return False
    graph = region.subgraph
    queue, seen = [tensor], {id(tensor)}
    while queue:
        producer = graph.producer(queue.pop())
        if producer is None:
            continue
        if producer is region.stem or id(producer) in region.context.members:
            return True
        for read in producer.inputs:
            if read is not None and id(read) not in seen:
                seen.add(id(read))
                queue.append(read)
    return False
