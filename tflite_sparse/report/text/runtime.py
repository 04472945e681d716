"""What the runtime will do with a model, as text: the verdict, the clusters, every stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.text.table import Column, table
from tflite_sparse.report.verdict import older_verdicts, verdicts
from tflite_sparse.words.numbers import count_of, listing, percent, thousands
from tflite_sparse.words.wrapping import wrapped
from tflite_sparse.xnnpack.plan_types import Disposition, Outcome
from tflite_sparse.xnnpack.releases.runtimes import YNNPACK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.inspection.runtime_types import OlderRelease, TargetGroup
    from tflite_sparse.report.text.headings import Lines
    from tflite_sparse.xnnpack.plan_types import ClusterPlan, OperatorPlan

__all__ = ["cluster_lines", "explain_lines", "older_lines", "short_verdict_lines", "verdict_lines"]

_MOST_CLUSTERS = 5
_SMALL_CLUSTER = 0.01
_NARROW = 76
_MOST_POINTS = 8
_FEW_POINTS = 4

_STYLES = {
    Outcome.SPARSE: "bold green",
    Outcome.DENSE: "bold yellow",
    Outcome.WRONG_NUMBERS: "bold red",
    Outcome.LOAD_FAILURE: "bold red",
    Outcome.PROCESS_ABORT: "bold red",
    Outcome.OUTPUT_SHAPE: "bold red",
}


def verdict_lines(groups: Sequence[TargetGroup], width: int) -> Lines:
    """The verdict on each group of targets: outcome, share, obstacles and remedies.

    Args:
        groups: what the runtime does, on targets that are alike.
        width: the room for a line.
    """
    lines: Lines = []
    for words in verdicts(groups):
        lines += _paragraph(words.headline, words.text, width, _STYLES[words.outcome])
        lines += _points(words.lead, words.points, width)
    return lines


def short_verdict_lines(groups: Sequence[TargetGroup], width: int) -> Lines:
    """The verdict, with what prevents sparse inference once, where it is told first.

    Args:
        groups: what the runtime does, on targets that are alike.
        width: the room for a line.
    """
    lines: Lines = []
    worded = verdicts(groups)
    # What keeps a few targets dense is a matter of --weights where others run sparse.
    told = any(words.outcome is Outcome.SPARSE for words in worded)
    for words in worded:
        lines += _paragraph(words.headline, words.text, width, _STYLES[words.outcome])
        dense = words.outcome is Outcome.DENSE
        if not (dense and told):
            lines += _points(words.lead, words.points, width, _FEW_POINTS if dense else 0)
            told |= dense and bool(words.points)
    return lines


def older_lines(older: Sequence[OlderRelease], width: int) -> Lines:
    """What releases of the runtime that are still in use do otherwise, a sentence each.

    Args:
        older: where they do worse than the newest.
        width: the room for a line.
    """
    return [
        line
        for words in older_verdicts(older)
        for line in _paragraph(words.headline, words.text, width, _STYLES[words.outcome])
    ]


def _paragraph(lead: str, text: str, width: int, style: str) -> Lines:
    from rich.text import Text

    rows = wrapped(
        f"{lead}{text}",
        max(20, width - 2),
        rest="  ",
    )
    return [
        Text.assemble("  ", (row[: len(lead)], style), row[len(lead) :])
        if number == 0
        else Text(f"  {row}")
        for number, row in enumerate(rows)
    ]


def _points(lead: str, points: Sequence[str], width: int, most: int = _MOST_POINTS) -> Lines:
    from rich.text import Text

    if not points:
        return []
    lines: Lines = [Text(f"    {lead}", "dim")] if lead else []
    for point in points[: most or None]:
        rows = wrapped(point, max(20, width - 6))
        lines += [
            Text(("    - " if number == 0 else "      ") + row) for number, row in enumerate(rows)
        ]
    if most and len(points) > most:
        lines.append(Text(f"      and {len(points) - most} more", "dim"))
    return lines


def cluster_lines(clusters: Sequence[ClusterPlan], width: int) -> Lines:
    """A table of the largest clusters: their members, their zeros, and how many more they need.

    Args:
        clusters: the clusters of a subgraph.
        width: the room for a line.
    """
    from rich.text import Text

    counted = sorted(
        (cluster for cluster in clusters if cluster.parameters),
        key=lambda cluster: (-cluster.sparse, -cluster.parameters),
    )
    if not counted:
        return []
    whole = sum(cluster.parameters for cluster in counted)
    shown = [c for c in counted if c.sparse or c.parameters >= _SMALL_CLUSTER * whole]
    shown = shown[:_MOST_CLUSTERS]
    cells: list[tuple[Column, Callable[[ClusterPlan], str]]] = [
        (Column("cluster", right=True, style="dim"), lambda c: str(c.index)),
        (Column("operators", right=True), lambda c: str(len(c.members))),
        (Column("filters", right=True), lambda c: str(len(c.filters))),
        (Column("weights", right=True), lambda c: thousands(c.parameters)),
        (Column("zeros", right=True, style="bold"), lambda c: percent(c.zeros, c.parameters)),
        (Column("against 2/3", right=True), lambda c: _margin(c.margin)),
        (Column("runs", gives_way=True, wraps=True), _state),
    ]
    if width < _NARROW:
        cells = [cell for cell in cells if cell[0].title not in {"operators", "filters"}]
    columns = [column for column, _ in cells]
    rows = [[text(cluster) for _, text in cells] for cluster in shown]
    lines = table(columns, rows, width)
    if len(counted) > len(shown):
        rest = count_of(len(counted) - len(shown), "smaller cluster")
        lines.append(Text(f"  and {rest}", "dim"))
    return lines


def _margin(margin: int) -> str:
    return f"{thousands(margin)} short" if margin > 0 else f"{thousands(-margin)} to spare"


def _state(cluster: ClusterPlan) -> str:
    if cluster.sparse:
        return "sparse"
    if not cluster.complete:
        return "dense, blocked"
    return "dense, too few zeros" if not cluster.profitable else "dense"


def explain_lines(groups: Sequence[TargetGroup], width: int) -> Lines:
    """Every stage of the runtime for each operator, on further targets only where it differs.

    Targets without a sparse path are left out where there are others: all is dense there.

    Args:
        groups: what the runtime does, on targets that are alike.
        width: the room for a line.
    """
    from rich.text import Text

    lines: Lines = []
    first: dict[int, TargetGroup] = {}
    for group in groups:
        shown = first.setdefault(group.subgraph, group)
        operators = group.operators
        title = f"{group.runtime} on {listing([target.name for target in group.targets])}"
        if group.subgraph:
            title += f", subgraph {group.subgraph}"
        if shown is not group:
            operators = tuple(o for o in operators if o not in shown.operators)
            title += ", where it differs"
        if not operators or (shown is not group and group.pointwise and group.off_by_design):
            continue
        lines += [Text(), Text(title, "bold")] if lines else [Text(title, "bold")]
        for operator in operators:
            lines += _explained(group, operator, width)
    return lines


def _explained(group: TargetGroup, operator: OperatorPlan, width: int) -> Lines:
    from rich.text import Text

    lines: Lines = [Text.assemble((f"{operator.index:>5}  ", "dim"), (operator.label, "bold"))]
    for label, text in _stages(group, operator):
        rows = wrapped(text, max(20, width - 17))
        lines += [
            Text.assemble((f"       {'' if number else label:<10}", "dim"), row)
            for number, row in enumerate(rows)
        ]
    return lines


def _stages(group: TargetGroup, operator: OperatorPlan) -> list[tuple[str, str]]:
    other = group.runtime == YNNPACK.name
    if not operator.delegated:
        why = operator.refusal.message if operator.refusal else "left to TFLite"
        return [("delegate", f"not taken by {'YNNPACK' if other else 'XNNPACK'}: {why}")]
    who = "YNNPACK, else by XNNPACK" if other else "XNNPACK"
    stages = [("delegate", f"taken by {who}, partition {operator.partition}")]
    stages += [("define", step.summary) for step in operator.steps]
    if operator.disposition is Disposition.FUSED:
        stages.append(("fuse", f"vanishes in operator {operator.fused_into}"))
    elif operator.disposition is Disposition.DROPPED:
        stages.append(("define", "dropped at load time"))
    if operator.disposition is Disposition.EXECUTED and not other:
        refusal = operator.role_refusal
        role = f"none: {refusal.message}" if refusal else operator.role.value
        stages.append(("role", role))
        if operator.cluster is not None:
            cluster = group.clusters[operator.cluster]
            stages.append(("cluster", f"{cluster.index}, {_state(cluster)}"))
        stages.append(("runs", ", ".join(operator.executed)))
        if operator.kernel is not None:
            stages.append(("kernel", f"sparse, {count_of(operator.kernel, 'channel')} at a time"))
    return stages
