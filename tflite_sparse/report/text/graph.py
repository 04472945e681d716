"""The graph of a model as text: operators in order, what becomes of each, clusters in boxes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.dispositions import DispositionKind, blockers, disposition_kind
from tflite_sparse.report.lanes import lay_out, rails
from tflite_sparse.report.names import MORE, Apart, common_prefix, layer_part, shorten
from tflite_sparse.report.text.headings import heading
from tflite_sparse.words.numbers import count_of, listing, percent, thousands
from tflite_sparse.words.wrapping import wrapped
from tflite_sparse.xnnpack.plan_types import OperatorPlan, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.text import Text

    from tflite_sparse.inspection.graph_edges import GraphOperator
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.runtime_types import TargetGroup
    from tflite_sparse.report.text.headings import Lines
    from tflite_sparse.xnnpack.plan_types import ClusterPlan

__all__ = ["graph_lines"]

_WORDS = {
    DispositionKind.SPARSE: ("sparse", "bold green", "a sparse kernel"),
    DispositionKind.LAYOUT: ("in layout", "green", "between sparse kernels, in their layout"),
    DispositionKind.BLOCKED: (
        "blocked",
        "yellow",
        "could run sparse, but another operator of its cluster cannot",
    ),
    DispositionKind.DENSE: ("dense", "", "a dense kernel of XNNPACK"),
    DispositionKind.OUTSIDE: ("TFLite", "magenta", "XNNPACK does not take it"),
    DispositionKind.VANISHES: ("gone", "dim", "folded, fused or dropped when the model is loaded"),
}
_MARKS = {DispositionKind.VANISHES: "○"}
_BLOCKER = "✗"
_BLOCKER_STYLE = "bold red"
_LANES = 6
_KIND = 17
_FATE = 9
_SHARE = 6


class _Line(msgspec.Struct, frozen=True):
    """What a line says of an operator."""

    operator: OperatorPlan
    kind: DispositionKind
    name: str
    blocks: bool
    cluster: int | None


def graph_lines(inspection: Inspection, operators: Sequence[GraphOperator], width: int) -> Lines:
    """The graph of each subgraph, on the first of the targets that the inspection was asked for.

    Args:
        inspection: the model, with all operators of the runtime.
        operators: who reads whom.
        width: the room for a line.
    """
    from rich.text import Text

    lines: Lines = []
    seen: dict[int, TargetGroup] = {}
    others: dict[int, list[str]] = {}
    for group in inspection.runtime:
        if seen.setdefault(group.subgraph, group) is not group:
            others.setdefault(group.subgraph, []).extend(t.name for t in group.targets)
    for subgraph, group in seen.items():
        wired = {o.index: o for o in operators if o.subgraph == subgraph}
        if lines:
            lines.append(Text())
        lines += _subgraph(group, wired, width)
        if subgraph in others:
            text = f"  otherwise on {listing(others[subgraph])}: --target shows it"
            lines.append(Text(shorten(text, width), "dim"))
    return lines


def _subgraph(group: TargetGroup, wired: Mapping[int, GraphOperator], width: int) -> Lines:
    shown = _shown(group, wired)
    title = f"on {listing([target.name for target in group.targets])}"
    if group.subgraph:
        title = f"subgraph {group.subgraph} {title}"
    lines: Lines = [heading(title, count_of(len(group.operators), "operator"), width)]
    order = [line.operator.index for line in shown]
    rows = lay_out(order, {i: wired[i].sources for i in order}, _LANES)
    lanes = max((max([row.lane, *row.passing, *row.arriving]) for row in rows), default=0) + 1
    first = {obstacle.operators[0]: obstacle.message for obstacle in group.obstacles}
    inside: int | None = None
    told: set[int] = set()
    apart = Apart([line.name for line in shown])
    for line, row in zip(shown, rows, strict=True):
        if line.cluster != inside:
            lines += _border(group, inside, line.cluster, told, width)
            inside = line.cluster
        mark = _BLOCKER if line.blocks else _MARKS.get(line.kind, "●")
        lines.append(_row(line, rails(row, mark, lanes), group.macs, width, apart))
        if line.operator.index in first:
            rail = rails(row.below(), " ", lanes)
            lines += _reason(first[line.operator.index], line.cluster is not None, rail, width)
    lines += _border(group, inside, None, told, width)
    return [*lines, *_legend(shown, width)]


def _shown(group: TargetGroup, wired: Mapping[int, GraphOperator]) -> list[_Line]:
    """The operators to show: those that only unpack weights say nothing of their own."""
    operators = [o for o in group.operators if not wired[o.index].unpacks]
    homes = {o.index: _home(group, o) for o in group.operators}
    names = [
        layer_part(outputs[0].name, o.name) if (outputs := wired[o.index].outputs) else ""
        for o in operators
    ]
    # The few names without a scope are those that the exporter gave to inputs and outputs.
    prefix = common_prefix([name for name in names if "/" in name])
    blocking = blockers(group)
    return [
        _Line(
            operator=o,
            kind=disposition_kind(group, o),
            name=name.removeprefix(prefix).removesuffix(MORE),
            blocks=o.index in blocking and not group.off_by_design,
            cluster=homes.get(o.index if o.fused_into is None else o.fused_into),
        )
        for o, name in zip(operators, names, strict=True)
    ]


def _home(group: TargetGroup, operator: OperatorPlan) -> int | None:
    """The cluster that an operator is drawn in; one without weights has no box."""
    if operator.cluster is None or group.off_by_design:
        return None
    return operator.cluster if group.clusters[operator.cluster].parameters else None


def _row(line: _Line, rail: str, macs: int, width: int, apart: Apart) -> Text:
    from rich.text import Text

    word, style, _ = _WORDS[line.kind]
    if line.operator.kernel is not None and line.operator.kernel > 1:
        word += f" x{line.operator.kernel}"
    if line.operator.fused_into is not None:
        word = f"into {line.operator.fused_into}"
    if line.blocks:
        style = _BLOCKER_STYLE
        word = "blocks"
    share = percent(line.operator.macs, macs) if line.operator.macs else ""
    edge = "│ " if line.cluster is not None else "  "
    kind = shorten(line.operator.name, _KIND)
    taken = len(edge) * 2 + len(rail) + 6 + _KIND + 1 + _SHARE + 1 + _FATE
    room = max(4, width - taken)
    name = apart.short(line.name, room)
    return Text.assemble(
        (edge, "dim"),
        (rail, style),
        (f"{line.operator.index:>5} ", "dim"),
        (f"{kind:<{_KIND}} ", style),
        (f"{name:<{room}}", "" if line.kind is not DispositionKind.VANISHES else "dim"),
        (f"{share:>{_SHARE}} ", "dim"),
        (f"{word:>{_FATE}}", style),
        (edge[::-1].rstrip() and " │", "dim"),
    )


def _border(
    group: TargetGroup, old: int | None, new: int | None, told: set[int], width: int
) -> Lines:
    """The lines between operators of two clusters: the end of one box, the start of another."""
    from rich.text import Text

    lines: Lines = []
    if old is not None:
        lines.append(Text(f"╰{'─' * (width - 2)}╯", "dim"))
    if new is not None:
        title = f"╭─ {_title(group, group.clusters[new], again=new in told)} "
        told.add(new)
        lines.append(Text(f"{shorten(title, width - 2):─<{width - 1}}╮", "dim"))
    return lines


def _title(group: TargetGroup, cluster: ClusterPlan, *, again: bool) -> str:
    if again:
        return f"cluster {cluster.index}, continued"
    zeros = percent(cluster.zeros, cluster.parameters)
    text = f"cluster {cluster.index}: {zeros} of {thousands(cluster.parameters)} weights are zero"
    if cluster.sparse:
        return f"{text}, runs sparse"
    if not cluster.complete:
        return f"{text}, blocked"
    if not cluster.profitable:
        return f"{text}, too few"
    return f"{text}, {'stored dense' if group.elsewhere is Outcome.DENSE else 'fails'}"


def _reason(message: str, boxed: bool, rail: str, width: int) -> Lines:
    """Why an operator blocks, below it."""
    from rich.text import Text

    lead, end = ("│ ", " │") if boxed else ("  ", "")
    room = max(20, width - len(lead) - len(rail) - 6 - 2)
    lines = []
    for row in wrapped(message, room):
        text = f"{rail}{'':6}{row.ljust(room) if boxed else row}"
        lines.append(Text.assemble((lead, "dim"), (text, "red"), (end, "dim")))
    return lines


def _legend(shown: Sequence[_Line], width: int) -> Lines:
    """What the words mean that occur, and how often."""
    from rich.text import Text

    counts = Counter(line.kind for line in shown)
    lines = []
    for kind, (word, style, meaning) in _WORDS.items():
        if counts[kind]:
            row = f"  {counts[kind]:>5} {word:<9}  {meaning}"
            lines.append(Text(shorten(row, width), style))
    blocking = sum(line.blocks for line in shown)
    if blocking:
        row = f"  {blocking:>5} {_BLOCKER + ' blocks':<9}  keeps its neighbours out of the layout"
        lines.append(Text(shorten(row, width), _BLOCKER_STYLE))
    return lines
