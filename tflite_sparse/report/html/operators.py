"""The operators of a graph as a list with its wiring beside it, clusters outlined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.html.dispositions import FATES
from tflite_sparse.report.html.lanes import HEIGHT, LANE, lane_x, lanes_of, row_path
from tflite_sparse.report.html.markup import Markup, el, join, svg_number
from tflite_sparse.report.lanes import Row, lay_out
from tflite_sparse.report.names import common_prefix, layer_part
from tflite_sparse.words.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.dispositions import DispositionKind
    from tflite_sparse.inspection.graph_edges import GraphOperator
    from tflite_sparse.report.html.subject import PageModel, Seen

__all__ = ["operator_list"]

_FEWEST_LANES = 2


def operator_list(model: PageModel, seen: Seen, number: int) -> Markup:
    """The operators, a row each.

    Args:
        model: the model.
        seen: how it is seen.
        number: its position on the page.
    """
    rows: dict[int, Row] = {}
    for places in _by_subgraph(model).values():
        rows |= _laid_out(model, places)
    lanes = max([_FEWEST_LANES, *(lanes_of(row) for row in rows.values())])
    titles = ("", "#", "operator", "what it makes", "zeros", "work", "fate")
    return join(
        el(
            "div",
            [el("span", title) for title in titles],
            class_=f"op heads l{lanes}",
            aria_hidden="true",
        ),
        el(
            "ul",
            list(_rows(model, seen, number, rows)),
            class_=f"ops l{lanes}",
            role="listbox",
            tabindex=0,
            aria_label=f"Operators of {model.name} in their order",
        ),
    )


def _by_subgraph(model: PageModel) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for place, op in enumerate(model.operators):
        found.setdefault(op.subgraph, []).append(place)
    return found


def _rows(model: PageModel, seen: Seen, number: int, rows: dict[int, Row]) -> Iterator[Markup]:
    most = max((op.macs for op in model.operators), default=0)
    subgraphs = _by_subgraph(model)
    titles = {s.index: s.name for s in model.inspection.file.subgraphs}
    names = [_output(op) for op in model.operators]
    # Inputs and outputs of the model often have names of their own.
    prefix = common_prefix([name for name in names if "/" in name])
    for index, places in subgraphs.items():
        if len(subgraphs) > 1:
            title = f"subgraph {index} {titles.get(index, '')}".rstrip()
            yield el("li", title, class_="sub", role="presentation")
        for place in places:
            yield _row(
                model, seen, number, place, rows.get(place), most, names[place].removeprefix(prefix)
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
    model: PageModel, seen: Seen, number: int, place: int, row: Row | None, most: int, name: str
) -> Markup:
    op, kind = model.operators[place], seen.fates[place]
    classes = ["op", f"f-{kind.value}"]
    if place in seen.blockers:
        classes.append("blocker")
    if row is None:
        classes.append("unpacks")
    classes += _outline(seen, place, model)
    weight = next(iter(model.weights_of.get(place, ())), None)
    zeros = ""
    if weight is not None:
        facts = model.inspection.weights[weight]
        zeros = "" if facts.zeros is None else percent(facts.zeros, facts.elements, "")
    width = svg_number(60 * op.macs / most) if most and op.macs else None
    return el(
        "li",
        _lanes(row, kind),
        el("span", str(op.index), class_="ix"),
        el("span", op.name, class_="kind"),
        el("span", name, class_="nm"),
        el("span", zeros, class_="z"),
        el("svg", el("rect", width=width, height=8) if width else None, class_="macs"),
        el("span", FATES[kind][0], class_="fate"),
        class_=" ".join(classes),
        role="option",
        id=f"m{number}o{place}",
        aria_selected="false",
    )


def _outline(seen: Seen, place: int, model: PageModel) -> list[str]:
    """The classes that draw the outline of a cluster around rows that follow each other."""
    cluster = seen.clusters[place]
    if cluster is None:
        return []

    def same(step: int) -> bool:
        other = place + step
        while 0 <= other < len(seen.clusters) and model.operators[other].unpacks:
            other += step
        return 0 <= other < len(seen.clusters) and seen.clusters[other] == cluster

    found = ["in", "on" if seen.cluster_list[cluster].sparse else "off"]
    return found + [name for name, step in (("top", -1), ("end", 1)) if not same(step)]


def _lanes(row: Row | None, kind: DispositionKind) -> Markup:
    if row is None:
        return el("svg", class_="lane")
    use = el("use", href=f"#n-{kind.value}", x=lane_x(row.lane), y=HEIGHT // 2)
    return el("svg", el("path", d=row_path(row)), use, class_="lane", width=lanes_of(row) * LANE)


def _output(op: GraphOperator) -> str:
    return layer_part(op.outputs[0].name, op.name) if op.outputs else ""
