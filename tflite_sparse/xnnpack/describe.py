"""From nodes back to the model's operators: what a plan says of each operator and cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.macs import macs
from tflite_sparse.xnnpack.filters import block_size
from tflite_sparse.xnnpack.kernels import executed_name, is_sparse_kernel
from tflite_sparse.xnnpack.results import ClusterPlan, Fate, OperatorPlan, Role
from tflite_sparse.xnnpack.wording import title

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Subgraph
    from tflite_sparse.xnnpack.delegate import Delegation
    from tflite_sparse.xnnpack.graph import Node
    from tflite_sparse.xnnpack.profit import Tally
    from tflite_sparse.xnnpack.stages import Part
    from tflite_sparse.xnnpack.targets import Target

__all__ = ["cluster_numbers", "describe_clusters", "describe_operators"]


def cluster_numbers(parts: list[Part]) -> dict[tuple[int, int], int]:
    """Numbers for the clusters worth telling of: (partition, leader) -> number.

    Those are clusters with filters, or of several nodes with a role.
    """
    numbers: dict[tuple[int, int], int] = {}
    for part in parts:
        for leader, cluster in part.clusters.by_leader.items():
            takes_part = any(
                part.clusters.roles[node.number].role is not Role.NONE for node in cluster.members
            )
            if takes_part and (part.tallies[leader].filters or len(cluster.members) > 1):
                numbers[part.index, leader] = len(numbers)
    return numbers


def describe_operators(
    subgraph: Subgraph, delegation: Delegation, parts: list[Part], target: Target
) -> tuple[OperatorPlan, ...]:
    """What becomes of every operator of a subgraph."""
    numbers = cluster_numbers(parts)
    found: dict[int, OperatorPlan] = {}
    for part in parts:
        nodes: dict[int, list[Node]] = {}
        for node in part.graph.nodes:
            nodes.setdefault(node.operator.index, []).append(node)
        for op in part.run.operators:
            found[op.index] = _Describer(part, delegation, target, numbers).describe(
                op, nodes.get(op.index, [])
            )
    return tuple(
        found.get(op.index) or _in_tflite(op, delegation) for op in subgraph.operators
    )


def _in_tflite(op: Operator, delegation: Delegation) -> OperatorPlan:
    return OperatorPlan(
        index=op.index, name=op.name, label=title(op), delegated=False,
        refusal=delegation.refusals.get(op.index), partition=None, fate=Fate.TFLITE, steps=(),
        fused_into=None, role=Role.NONE, role_refusal=None, cluster=None, nchw=False, kernel=None,
        pointwise=False, executed=(), macs=macs(op), zeros=None, parameters=None,
    )  # fmt: skip


class _Describer:
    """Describes the operators of one partition."""

    def __init__(
        self,
        part: Part,
        delegation: Delegation,
        target: Target,
        numbers: dict[tuple[int, int], int],
    ) -> None:
        self._part = part
        self._delegation = delegation
        self._target = target
        self._numbers = numbers

    def describe(self, op: Operator, nodes: list[Node]) -> OperatorPlan:
        """Describes an operator that turned into the given nodes."""
        part = self._part
        main = self._main(nodes)
        role = None if main is None else part.clusters.roles[main.number]
        leader = None if main is None else part.clusters.leaders[main.number]
        facts = None
        if main is not None and leader is not None:
            facts = part.tallies[leader].facts.get(main.number)
        sparse = main is not None and is_sparse_kernel(main)
        kernel = None
        if sparse and main is not None:
            kernel = 1 if facts is None else block_size(facts, self._target.blocks)
        into = part.graph.fused.get(op.index)
        steps = part.graph.steps.get(op.index, [])
        folded = self._delegation.unpacking.get(op.index)
        return OperatorPlan(
            index=op.index,
            name=op.name,
            label=title(op),
            delegated=True,
            refusal=None,
            partition=part.index,
            fate=self._fate(op, nodes, folded),
            steps=(folded,) if folded else tuple(steps),
            fused_into=None if into is None or nodes else into.index,
            role=Role.NONE if role is None else role.role,
            role_refusal=None if role is None else role.refusal,
            cluster=None if leader is None else self._numbers.get((part.index, leader)),
            nchw=any(v.nchw for node in nodes for v in (*node.inputs, *node.outputs)),
            kernel=kernel,
            pointwise=op.name == "CONV_2D" and _is_pointwise(main),
            executed=tuple(executed_name(node) for node in nodes),
            macs=macs(op),
            zeros=None if facts is None else facts.zeros,
            parameters=None if facts is None else facts.parameters,
        )

    @staticmethod
    def _main(nodes: list[Node]) -> Node | None:
        # What comes before it reshapes or quantizes, what comes after it clamps.
        products = [n for n in nodes if n.kind not in ("reshape", "unary", "transpose")]
        return (products or nodes or [None])[0]

    def _fate(self, op: Operator, nodes: list[Node], folded: str | None) -> Fate:
        if folded is not None:
            return Fate.FOLDED
        if nodes:
            return Fate.EXECUTED
        gone = self._part.graph.fused
        return Fate.FUSED if gone.get(op.index) is not None else Fate.DROPPED


def _is_pointwise(node: Node | None) -> bool:
    return node is not None and node.window is not None and node.window.pointwise


def describe_clusters(
    parts: list[Part], operators: tuple[OperatorPlan, ...]
) -> tuple[ClusterPlan, ...]:
    """The clusters worth telling of, in the order of execution."""
    found = []
    for (index, leader), number in cluster_numbers(parts).items():
        part = next(part for part in parts if part.index == index)
        found.append(_cluster(part, leader, number, operators))
    return tuple(found)


def _cluster(
    part: Part, leader: int, number: int, operators: tuple[OperatorPlan, ...]
) -> ClusterPlan:
    cluster = part.clusters.by_leader[leader]
    tally = part.tallies[leader]
    members = _indices(cluster.members)
    roles = part.clusters.roles
    ends = [n for n in cluster.members if roles[n.number].exit and _is_last(n, cluster.members)]
    complete = not cluster.dead and part.clusters.has_exit
    return ClusterPlan(
        index=number,
        partition=part.index,
        members=members,
        entries=_indices([n for n in cluster.members if roles[n.number].role is Role.ENTRY]),
        exits=_indices(ends),
        filters=_indices(tally.filters),
        zeros=tally.zeros,
        parameters=tally.parameters,
        margin=tally.margin,
        complete=complete,
        obstacles=tuple(cluster.obstacles),
        profitable=tally.profitable,
        sparse=_runs_sparse(tally, operators, complete=complete),
    )


def _runs_sparse(
    tally: Tally, operators: tuple[OperatorPlan, ...], *, complete: bool
) -> bool:
    return complete and any(operators[n.operator.index].nchw for n in tally.filters)


def _is_last(node: Node, members: list[Node]) -> bool:
    inside = {member.number for member in members}
    return not any(reader.number in inside for v in node.outputs for reader in v.readers)


def _indices(nodes: list[Node]) -> tuple[int, ...]:
    return tuple(sorted({node.operator.index for node in nodes}))
