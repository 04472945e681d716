"""From nodes back to the model's operators: what a plan says of each operator and cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.macs import macs
from tflite_sparse.xnnpack.explain.rules import RULES
from tflite_sparse.xnnpack.explain.wording import title
from tflite_sparse.xnnpack.plan_types import (
    AppliedRule,
    ClusterPlan,
    Disposition,
    FilterPlan,
    OperatorPlan,
    PartitionPlan,
    Role,
)
from tflite_sparse.xnnpack.stages.filter_zeros import block_size
from tflite_sparse.xnnpack.stages.kernels import executed_names, is_sparse_kernel
from tflite_sparse.xnnpack.stages.profit import Tally, counted_filter

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Subgraph
    from tflite_sparse.xnnpack.explain.components import Component
    from tflite_sparse.xnnpack.graph import Node
    from tflite_sparse.xnnpack.releases.targets import Target
    from tflite_sparse.xnnpack.stages.delegate.delegate import Delegation
    from tflite_sparse.xnnpack.stages.partition_state import PartitionState
    from tflite_sparse.xnnpack.stages.roles import RoleOf

__all__ = [
    "describe_clusters",
    "describe_filters",
    "describe_operators",
    "describe_partitions",
    "reported_components",
    "tally_of",
]


def reported_components(partitions: list[PartitionState]) -> list[tuple[PartitionState, Component]]:
    """The components that a plan reports: those with filters that count.

    A FULLY_CONNECTED that flattens its input is always a component of its own.
    """
    return [
        (partition, component)
        for partition in partitions
        for component in partition.components
        if any(counted_filter(node) for node in component.members)
        and (len(component.members) > 1 or component.members[0].operator.name == "CONV_2D")
    ]


def describe_operators(
    subgraph: Subgraph, delegation: Delegation, partitions: list[PartitionState], target: Target
) -> tuple[OperatorPlan, ...]:
    """What becomes of every operator of a subgraph."""
    numbers = {
        (partition.index, node.number): number
        for number, (partition, component) in enumerate(reported_components(partitions))
        for node in component.members
    }
    delegated: dict[int, OperatorPlan] = {}
    for partition in partitions:
        describer = _Describer(partition, delegation, target, numbers)
        nodes = _nodes_of_operators(partition)
        for op in partition.run.operators:
            delegated[op.index] = describer.describe(op, nodes.get(op.index, []))
    return tuple(delegated.get(op.index) or _in_tflite(op, delegation) for op in subgraph.operators)


def _nodes_of_operators(partition: PartitionState) -> dict[int, list[Node]]:
    """Index of each operator that runs -> what it became."""
    nodes: dict[int, list[Node]] = {}
    for node in partition.graph.nodes:
        nodes.setdefault(node.operator.index, []).append(node)
    return nodes


def _main(nodes: list[Node]) -> Node | None:
    # What comes before it reshapes or quantizes, what comes after it clamps.
    products = [n for n in nodes if n.kind not in ("reshape", "unary", "transpose")]
    return next(iter(products or nodes), None)


def _in_tflite(op: Operator, delegation: Delegation) -> OperatorPlan:
    return OperatorPlan(
        index=op.index, name=op.name, label=title(op), delegated=False,
        partition=None, refusal=delegation.refusals.get(op.index), disposition=Disposition.TFLITE,
        steps=(), fused_into=None, role=Role.NONE, role_refusal=None, cluster=None, nchw=False,
        kernel=None, executed=(), macs=macs(op),
    )  # fmt: skip


class _Describer:
    """Describes the operators of one partition."""

    def __init__(
        self,
        partition: PartitionState,
        delegation: Delegation,
        target: Target,
        numbers: dict[tuple[int, int], int],
    ) -> None:
        self._partition = partition
        self._delegation = delegation
        self._target = target
        self._numbers = numbers

    def describe(self, op: Operator, nodes: list[Node]) -> OperatorPlan:
        """Describes an operator that turned into the given nodes."""
        partition = self._partition
        main = _main(nodes)
        role = None if main is None else partition.clusters.roles[main.number]
        counts = None if main is None else partition.counts(main)
        sparse = main is not None and is_sparse_kernel(main)
        kernel = None
        if sparse and main is not None:
            kernel = 1 if counts is None else block_size(counts, self._target.blocks)
        into = partition.graph.fused.get(op.index)
        steps = partition.graph.steps.get(op.index, [])
        folded = self._delegation.unpacking.get(op.index)
        return OperatorPlan(
            index=op.index,
            name=op.name,
            label=title(op),
            delegated=True,
            partition=partition.index,
            refusal=None,
            disposition=self._disposition(op, nodes, folded),
            steps=tuple(
                AppliedRule(code, RULES[code].summary) for code in ([folded] if folded else steps)
            ),
            fused_into=None if into is None or nodes else into.index,
            role=Role.NONE if role is None else role.role,
            role_refusal=None if role is None else role.refusal,
            cluster=None if main is None else self._numbers.get((partition.index, main.number)),
            nchw=any(v.nchw for node in nodes for v in (*node.inputs, *node.outputs)),
            kernel=kernel,
            executed=executed_names(nodes, self._target.runtime),
            macs=macs(op),
        )

    def _disposition(self, op: Operator, nodes: list[Node], folded: str | None) -> Disposition:
        if folded is not None:
            return Disposition.FOLDED
        if nodes:
            return Disposition.EXECUTED
        gone = self._partition.graph.fused
        return Disposition.FUSED if gone.get(op.index) is not None else Disposition.DROPPED


def describe_filters(partitions: list[PartitionState]) -> tuple[FilterPlan, ...]:
    """The filters that 1x1 convolutions and FULLY_CONNECTED multiply by, in order of execution."""
    filters: list[FilterPlan] = []
    for partition in partitions:
        for index, nodes in _nodes_of_operators(partition).items():
            main = _main(nodes)
            if main is None:
                continue
            counts = partition.counts(main)
            pointwise = main.operator.name == "CONV_2D" and _is_pointwise(main)
            if counts is not None:
                filters.append(FilterPlan(index, pointwise, counts.zeros, counts.elements))
            elif pointwise:
                filters.append(FilterPlan(index, pointwise, zeros=0, parameters=0))
    return tuple(filters)


def _is_pointwise(node: Node) -> bool:
    return node.window is not None and node.window.pointwise


def describe_partitions(partitions: list[PartitionState]) -> tuple[PartitionPlan, ...]:
    """What XNNPACK runs as one, in the order of execution."""
    open_ends: dict[int, list[Node]] = {}
    for partition, component in reported_components(partitions):
        open_ends.setdefault(partition.index, []).extend(component.open_ends)
    return tuple(
        PartitionPlan(
            index=partition.index,
            operators=tuple(op.index for op in partition.run.operators),
            hints=partition.hints,
            has_exit=partition.clusters.has_exit,
            open_ends=_indices(open_ends.get(partition.index, [])),
            executed=partition.executed,
        )
        for partition in partitions
    )


def describe_clusters(partitions: list[PartitionState]) -> tuple[ClusterPlan, ...]:
    """The clusters that a plan reports, in the order of execution."""
    return tuple(
        _cluster(partition, component, number)
        for number, (partition, component) in enumerate(reported_components(partitions))
    )


def _cluster(partition: PartitionState, component: Component, number: int) -> ClusterPlan:
    roles = partition.clusters.roles
    tally = tally_of(partition, component.members)
    return ClusterPlan(
        index=number,
        members=_indices(component.members),
        entries=_indices([n for n in component.members if roles[n.number].role is Role.ENTRY]),
        exits=_indices([n for n in component.members if _ends(n, roles)]),
        filters=_indices(tally.filters),
        zeros=tally.zeros,
        parameters=tally.parameters,
        margin=tally.margin,
        complete=partition.clusters.has_exit and not component.obstacles,
        profitable=tally.profitable,
        sparse=any(is_sparse_kernel(node) for node in tally.filters),
        obstacles=tuple(component.obstacles),
    )


def _ends(node: Node, roles: list[RoleOf]) -> bool:
    goes_on = any(roles[r.number].takes_part for value in node.outputs for r in value.readers)
    return roles[node.number].exit and not goes_on


def tally_of(partition: PartitionState, members: list[Node]) -> Tally:
    """The zeros of nodes of a partition."""
    result = Tally()
    for node in members:
        if counted_filter(node):
            result.add(node, partition.counts(node))
    return result


def _indices(nodes: list[Node]) -> tuple[int, ...]:
    return tuple(sorted({node.operator.index for node in nodes}))
