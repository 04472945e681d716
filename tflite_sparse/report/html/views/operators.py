"""The operators of a graph as a list with its edges beside it, clusters outlined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.html.dispositions import DISPOSITIONS
from tflite_sparse.report.html.svg.element import Svg, svg_number
from tflite_sparse.report.html.svg.lanes import lanes, lanes_of
from tflite_sparse.report.lanes import Row, lay_out
from tflite_sparse.report.names import labels, layer_part
from tflite_sparse.words.numbers import percent

if TYPE_CHECKING:
    from tflite_sparse.inspection.graph_edges import GraphOperator
    from tflite_sparse.report.html.subject import PageModel, Seen

__all__ = ["OperatorGroup", "OperatorList", "OperatorRow", "operator_list"]

_FEWEST_LANES = 2
# Characters that a name has room for beside the fewest lanes: beside the chosen operator, and on a
# phone; a further lane takes some of them.
_ROOM, _ROOM_ON_PHONES = 28, 16
_LANE, _LANE_ON_PHONES = 2, 1
_LEAST_ROOM = 8
_WORK_WIDTH = 60


class OperatorRow(msgspec.Struct, frozen=True):
    """An operator.

    Attributes:
        place: its position in the file.
        classes: classes of its row: its disposition, and the outline of its cluster.
        lanes: the edges beside it; None for one that only unpacks weights.
        index: its index in its subgraph.
        kind: its kind.
        name: what it makes, in the room that there is.
        short: the same on a phone.
        zeros: share of zeros in its weights; "" where it has none.
        work: width of the bar of its work; None for none.
        disposition: what becomes of it.
    """

    place: int
    classes: str
    lanes: Svg | None
    index: int
    kind: str
    name: str
    short: str
    zeros: str
    work: str | None
    disposition: str


class OperatorGroup(msgspec.Struct, frozen=True):
    """The operators of a subgraph.

    Attributes:
        title: what the subgraph is called; None where it is the only one.
        rows: its operators.
    """

    title: str | None
    rows: tuple[OperatorRow, ...]


class OperatorList(msgspec.Struct, frozen=True):
    """The operators of a model.

    Attributes:
        lanes: how many lanes the widest row takes.
        groups: the operators by subgraph.
    """

    lanes: int
    groups: tuple[OperatorGroup, ...]


def operator_list(model: PageModel, seen: Seen) -> OperatorList:
    """The operators, a row each.

    Args:
        model: the model.
        seen: how it is seen.
    """
    subgraphs: dict[int, list[int]] = {}
    for place, op in enumerate(model.operators):
        subgraphs.setdefault(op.subgraph, []).append(place)
    lane_rows: dict[int, Row] = {}
    for places in subgraphs.values():
        lane_rows |= _laid_out(model, places)
    most_work = max((op.macs for op in model.operators), default=0)
    widest = max([_FEWEST_LANES, *(lanes_of(row) for row in lane_rows.values())])
    more = widest - _FEWEST_LANES
    _, names = labels(
        [_output(op) for op in model.operators],
        max(_LEAST_ROOM, _ROOM - _LANE * more),
        max(_LEAST_ROOM, _ROOM_ON_PHONES - _LANE_ON_PHONES * more),
    )
    titles = {s.index: f" {s.name}" for s in model.inspection.file.subgraphs}
    return OperatorList(
        widest,
        tuple(
            OperatorGroup(
                f"subgraph {index}{titles.get(index, '')}".rstrip() if len(subgraphs) > 1 else None,
                tuple(
                    _row(model, seen, place, lane_rows.get(place), most_work, names[place])
                    for place in places
                ),
            )
            for index, places in subgraphs.items()
        ),
    )


def _laid_out(model: PageModel, places: list[int]) -> dict[int, Row]:
    order = [place for place in places if not model.operators[place].unpacks]
    sources = {
        place: [
            model.positions[model.operators[place].subgraph, source]
            for source in model.operators[place].sources
        ]
        for place in order
    }
    return dict(zip(order, lay_out(order, sources), strict=True))


def _row(
    model: PageModel,
    seen: Seen,
    place: int,
    row: Row | None,
    most_work: int,
    names: tuple[str, ...],
) -> OperatorRow:
    op, kind = model.operators[place], seen.dispositions[place]
    classes = ["op", f"f-{kind.value}"]
    if place in seen.blockers:
        classes.append("blocker")
    if row is None:
        classes.append("unpacks")
    classes += _outline(model, seen, place)
    weight = next(iter(model.weights_of.get(place, ())), None)
    zeros = ""
    if weight is not None:
        facts = model.inspection.weights[weight]
        zeros = "" if facts.zeros is None else percent(facts.zeros, facts.elements)
    return OperatorRow(
        place=place,
        classes=" ".join(classes),
        lanes=None if row is None else lanes(row, kind),
        index=op.index,
        kind=op.name,
        name=names[0],
        short=names[1],
        zeros=zeros,
        work=svg_number(_WORK_WIDTH * op.macs / most_work) if most_work and op.macs else None,
        disposition=DISPOSITIONS[kind][0],
    )


def _outline(model: PageModel, seen: Seen, place: int) -> list[str]:
    """The classes that draw the outline of a cluster around rows that follow each other."""
    cluster = seen.clusters[place]
    if cluster is None:
        return []

    def same(step: int) -> bool:
        other = place + step
        while 0 <= other < len(seen.clusters) and model.operators[other].unpacks:
            other += step
        return 0 <= other < len(seen.clusters) and seen.clusters[other] == cluster

    inside = ["in", "on" if seen.cluster_list[cluster].sparse else "off"]
    return inside + [edge for edge, step in (("top", -1), ("end", 1)) if not same(step)]


def _output(op: GraphOperator) -> str:
    return layer_part(op.outputs[0].name, op.name) if op.outputs else ""
