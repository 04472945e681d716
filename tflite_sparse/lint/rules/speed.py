"""3xx: what keeps a pruned model from running sparse.

Nothing of this is of interest for a model that nobody has pruned; see `Subject.pruned`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.finding import Hit, Severity, Spot
from tflite_sparse.lint.fixers.storage import store_sparse
from tflite_sparse.lint.rule import rule
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.lint.finding import Spot as SpotType
    from tflite_sparse.lint.rule import Rule
    from tflite_sparse.lint.subject import Subject

_SPARSE_TYPES = {"FLOAT32", "FLOAT16"}
_WHY = (
    "All 1x1 convolutions of the part that it belongs to run dense, however many zeros they have."
)


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
        more = f"; so has {others} other operator{'s' if others > 1 else ''}" if others else ""
        yield Hit(
            f"{message}{more}; runs dense on {', '.join(targets)}",
            Spot.of_operator(subject.operator(subgraph, operators[0])),
            {"operators": list(operators), "targets": targets},
        )


def _changes(subject: Subject, rule: Rule, *, alone: bool = False) -> Iterator[Hit]:
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
        yield Hit(f"{message}; runs dense on {', '.join(targets)}", spot, {"targets": targets})


@rule(
    "TFS301",
    "entry-ineligible",
    Severity.WARNING,
    what="The convolution that should bring the picture into the sparse layout cannot: the runtime"
    " takes a 3x3 convolution of stride 2 on 3 channels with padding 1 on all four sides. SAME"
    " padding pads 0 and 1 on even sizes, and stays SAME on odd ones.",
    why=_WHY,
    fix="Export the stem as PAD of 1 on each side and a VALID convolution (in Keras:"
    " ZeroPadding2D(1) and padding='valid'); the weights stay, training once more is advisable."
    " tflite-sparse optimize does the like exactly.",
    command="tflite-sparse optimize MODEL -o OUT",
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
    why=_WHY,
    fix="Export a layer of stride 2 as PAD of 1 (5x5: 2) on each side and a VALID convolution.",
    command="tflite-sparse optimize MODEL -o OUT",
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
    why=_WHY,
    fix="Replace it by an operator that has one, or move it in front of the entry or behind the end"
    " of the part that is to run sparse.",
    command="tflite-sparse optimize MODEL -o OUT",
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
    why=_WHY,
    fix="Fold the constant into the convolution before it, or swap the operands and reshape it.",
    command="tflite-sparse optimize MODEL -o OUT",
)
def constant_operand(subject: Subject) -> Iterator[Hit]:
    """ADD and MUL with constants."""
    yield from _obstacles(subject, constant_operand)


@rule(
    "TFS305",
    "value-leaves-cluster",
    Severity.WARNING,
    what="A value of the part that could run sparse is read outside it, or is an output.",
    why=_WHY,
    fix="Take the value from behind the end of the part, or bring it out through DEPTH_TO_SPACE.",
    command="tflite-sparse optimize MODEL -o OUT",
)
def value_leaves(subject: Subject) -> Iterator[Hit]:
    """Values that others read."""
    yield from _changes(subject, value_leaves)


@rule(
    "TFS306",
    "no-end",
    Severity.WARNING,
    what="No operator brings the values back out of the sparse layout: MEAN or SUM over height and"
    " width, or DEPTH_TO_SPACE.",
    why=_WHY,
    fix="Replace a global AVERAGE_POOL_2D by MEAN; end other networks with DEPTH_TO_SPACE.",
    command="tflite-sparse optimize MODEL -o OUT",
)
def no_end(subject: Subject) -> Iterator[Hit]:
    """Models without an exit."""
    yield from _changes(subject, no_end)


@rule(
    "TFS307",
    "no-entry",
    Severity.WARNING,
    what="The part that could run sparse reads a value that never entered the sparse layout.",
    why=_WHY,
    fix="Begin with a 3x3 convolution of stride 2 on 3 channels, padding 1 on all four sides.",
    command="tflite-sparse optimize MODEL -o OUT",
)
def no_entry(subject: Subject) -> Iterator[Hit]:
    """Clusters that read a graph input or an operator without a sparse form."""
    yield from _changes(subject, no_entry, alone=True)


@rule(
    "TFS308",
    "too-few-zeros",
    Severity.WARNING,
    what="Not more than two thirds of the 1x1 and fully connected weights of a cluster are zero.",
    why="The runtime runs the whole cluster dense.",
    fix="Prune further, or prune the layers of the cluster that were left out.",
)
def too_few_zeros(subject: Subject) -> Iterator[Hit]:
    """Clusters that miss the threshold, with the number of zeros that are missing."""
    if not subject.pruned:
        return
    merged: dict[tuple[int, tuple[int, ...], int, int, int], list[str]] = {}
    for group in subject.runs(Outcome.DENSE, Outcome.SPARSE):
        for cluster in group.clusters:
            if cluster.complete and not cluster.profitable and cluster.parameters:
                key = (
                    group.subgraph,
                    cluster.members,
                    cluster.margin,
                    cluster.zeros,
                    cluster.parameters,
                )
                merged.setdefault(key, []).extend(target.name for target in group.targets)
    for (subgraph, members, margin, zeros, parameters), targets in merged.items():
        yield Hit(
            f"{zeros:,} of {parameters:,} weights of the cluster are zero"
            f" ({zeros / parameters:.1%}); {margin:,} more are needed to run sparse"
            f" on {', '.join(targets)}",
            Spot.of_operator(subject.operator(subgraph, members[0])),
            {"zeros": zeros, "parameters": parameters, "missing": margin},
        )


@rule(
    "TFS309",
    "no-densify",
    Severity.WARNING,
    what="The model has zeros enough and no weight that is stored sparse behind a DENSIFY. Without"
    " one the runtime does not look for zeros.",
    why=_WHY,
    fix="Store the weights sparse.",
    command="tflite-sparse sparsify MODEL -o OUT",
    fixers=(store_sparse,),
)
def no_densify(subject: Subject) -> Iterator[Hit]:
    """Models in which nothing sets the hint."""
    yield from _changes(subject, no_densify)


@rule(
    "TFS310",
    "quantized",
    Severity.WARNING,
    what="Operators are quantized, or of another type than fp32 and fp16.",
    why="XNNPACK has sparse kernels for fp32 and fp16 only: zeros in int8 weights save bytes and"
    " no time.",
    fix="Ship the model as fp16 with sparse weights where it is to be fast, or accept that its"
    " zeros only save bytes.",
)
def quantized(subject: Subject) -> Iterator[Hit]:
    """Types that never run sparse."""
    if not subject.pruned:
        return
    for group in subject.runs(Outcome.DENSE):
        places = [
            (use, weight)
            for weight in subject.inspection.weights
            for use in weight.uses
            if use.pointwise and use.subgraph == group.subgraph and weight.type not in _SPARSE_TYPES
        ]
        names = [
            t.name
            for t in subject.targets
            if t.sparse and t.name in {g.name for g in group.targets}
        ]
        if places and names:
            use, weight = places[0]
            yield Hit(
                f"{len(places)} 1x1 convolutions have {weight.type} filters; they run dense on"
                f" {', '.join(names)}",
                Spot.of_operator(subject.operator(use.subgraph, use.operator)),
                {"operators": len(places), "targets": names},
            )


@rule(
    "TFS311",
    "outside-xnnpack",
    Severity.WARNING,
    what="XNNPACK does not take an operator, which ends the part of the graph that it runs.",
    why="What was one cluster is cut in two, of which one or both run dense.",
    fix="Replace the operator by one that XNNPACK takes.",
)
def outside_xnnpack(subject: Subject) -> Iterator[Hit]:
    """Operators that split a partition."""
    yield from _obstacles(subject, outside_xnnpack)


@rule(
    "TFS312",
    "target-never-sparse",
    Severity.NOTE,
    what="On a target that was asked for, the runtime never runs anything sparse.",
    why="Zeros save bytes there and no time.",
    fix="Nothing in the model can change it; measure on another target.",
)
def never_sparse(subject: Subject) -> Iterator[Hit]:
    """Targets without the sparse path."""
    if not subject.pruned:
        return
    for target in subject.targets:
        if not target.sparse:
            yield Hit(
                f"{target.name} ({target.title}): {target.note}", data={"target": target.name}
            )
