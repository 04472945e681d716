"""3xx: operators and values that keep a pruned model from running sparse.

Nothing of this is of interest for a model that nobody has pruned; see `Subject.pruned`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.lint.finding import Hit, Severity, Spot
from tflite_sparse.lint.rule import rule
from tflite_sparse.words.numbers import same_problem
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.runtime_types import TargetGroup
    from tflite_sparse.lint.finding import Spot as SpotType
    from tflite_sparse.lint.rule import Rule
    from tflite_sparse.lint.subject import Subject
    from tflite_sparse.model import Operator

__all__ = ["OPTIMIZE", "WHY", "changes", "lacks_zeros"]

OPTIMIZE = "tflite-sparse optimize MODEL -o OUT"
"""The command for most of these."""

WHY = "All 1x1 convolutions of the part that it belongs to run dense, however many zeros they have."


_TOO_FEW_ZEROS = "profit-zeros"
_PRUNE_FIRST = (
    "Prune further first, see TFS308: without enough zeros no change to the graph makes it run"
    " sparse, and tflite-sparse optimize leaves the graph as it is."
)
_WIDE = (
    "tflite-sparse optimize makes a sum of 1x1 convolutions of it, which run sparse, where its"
    " zeros win more than that costs."
)
_GETS_BY = (
    "tflite-sparse optimize makes the model run sparse all the same, without a change to what it"
    " computes."
)


def lacks_zeros(group: TargetGroup) -> bool:
    """Whether too few weights are zero for anything to run sparse, whatever else is changed."""
    return any(change.rule == _TOO_FEW_ZEROS for change in group.changes)


def _fix(
    subject: Subject, subgraph: int, targets: list[str], operator: Operator | None = None
) -> str | None:
    """What to do first where zeros are missing, or sparse kernels; None where neither is."""
    groups = [
        group
        for group in subject.runs(Outcome.DENSE)
        if group.subgraph == subgraph and any(target.name in targets for target in group.targets)
    ]
    wide = {index for group in groups for index in group.wide}
    if operator is not None and operator.index in wide:
        return _WIDE
    return _PRUNE_FIRST if groups and all(map(lacks_zeros, groups)) else None


def _obstacles(subject: Subject, rule: Rule) -> Iterator[Hit]:
    """A hit for each obstacle that a rule reports, at the first operator in the way."""
    if not subject.pruned:
        return
    merged: dict[tuple[int, tuple[int, ...], str], list[str]] = {}
    for group in subject.runs(Outcome.DENSE):
        for obstacle in group.obstacles:
            if obstacle.operators and rule.reports(obstacle.rule):
                key = (group.subgraph, obstacle.operators, obstacle.message)
                merged.setdefault(key, []).extend(target.name for target in group.targets)
    for (subgraph, operators, message), targets in merged.items():
        others = len(operators) - 1
        more = f"; {same_problem(others)}" if others else ""
        fix = _fix(subject, subgraph, targets, subject.operator(subgraph, operators[0]))
        yield Hit(
            f"{message}{more}; runs dense on {', '.join(targets)}",
            Spot.of_operator(subject.operator(subgraph, operators[0])),
            {"operators": list(operators), "targets": targets},
            fix,
            command=OPTIMIZE if fix == _WIDE else None,
        )


def changes(subject: Subject, rule: Rule, *, alone: bool = False) -> Iterator[Hit]:
    """A hit for each change that rules of the runtime ask for, where a rule reports these.

    Args:
        subject: the model.
        rule: the rule.
        alone: whether a change counts only where no operator stands in the way.
    """
    if not subject.pruned:
        return
    merged: dict[tuple[int, int | None, str], list[str]] = {}
    for group in subject.runs(Outcome.DENSE):
        if alone and group.obstacles:
            continue
        for change in group.changes:
            if rule.reports(change.rule):
                key = (group.subgraph, change.operator, change.message)
                merged.setdefault(key, []).extend(target.name for target in group.targets)
    for (subgraph, operator, message), targets in merged.items():
        spot: SpotType | None = None
        if operator is not None:
            spot = Spot.of_operator(subject.operator(subgraph, operator))
        yield Hit(
            f"{message}; runs dense on {', '.join(targets)}",
            spot,
            {"targets": targets},
            _fix(subject, subgraph, targets),
        )


@rule(
    "TFS301",
    "entry-ineligible",
    Severity.WARNING,
    what="The convolution that should bring the picture into the sparse layout cannot: the runtime"
    " takes a 3x3 convolution of stride 2 on 3 channels with padding 1 on all four sides. SAME"
    " padding pads 0 and 1 on even sizes, and stays SAME on odd ones.",
    why=WHY,
    fix="Export the stem as PAD of 1 on every side and a VALID convolution (in Keras:"
    " ZeroPadding2D(1) and padding='valid'); the weights stay, training once more is advisable."
    " tflite-sparse optimize does the equivalent, exactly.",
    command=OPTIMIZE,
)
def entry(subject: Subject) -> Iterator[Hit]:
    """Stems that are no entry."""
    yield from _obstacles(subject, entry)


@rule(
    "TFS302",
    "depthwise-ineligible",
    Severity.WARNING,
    what="A depthwise convolution has no form for the sparse layout: it needs 3x3 with padding 1 or"
    " 5x5 with padding 2 on all four sides, stride 1 or 2, no dilation, multiplier 1. With stride 2"
    " SAME padding never qualifies.",
    why=WHY,
    fix="Export a layer of stride 2 as PAD of 1 (5x5: 2) on every side and a VALID convolution."
    " tflite-sparse optimize does the equivalent, exactly.",
    command=OPTIMIZE,
)
def depthwise(subject: Subject) -> Iterator[Hit]:
    """Depthwise convolutions outside the rules."""
    yield from _obstacles(subject, depthwise)


@rule(
    "TFS303",
    "operator-without-sparse-form",
    Severity.WARNING,
    what="An operator among those with zeros has no form for the sparse layout, such as"
    " MAX_POOL_2D, CONCATENATION, PRELU, a 3x3 convolution in the middle, or anything that is not"
    " 4-D.",
    why=WHY,
    fix="Replace it by an operator that has one, or move it in front of the entry or behind the end"
    " of the part that is to run sparse.",
    command=OPTIMIZE,
)
def operator_form(subject: Subject) -> Iterator[Hit]:
    """Operators that the sparse layout lacks."""
    yield from _obstacles(subject, operator_form)


@rule(
    "TFS304",
    "constant-operand",
    Severity.WARNING,
    what="A constant of ADD or MUL keeps it out of the sparse layout: the constant must come first,"
    " be 4-D and vary along one dimension only.",
    why=WHY,
    fix="Fold the constant into the convolution before it, or swap the operands and reshape it.",
    command=OPTIMIZE,
)
def constant_operand(subject: Subject) -> Iterator[Hit]:
    """ADD and MUL with constants."""
    yield from _obstacles(subject, constant_operand)


@rule(
    "TFS305",
    "value-leaves-cluster",
    Severity.WARNING,
    what="A value of the part that could run sparse is read outside it, or is an output.",
    why=WHY,
    fix="Take the value from behind the end of the part, or bring it out through DEPTH_TO_SPACE.",
    command=OPTIMIZE,
)
def value_leaves(subject: Subject) -> Iterator[Hit]:
    """Values that others read."""
    yield from changes(subject, value_leaves)


@rule(
    "TFS306",
    "no-end",
    Severity.WARNING,
    what="No operator brings the values back out of the sparse layout: MEAN or SUM over height and"
    " width, or DEPTH_TO_SPACE.",
    why=WHY,
    fix="Replace a global AVERAGE_POOL_2D by MEAN; end other networks with DEPTH_TO_SPACE.",
    command=OPTIMIZE,
)
def no_end(subject: Subject) -> Iterator[Hit]:
    """Models without an exit."""
    yield from changes(subject, no_end)


@rule(
    "TFS307",
    "no-entry",
    Severity.WARNING,
    what="The part that could run sparse reads a value that never entered the sparse layout.",
    why=WHY,
    fix="Begin with a 3x3 convolution of stride 2 on 3 channels, padding 1 on all four sides.",
    command=OPTIMIZE,
)
def no_entry(subject: Subject) -> Iterator[Hit]:
    """Clusters that read a graph input or an operator without a sparse form."""
    yield from changes(subject, no_entry, alone=True)


@rule(
    "TFS311",
    "outside-xnnpack",
    Severity.WARNING,
    what="XNNPACK does not take an operator, which ends the part of the graph that it runs.",
    why="What was one cluster is cut in two, of which one or both run dense.",
    fix="Replace the operator by one that XNNPACK takes. Where tflite-sparse optimize does as well,"
    " as of a filter that is computed from constants, the finding says so.",
)
def outside_xnnpack(subject: Subject) -> Iterator[Hit]:
    """Operators that split a partition, and whether a rewrite lets the rest run sparse."""
    hits = list(_obstacles(subject, outside_xnnpack))
    after = subject.optimized if any(hit.fix is None for hit in hits) else None
    stays = set() if after is None else set(map(_kind, _obstacles(after, outside_xnnpack)))
    for hit in hits:
        mended = after is not None and hit.fix is None and _kind(hit) not in stays
        yield msgspec.structs.replace(hit, fix=_GETS_BY, command=OPTIMIZE) if mended else hit


def _kind(hit: Hit) -> tuple[str | None, ...]:
    """The kind of operator of a hit, and where it is: a rewrite gives other names and numbers."""
    return () if hit.spot is None else (hit.spot.subgraph, hit.spot.operator)
