"""What the runtime will do with a model: its plan for each target, as results.

Targets on which the runtime does the same share one result.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tflite_sparse.inspection.runtime_types import (
    ChangeFacts,
    ClusterFacts,
    EstimateFacts,
    HintFacts,
    ObstacleFacts,
    PlannedOperator,
    ReasonFacts,
    StepFacts,
    TargetFacts,
    TargetsFacts,
)
from tflite_sparse.words.names import readable
from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.explain.rules import RULES
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Fate, Role
from tflite_sparse.xnnpack.releases.targets import targets as known_targets
from tflite_sparse.xnnpack.stages.filters import FilterFacts, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.model import Model, Operator, Subgraph, Tensor
    from tflite_sparse.model.zero_counts import Counts
    from tflite_sparse.xnnpack.plan import Plan
    from tflite_sparse.xnnpack.plan_types import ClusterPlan, OperatorPlan, Reason
    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["runtime_facts", "tell_zeros"]

_MAP_RANK = 4


def runtime_facts(model: Model, targets: Sequence[Target] | None) -> tuple[TargetsFacts, ...]:
    """What the runtime does with every subgraph.

    Args:
        model: the model.
        targets: the targets to ask for; None for all.

    Raises:
        EncodingError: a sparse weight is malformed.
        ModelError: a weight's buffer does not fit its shape.
    """
    chosen = known_targets() if targets is None else targets
    return tuple(facts for subgraph in model.subgraphs for facts in _grouped(subgraph, chosen))


def tell_zeros(tensor: Tensor, counts: Counts) -> None:
    """Spares the plan from counting the zeros of a weight again.

    Args:
        tensor: the weight; nothing is told of integers, whose zeros may mean something else there.
        counts: its zeros.
    """
    if counts.near is None:
        return
    (pairs, fours), (in_pairs, in_fours) = counts.blocks, counts.block_values
    remember(tensor, FilterFacts(counts.elements, counts.zeros, pairs, in_pairs, fours, in_fours))


def _grouped(subgraph: Subgraph, targets: Sequence[Target]) -> list[TargetsFacts]:
    # Targets that differ in nothing but their names have the same plan.
    alike: dict[Target, list[Target]] = {}
    for target in targets:
        alike.setdefault(dataclasses.replace(target, name="", title="", note=""), []).append(target)
    runtimes = {target.name: target.runtime.name for target in targets}
    groups: list[TargetsFacts] = []
    for members in alike.values():
        facts = _facts(subgraph, plan(subgraph, members[0]), members)
        for index, group in enumerate(groups):
            # The release of the runtime is told, but separates nothing.
            if dataclasses.replace(facts, targets=group.targets, runtime=group.runtime) == group:
                together = (*group.targets, *facts.targets)
                groups[index] = dataclasses.replace(group, targets=together)
                break
        else:
            groups.append(facts)
    order = {target.name: number for number, target in enumerate(targets)}
    return [
        dataclasses.replace(
            group,
            targets=tuple(sorted(group.targets, key=lambda found: order[found.name])),
            runtime=", ".join(dict.fromkeys(runtimes[t.name] for t in group.targets)),
        )
        for group in groups
    ]


def _facts(subgraph: Subgraph, made: Plan, targets: Sequence[Target]) -> TargetsFacts:
    verdict = made.verdict
    return TargetsFacts(
        subgraph=subgraph.index,
        runtime=made.runtime.name,
        targets=tuple(_target(subgraph, made, target) for target in targets),
        outcome=verdict.outcome.value,
        pointwise=verdict.pointwise,
        sparse_pointwise=verdict.sparse_pointwise,
        macs=verdict.macs,
        sparse_macs=verdict.sparse_macs,
        reasons=tuple(_reason(reason) for reason in verdict.reasons),
        changes=tuple(
            ChangeFacts(change.rule, change.operator, readable(change.message))
            for change in verdict.changes
        ),
        obstacles=_obstacles(subgraph, made.operators),
        hints=tuple(
            HintFacts(hint.operator, hint.operand, hint.tensor)
            for part in made.partitions
            for hint in part.hints
        ),
        clusters=tuple(_cluster(cluster) for cluster in made.clusters),
        operators=tuple(_operator(operator) for operator in made.operators),
    )


def _target(subgraph: Subgraph, made: Plan, target: Target) -> TargetFacts:
    time = None
    found = estimate(dataclasses.replace(made, target=target), subgraph)
    if found is not None:
        time = EstimateFacts(found.dense_ms, found.planned_ms, found.gain, found.measured)
    return TargetFacts(target.name, target.title, target.note, time)


def _reason(reason: Reason) -> ReasonFacts:
    return ReasonFacts(
        reason.rule,
        reason.operator,
        reason.operand,
        readable(reason.found),
        readable(reason.wanted),
        readable(reason.message),
    )


def _cluster(cluster: ClusterPlan) -> ClusterFacts:
    return ClusterFacts(
        index=cluster.index,
        members=cluster.members,
        entries=cluster.entries,
        exits=cluster.exits,
        filters=cluster.filters,
        zeros=cluster.zeros,
        parameters=cluster.parameters,
        margin=cluster.margin,
        complete=cluster.complete,
        profitable=cluster.profitable,
        sparse=cluster.sparse,
        obstacles=tuple(_reason(reason) for reason in cluster.obstacles),
    )


def _operator(operator: OperatorPlan) -> PlannedOperator:
    return PlannedOperator(
        index=operator.index,
        name=operator.name,
        label=readable(operator.label),
        delegated=operator.delegated,
        partition=operator.partition,
        refusal=None if operator.refusal is None else _reason(operator.refusal),
        fate=operator.fate.value,
        steps=tuple(StepFacts(code, RULES[code].summary) for code in operator.steps),
        fused_into=operator.fused_into,
        role=operator.role.value,
        role_refusal=None if operator.role_refusal is None else _reason(operator.role_refusal),
        cluster=operator.cluster,
        nchw=operator.nchw,
        kernel=operator.kernel,
        executed=operator.executed,
        macs=operator.macs,
    )


def _obstacles(
    subgraph: Subgraph, operators: tuple[OperatorPlan, ...]
) -> tuple[ObstacleFacts, ...]:
    """Operators that stand between those with a sparse form, by the rule that refuses them."""
    able = {
        op.index: op.role
        for op in operators
        if op.role is not Role.NONE and _is_map(subgraph.operators[op.index])
    }
    # An entry may read anything, and anything may read an exit.
    readers = {index for index, role in able.items() if role is not Role.ENTRY}
    sources = {i for i, role in able.items() if role not in {Role.EXIT, Role.INNER_OR_EXIT}}
    gone = {op.index for op in operators if op.fate in {Fate.FUSED, Fate.DROPPED}}
    refused = {op.index for op in operators if op.role_refusal or op.refusal}
    found: dict[str, list[tuple[int, Reason]]] = {}
    for planned in operators:
        why = planned.role_refusal or planned.refusal
        if why is None:
            continue
        operator = subgraph.operators[planned.index]
        # One obstacle may hide another from the input, but not from the output.
        if _reaches(operator, readers, gone | refused, _after) or _reaches(
            operator, sources, gone, _before
        ):
            found.setdefault(why.rule, []).append((planned.index, why))
    ordered = sorted(found.items(), key=lambda item: item[1][0][0])
    return tuple(
        ObstacleFacts(
            rule=rule,
            summary=RULES[rule].summary,
            operators=tuple(index for index, _ in cases),
            message=readable(cases[0][1].message),
        )
        for rule, cases in ordered
    )


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
