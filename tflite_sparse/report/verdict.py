"""What the runtime will do with a model, in words; what stands in the way, nearest first."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.records import Record
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import count_of, listing, percent, thousands
from tflite_sparse.xnnpack.plan_types import Disposition, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.inspection.runtime_types import Obstacle, TargetGroup
    from tflite_sparse.report.text.headings import Lines
    from tflite_sparse.xnnpack.plan_types import ClusterPlan, OperatorPlan

__all__ = ["VerdictWords", "cluster_lines", "explain_lines", "verdict_lines", "verdicts"]

_MOST_CLUSTERS = 5
_SMALL_CLUSTER = 0.01
_NARROW = 76
_MOST_POINTS = 8

# Rules by which an operator fails because of a neighbour that fails.
_CONSEQUENCES = frozenset({"cluster-producer", "cluster-consumer"})

# What does a change for the user.
_COMMANDS = {"hint-none": " ('tflite-sparse sparsify' does this)"}

_WAY_OUT = "'tflite-sparse densify' stores the weights dense again, which runs right everywhere"

_HEADLINES = {
    Outcome.SPARSE: ("Runs sparse", "bold green"),
    Outcome.DENSE: ("Runs dense", "bold yellow"),
    Outcome.WRONG_NUMBERS: ("Computes wrong numbers", "bold red"),
    Outcome.LOAD_FAILURE: ("Does not load", "bold red"),
    Outcome.PROCESS_ABORT: ("Aborts the process", "bold red"),
}


class VerdictWords(Record, frozen=True):
    """The verdict on targets that are alike.

    Attributes:
        outcome: what comes of running the model.
        headline: the outcome in words, such as "Runs sparse".
        text: how the sentence goes on, to its full stop; it begins with a blank.
        lead: what the points are; "" where they need no heading.
        points: what goes wrong, or what stands in the way.
        off_by_design: whether nothing ever runs sparse on these targets.
    """

    outcome: Outcome
    headline: str
    text: str
    lead: str
    points: tuple[str, ...]
    off_by_design: bool


def verdict_lines(groups: Sequence[TargetGroup], width: int) -> Lines:
    """The verdict on each group of targets: outcome, share, obstacles and remedies.

    Args:
        groups: what the runtime does, on targets that are alike.
        width: the room for a line.
    """
    lines: Lines = []
    for group in _told(groups):
        lines += _group(group, width)
    return lines


def verdicts(groups: Sequence[TargetGroup]) -> list[VerdictWords]:
    """The verdict on each group of targets in words, for reports that lay them out themselves.

    Args:
        groups: what the runtime does, on targets that are alike.
    """
    return [
        VerdictWords(
            outcome=group.outcome,
            headline=_HEADLINES[group.outcome][0],
            text=f"{_where(group)}{_share(group)}{_off_by_design(group)}.",
            lead=_lead(group),
            points=tuple(_todo(group)),
            off_by_design=group.off_by_design,
        )
        for group in _told(groups)
    ]


def _told(groups: Sequence[TargetGroup]) -> list[TargetGroup]:
    """The groups that have something to tell, those together that say the same."""
    told: list[TargetGroup] = []
    for group in groups:
        # Subgraphs of control flow without a convolution have nothing to tell.
        if group.subgraph and not group.pointwise and not group.reasons:
            continue
        same = next((other for other in told if _says_the_same(group, other)), None)
        if same is None:
            told.append(group)
        else:
            together = (*same.targets, *group.targets)
            told[told.index(same)] = msgspec.structs.replace(same, targets=together)
    return told


def _says_the_same(one: TargetGroup, other: TargetGroup) -> bool:
    return (
        one.subgraph == other.subgraph
        and one.outcome == other.outcome
        and (_share(one), _off_by_design(one), _todo(one))
        == (_share(other), _off_by_design(other), _todo(other))
    )


def _group(group: TargetGroup, width: int) -> Lines:
    words, style = _HEADLINES[group.outcome]
    text = _where(group) + _share(group) + _off_by_design(group)
    lines = _paragraph(words, text, width, style)
    return lines + _points(_lead(group), _todo(group), width)


def _where(group: TargetGroup) -> str:
    where = f" on {listing([target.name for target in group.targets])}"
    return f" in subgraph {group.subgraph}{where}" if group.subgraph else where


def _lead(group: TargetGroup) -> str:
    return "In the way, from the input on:" if group.outcome is Outcome.DENSE else ""


def _todo(group: TargetGroup) -> list[str]:
    """What goes wrong, or what stands in the way and what to do about it."""
    if group.outcome is Outcome.SPARSE:
        return []
    if group.outcome is not Outcome.DENSE:
        return [*(reason.message for reason in group.reasons), _WAY_OUT]
    if _off_by_design(group) or not group.pointwise:
        return []
    # What the obstacles say already is not said twice.
    told = {obstacle.rule for obstacle in group.obstacles}
    return [
        *_obstacles(group.obstacles),
        *(
            change.message + _COMMANDS.get(change.rule, "")
            for change in group.changes
            if change.rule not in told and not (told and change.rule in _CONSEQUENCES)
        ),
    ]


def _share(group: TargetGroup) -> str:
    if group.outcome is Outcome.SPARSE:
        return (
            f": {group.sparse_pointwise} of"
            f" {count_of(group.pointwise, '1x1 convolution')},"
            f" {percent(group.sparse_macs, group.macs)} of the multiply-adds{_gains(group)}"
        )
    if group.outcome is Outcome.DENSE and not group.pointwise:
        return ": it has no 1x1 convolution that could run sparse"
    return ""


def _gains(group: TargetGroup) -> str:
    gains = [
        f"{target.estimate.gain:.1f} times as fast as dense on {target.name}"
        for target in group.targets
        if target.estimate is not None
    ]
    return f"; an estimated {listing(gains)}" if gains else ""


def _off_by_design(group: TargetGroup) -> str:
    if group.pointwise and group.off_by_design:
        return f"; {group.targets[0].note}"
    return ""


def _obstacles(obstacles: Sequence[Obstacle]) -> list[str]:
    points = []
    for obstacle in obstacles:
        others = len(obstacle.operators) - 1
        more = f"; the same rule stops {count_of(others, 'other operator')}" if others else ""
        points.append(obstacle.message + more)
    return points


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
        (Column("zeros", right=True, style="bold"), lambda c: percent(c.zeros, c.parameters, "")),
        (Column("against 2/3", right=True), lambda c: _margin(c.margin)),
        (Column("runs", gives_way=True), _state),
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
        if not operators or (shown is not group and _off_by_design(group)):
            continue
        lines += [Text(), Text(title, "bold")] if lines else [Text(title, "bold")]
        for operator in operators:
            lines += _explained(group, operator, width)
    return lines


def _explained(group: TargetGroup, operator: OperatorPlan, width: int) -> Lines:
    from rich.text import Text

    lines: Lines = [Text.assemble((f"{operator.index:>5}  ", "dim"), (operator.label, "bold"))]
    for label, text in _stages(group, operator):
        wrapped = textwrap.wrap(text, max(20, width - 17), break_on_hyphens=False)
        lines += [
            Text.assemble((f"       {'' if number else label:<10}", "dim"), row)
            for number, row in enumerate(wrapped)
        ]
    return lines


def _stages(group: TargetGroup, operator: OperatorPlan) -> list[tuple[str, str]]:
    if not operator.delegated:
        why = operator.refusal.message if operator.refusal else "left to TFLite"
        return [("delegate", f"not taken by XNNPACK: {why}")]
    stages = [("delegate", f"taken by XNNPACK, partition {operator.partition}")]
    stages += [("define", step.summary) for step in operator.steps]
    if operator.disposition is Disposition.FUSED:
        stages.append(("fuse", f"vanishes in operator {operator.fused_into}"))
    elif operator.disposition is Disposition.DROPPED:
        stages.append(("define", "dropped at load time"))
    if operator.disposition is Disposition.EXECUTED:
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


def _paragraph(lead: str, text: str, width: int, style: str) -> Lines:
    from rich.text import Text

    rows = textwrap.wrap(
        f"{lead}{text}.",
        max(20, width - 2),
        subsequent_indent="  ",
        break_on_hyphens=False,
    )
    return [
        Text.assemble("  ", (row[: len(lead)], style), row[len(lead) :])
        if number == 0
        else Text(f"  {row}")
        for number, row in enumerate(rows)
    ]


def _points(lead: str, points: Sequence[str], width: int) -> Lines:
    from rich.text import Text

    if not points:
        return []
    lines: Lines = [Text(f"    {lead}", "dim")] if lead else []
    for point in points[:_MOST_POINTS]:
        rows = textwrap.wrap(point, max(20, width - 6), break_on_hyphens=False)
        lines += [
            Text(("    - " if number == 0 else "      ") + row) for number, row in enumerate(rows)
        ]
    if len(points) > _MOST_POINTS:
        lines.append(Text(f"      and {len(points) - _MOST_POINTS} more", "dim"))
    return lines
