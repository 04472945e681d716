"""What the runtime will do with a model: its plan for each target.

Targets on which the runtime does the same share one result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.runtime_types import Obstacle, PlannedTarget, TargetGroup
from tflite_sparse.model.macs import macs
from tflite_sparse.model.uses import trace_constant
from tflite_sparse.model.weights import is_pointwise, is_wide
from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.cost.instructions import instruction_estimate
from tflite_sparse.xnnpack.explain.root_causes import ranked_faults
from tflite_sparse.xnnpack.explain.rules import RULES
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Disposition, Role
from tflite_sparse.xnnpack.releases.targets import targets as all_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tflite_sparse.model import Model, Operator, Subgraph
    from tflite_sparse.model.zero_counts import ZeroCounts
    from tflite_sparse.xnnpack.plan import Plan
    from tflite_sparse.xnnpack.plan_types import OperatorPlan, Reason
    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["plan_groups"]

_MAP_RANK = 4


def plan_groups(
    model: Model, targets: Sequence[Target] | None, zeros: ZeroCounts
) -> tuple[TargetGroup, ...]:
    """What the runtime does with every subgraph.

    Args:
        model: the model.
        targets: the targets to ask for; None for all.
        zeros: counts the zeros of weights.

    Raises:
        EncodingError: a sparse weight is malformed.
        ModelError: a weight's buffer does not fit its shape.
    """
    chosen = all_targets() if targets is None else targets
    return tuple(
        group for subgraph in model.subgraphs for group in _groups(subgraph, chosen, zeros)
    )


def _groups(subgraph: Subgraph, targets: Sequence[Target], zeros: ZeroCounts) -> list[TargetGroup]:
    # Targets that differ in nothing but their names have the same plan.
    namesakes: dict[Target, list[Target]] = {}
    for target in targets:
        nameless = msgspec.structs.replace(target, name="", title="", note="")
        namesakes.setdefault(nameless, []).append(target)
    groups: list[TargetGroup] = []
    for members in namesakes.values():
        group = _group(subgraph, plan(subgraph, members[0], zeros=zeros), members, zeros)
        for index, other in enumerate(groups):
            # The release of the runtime is told, but separates nothing.
            if _for_targets(group, other.targets, other.runtime) == other:
                together = (*other.targets, *group.targets)
                groups[index] = _for_targets(other, together, other.runtime)
                break
        else:
            groups.append(group)
    order = {target.name: number for number, target in enumerate(targets)}
    runtimes = {target.name: target.runtime.name for target in targets}
    return [
        _for_targets(
            group,
            tuple(sorted(group.targets, key=lambda target: order[target.name])),
            ", ".join(dict.fromkeys(runtimes[target.name] for target in group.targets)),
        )
        for group in groups
    ]


def _for_targets(
    group: TargetGroup, targets: tuple[PlannedTarget, ...], runtime: str
) -> TargetGroup:
    return msgspec.structs.replace(group, targets=targets, runtime=runtime)


def _group(
    subgraph: Subgraph, planned: Plan, targets: Sequence[Target], zeros: ZeroCounts
) -> TargetGroup:
    verdict = planned.verdict
    return TargetGroup(
        subgraph=subgraph.index,
        runtime=planned.runtime.name,
        targets=tuple(_target(subgraph, planned, target) for target in targets),
        outcome=verdict.outcome,
        pointwise=verdict.pointwise,
        sparse_pointwise=verdict.sparse_pointwise,
        macs=verdict.macs,
        sparse_macs=verdict.sparse_macs,
        reasons=verdict.reasons,
        changes=verdict.changes,
        obstacles=_obstacles(subgraph, planned.operators),
        hints=tuple(hint for part in planned.partitions for hint in part.hints),
        clusters=planned.clusters,
        operators=planned.operators,
        elsewhere=verdict.elsewhere,
        missing=verdict.missing,
        other_pointwise=_other_pointwise(subgraph, planned),
        wide=tuple(op.index for op in subgraph.operators if is_wide(op) and _pruned(op, zeros)),
    )


def _pruned(operator: Operator, zeros: ZeroCounts) -> bool:
    """Whether most weights of a convolution are zero."""
    use = trace_constant(operator, 1)
    if use is None:
        return False
    counted = zeros.of(use.constant)
    return counted.zeros > counted.elements / 2


def _other_pointwise(subgraph: Subgraph, planned: Plan) -> tuple[int, ...]:
    able = {counted.operator for counted in planned.filters if counted.pointwise}
    return tuple(op.index for op in subgraph.operators if is_pointwise(op) and op.index not in able)


def _target(subgraph: Subgraph, planned: Plan, target: Target) -> PlannedTarget:
    named = msgspec.structs.replace(planned, target=target)
    time, counted = estimate(named, subgraph), instruction_estimate(named, subgraph)
    return PlannedTarget(target.name, target.title, target.note, time, counted)


def _obstacles(subgraph: Subgraph, operators: tuple[OperatorPlan, ...]) -> tuple[Obstacle, ...]:
    """Operators that stand between those with a sparse form, by the rule that refuses them."""
    able = {
        op.index: op.role
        for op in operators
        if op.role is not Role.NONE and _is_map(subgraph.operators[op.index])
    }
    # An entry may read anything, and anything may read an exit.
    readers = {index for index, role in able.items() if role is not Role.ENTRY}
    sources = {i for i, role in able.items() if role not in {Role.EXIT, Role.INNER_OR_EXIT}}
    gone = {
        op.index for op in operators if op.disposition in {Disposition.FUSED, Disposition.DROPPED}
    }
    refused = {op.index for op in operators if op.role_refusal or op.refusal}
    reasons: dict[str, list[tuple[int, Reason]]] = {}
    for planned in operators:
        why = planned.role_refusal or planned.refusal
        if why is None:
            continue
        operator = subgraph.operators[planned.index]
        # One obstacle may hide another from the input, but not from the output.
        if _reaches(operator, readers, gone | refused, _after) or _reaches(
            operator, sources, gone, _before
        ):
            reasons.setdefault(why.rule, []).append((planned.index, why))
    shares = _shares(subgraph, able, reasons)
    ordered = sorted(reasons.items(), key=lambda item: item[1][0][0])
    obstacles = [
        Obstacle(
            rule=rule,
            summary=RULES[rule].summary,
            operators=tuple(index for index, _ in cases),
            message=cases[0][1].message,
            share=shares[rule],
        )
        for rule, cases in ordered
    ]
    return tuple(sorted(obstacles, key=lambda obstacle: -obstacle.share))


def _shares(
    subgraph: Subgraph, able: Mapping[int, Role], reasons: dict[str, list[tuple[int, Reason]]]
) -> dict[str, float]:
    """The share of the work of 1x1 convolutions that each rule keeps dense."""
    operators = subgraph.operators
    faults = {operators[index]: rule for rule, cases in reasons.items() for index, _ in cases}
    entries = [operators[index] for index, role in able.items() if role is Role.ENTRY]
    sources = {tensor for operator in entries for tensor in operator.outputs}
    work = {op: macs(op) for op in operators if op.index in able and is_pointwise(op)}
    return dict(ranked_faults(operators, faults, sources, work))


def _is_map(operator: Operator) -> bool:
    """Whether an operator makes feature maps, which is what the sparse layout is for."""
    return any(len(tensor.shape) == _MAP_RANK for tensor in operator.outputs)


def _reaches(
    operator: Operator,
    wanted: set[int],
    through: set[int],
    neighbours: Callable[[Operator], list[Operator]],
) -> bool:
    """Whether a neighbour is wanted, looking past those that vanish at load time."""
    waiting, seen = neighbours(operator), {operator.index}
    while waiting:
        other = waiting.pop()
        if other.index in wanted:
            return True
        if other.index in through and other.index not in seen:
            seen.add(other.index)
            waiting += neighbours(other)
    return False


def _before(operator: Operator) -> list[Operator]:
    producers = (operator.subgraph.producer(t) for t in operator.inputs if t is not None)
    return [producer for producer in producers if producer is not None]


def _after(operator: Operator) -> list[Operator]:
    subgraph = operator.subgraph
    return [use.operator for tensor in operator.outputs for use in subgraph.consumers(tensor)]
