"""What to change so that a model that runs dense would run sparse, nearest obstacle first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.model.weights import is_pointwise
from tflite_sparse.words.numbers import percent
from tflite_sparse.xnnpack.explain.describe import reported_components, tally_of
from tflite_sparse.xnnpack.explain.wording import title
from tflite_sparse.xnnpack.plan_types import Change, Role
from tflite_sparse.xnnpack.stages.profit import counted_filter

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.explain.components import Component
    from tflite_sparse.xnnpack.graph import Node
    from tflite_sparse.xnnpack.releases.targets import Target
    from tflite_sparse.xnnpack.stages.partition_state import PartitionState
    from tflite_sparse.xnnpack.stages.profit import Tally

__all__ = ["changes"]

_HARD = 4
_TYPE = "role-type"
# Kinds of nodes that have a sparse form once their options or operands are as it wants.
_CHANGEABLE = ("binary", "convolution", "depthwise", "resize", "unary")


def changes(partitions: list[PartitionState], target: Target) -> tuple[Change, ...]:
    """The shortest list of changes that would make part of a model run sparse, and right.

    The cluster is chosen that takes the least effort for the weights it wins: changing
    the options of an operator is little effort, replacing one or ending a cluster in mid-network
    is more.

    Args:
        partitions: the partitions; none of them runs sparse.
        target: the hardware.

    Returns:
        The changes, or nothing where the model has no 1x1 convolution.
    """
    if not target.sparse:
        message = f"run the model elsewhere: on {target.title} nothing runs sparse"
        return (Change("target-dense", None, message),)
    options: list[tuple[float, int, list[Change]]] = []
    for partition, component in reported_components(partitions):
        region = _region(partition, component)
        tally = tally_of(partition, [node for member in region for node in member.members])
        if tally.parameters:
            needed = _for_region(partition, region, tally)
            effort = sum(_effort(change, partition) for change in needed)
            options.append((effort / math.sqrt(tally.parameters), len(options), needed))
    return tuple(min(options)[2]) if options else _of_another_type(partitions)


def _of_another_type(partitions: list[PartitionState]) -> tuple[Change, ...]:
    """That 1x1 convolutions compute in numbers for which there is no sparse kernel, if any do."""
    quantized = [
        node.operator
        for partition in partitions
        for node in partition.graph.nodes
        if is_pointwise(node.operator) and _is_of_another_type(partition, node)
    ]
    if not quantized:
        return ()
    message = (
        f"compute in fp32 or fp16: {title(quantized[0])} and {len(quantized) - 1} other 1x1"
        " convolutions are quantized, and the runtime has sparse kernels for floats only"
        if len(quantized) > 1
        else f"compute in fp32 or fp16: {title(quantized[0])} is quantized, and the runtime has"
        " sparse kernels for floats only"
    )
    return (Change(_TYPE, quantized[0].index, message),)


def _is_of_another_type(partition: PartitionState, node: Node) -> bool:
    refusal = partition.clusters.roles[node.number].refusal
    return refusal is not None and refusal.rule == _TYPE


def _effort(change: Change, partition: PartitionState) -> int:
    if change.rule == "cluster-no-exit":
        ends = [n for n in partition.graph.nodes if n.operator.index == change.operator]
        return _HARD if any(value.readers for node in ends for value in node.outputs) else 1
    if change.rule in ("cluster-input", "cluster-consumer", "cluster-output"):
        return _HARD
    hard = [n for c in partition.components for n in c.blockers if n.kind not in _CHANGEABLE]
    readers = {r.operator.index for n in hard for v in n.outputs for r in v.readers}
    return _HARD if change.rule == "cluster-producer" and change.operator in readers else 1


def _like_entry(node: Node) -> bool:
    # A convolution over the image becomes an entry: nothing before it has to be in the cluster.
    return node.kind == "convolution" and not counted_filter(node)


def _region(partition: PartitionState, component: Component) -> list[Component]:
    """A component and those before it that it joins once what blocks it is changed."""
    home = {node.number: c for c in partition.components for node in c.members}
    region: set[Component] = set()
    queue = [component]
    while queue:
        joined = queue.pop()
        if joined in region:
            continue
        region.add(joined)
        for blocker in joined.blockers:
            if blocker.kind in _CHANGEABLE and not _like_entry(blocker):
                producers = [v.producer for v in blocker.inputs if v.producer is not None]
                queue.extend(home[p.number] for p in producers if p.number in home)
    return sorted(region, key=lambda c: c.members[0].number)


def _for_region(partition: PartitionState, region: list[Component], tally: Tally) -> list[Change]:
    reasons = {why.message: why for component in region for why in component.obstacles}
    needed = [Change(why.rule, why.operator, why.message) for why in reasons.values()]
    roles = partition.clusters.roles
    entries = any(roles[n.number].role is Role.ENTRY for c in region for n in c.members)
    if not entries and not needed:
        needed.append(_missing_entry(region[0].members[0]))
    blockers = {blocker.number for component in region for blocker in component.blockers}
    for component in region:
        for node in component.open_ends:
            # Where the next operator is one of those to be changed, the cluster goes on.
            readers = {reader.number for value in node.outputs for reader in value.readers}
            if not readers & blockers:
                needed.append(_missing_exit(node))
    if not tally.profitable:
        needed.append(_missing_zeros(tally))
    if not partition.hints:
        needed.append(_missing_hint(tally))
    return needed


def _missing_entry(first: Node) -> Change:
    return Change(
        "cluster-input",
        first.operator.index,
        f"begin before {title(first.operator)} with a 3x3 stride-2 convolution of 3 channels that "
        "pads 1 on every side",
    )


def _missing_exit(last: Node) -> Change:
    return Change(
        "cluster-no-exit",
        last.operator.index,
        f"end the cluster after {title(last.operator)} with MEAN over height and width, or with "
        "DEPTH_TO_SPACE",
    )


def _missing_zeros(tally: Tally) -> Change:
    return Change(
        "profit-zeros",
        tally.filters[0].operator.index,
        f"set {tally.margin:,} more of the cluster's {tally.parameters:,} 1x1 weights to zero: "
        f"only {percent(tally.zeros, tally.parameters)} are zero; more than 66.7 % must be",
    )


def _missing_hint(tally: Tally) -> Change:
    most = max(tally.counts, key=lambda number: tally.counts[number].zeros)
    operator = next(node.operator for node in tally.filters if node.number == most)
    return Change(
        "hint-none",
        operator.index,
        f"store the filter of {title(operator)} sparse, behind a DENSIFY: one such weight makes "
        "the runtime look for zeros",
    )
