"""The cluster stage: which nodes go sparse together, and what stands in their way.

Source: XNNPACK src/subgraph.c, xnn_subgraph_rewrite_for_nchw, quirks included.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.roles import RoleOf, role_of
from tflite_sparse.xnnpack.wording import reason, tensor_title, title

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.graph import Graph, Node, Value
    from tflite_sparse.xnnpack.results import Reason

__all__ = ["Cluster", "Clusters", "find_clusters"]


@dataclass(slots=True)
class Cluster:
    """Nodes that share a leader.

    Attributes:
        members: the nodes, in the order of execution.
        dead: whether the runtime gives the cluster up.
        obstacles: why.
    """

    members: list[Node] = field(default_factory=list)
    dead: bool = False
    obstacles: list[Reason] = field(default_factory=list)


@dataclass(slots=True)
class Clusters:
    """The clusters of a graph.

    Attributes:
        roles: role of each node, by its number.
        leaders: number of the leader of each node.
        by_leader: the clusters by the number of their leader, single nodes included.
        has_exit: whether any exit joined an operator before it.
    """

    roles: list[RoleOf]
    leaders: list[int]
    by_leader: dict[int, Cluster]
    has_exit: bool

    def members_that_convert(self, cluster: Cluster) -> list[Node]:
        """The members whose inputs are put into the sparse layout: all but entries."""
        return [n for n in cluster.members if _takes_part(self.roles[n.number])]


def _takes_part(role: RoleOf) -> bool:
    return role.inner or role.exit


class _Search:
    """Joins nodes with their producers until nothing changes."""

    def __init__(self, graph: Graph) -> None:
        self.nodes = graph.nodes
        self.roles = [role_of(node) for node in graph.nodes]
        self.leaders = list(range(len(graph.nodes)))
        self.incompatible: dict[int, list[Reason]] = {}
        # Nodes that some reader has joined may no longer be exits, but stay what they were else.
        self.exits = [role.exit for role in self.roles]

    def run(self) -> bool:
        """Returns whether an exit joined anything."""
        changed = self._round([n for n in self.nodes if self.exits[n.number]])
        found = changed
        while changed:
            changed = self._round([n for n in self.nodes if _takes_part(self.roles[n.number])])
        return found

    def _round(self, nodes: list[Node]) -> bool:
        changed = False
        for node in nodes:
            # An exit that a later exit has joined is still looked at in the first round.
            if node.number not in self.incompatible:
                changed |= self._join_producers(node)
        return changed

    def _join_producers(self, node: Node) -> bool:
        changed = False
        why: list[Reason] = []
        for value in node.inputs:
            if value.is_static:
                continue
            producer = value.producer
            if value.is_input or value.is_output or producer is None:
                why.append(_reads_outside(node, value))
            elif not self._joinable(producer):
                why.append(self._reads_ineligible(node, value, producer))
            else:
                self.exits[producer.number] = False
                changed |= self._join(node.number, producer.number)
            if why:
                self.incompatible.setdefault(node.number, why)
        return changed

    def _joinable(self, producer: Node) -> bool:
        role = self.roles[producer.number]
        eligible = role.inner or role.role.value == "entry"
        return eligible and producer.number not in self.incompatible

    def _join(self, first: int, second: int) -> bool:
        if self.leaders[first] == self.leaders[second]:
            return False
        self.leaders[first] = self.leaders[second] = max(self.leaders[first], self.leaders[second])
        return True

    def _reads_ineligible(self, node: Node, value: Value, producer: Node) -> Reason:
        refusal = self.roles[producer.number].refusal
        because = f": {refusal.message}" if refusal is not None else ""
        return reason(
            "cluster-producer",
            node.operator,
            f"reads {title(producer.operator)}, which cannot be in the cluster{because}",
            operand=_operand(value),
            found=producer.operator.label,
            wanted="an entry or inner operator",
        )


def _operand(value: Value) -> str:
    return "input" if value.tensor is None else tensor_title(value.tensor)


def _reads_outside(node: Node, value: Value) -> Reason:
    what = "an output" if value.is_output else "an input"
    return reason(
        "cluster-input",
        node.operator,
        f"reads {_operand(value)}, {what} of the part that XNNPACK runs",
        operand=_operand(value),
        found=what,
        wanted="a value made by an entry or inner operator",
    )


def find_clusters(graph: Graph) -> Clusters:
    """Finds the clusters of a graph that has been fused and linked."""
    search = _Search(graph)
    has_exit = search.run()
    by_leader: dict[int, Cluster] = {}
    for node in graph.nodes:
        cluster = by_leader.setdefault(search.leaders[node.number], Cluster())
        cluster.members.append(node)
    result = Clusters(search.roles, search.leaders, by_leader, has_exit)
    for number, why in search.incompatible.items():
        cluster = by_leader[search.leaders[number]]
        cluster.dead = True
        cluster.obstacles.extend(why)
    _check_consumers(graph, result)
    return result


def _check_consumers(graph: Graph, clusters: Clusters) -> None:
    """Gives up clusters with a value that is read outside any living cluster."""
    living = [
        node
        for node in graph.nodes
        if _takes_part(clusters.roles[node.number])
        and not clusters.by_leader[clusters.leaders[node.number]].dead
    ]
    counts: dict[int, int] = {}
    for node in living:
        for value in node.inputs:
            if not value.is_static:
                # Not once a node: a value that is read twice counts twice.
                counts[id(value)] = counts.get(id(value), 0) + 1
    inside = {node.number for node in living}
    for node in living:
        cluster = clusters.by_leader[clusters.leaders[node.number]]
        for value in node.reads:
            if not value.is_static and counts[id(value)] != value.consumers:
                cluster.dead = True
                cluster.obstacles.append(_read_elsewhere(node, value, clusters, inside))


def _read_elsewhere(node: Node, value: Value, clusters: Clusters, inside: set[int]) -> Reason:
    if node.inputs.count(value) > 1:
        return reason(
            "cluster-repeated",
            node.operator,
            f"reads {_operand(value)} twice",
            operand=_operand(value),
            found="2 inputs the same",
            wanted="different inputs",
        )
    others = [reader for reader in value.readers if reader.number not in inside]
    made = value.producer or node
    if others:
        refusal = clusters.roles[others[0].number].refusal
        because = f": {refusal.message}" if refusal is not None else ""
        return reason(
            "cluster-consumer",
            made.operator,
            f"is read by {title(others[0].operator)} outside the cluster{because}",
            operand=_operand(value),
            found=others[0].operator.label,
            wanted="readers in the cluster only",
        )
    return reason(
        "cluster-output",
        made.operator,
        "is an output of the part that XNNPACK runs",
        operand=_operand(value),
        found="an output",
        wanted="a value read in the cluster only",
    )
