"""The cluster stage: which nodes the runtime puts into the sparse layout together.

Source: XNNPACK src/subgraph.c, xnn_subgraph_rewrite_for_nchw, mistakes included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.xnnpack.graph import Node
from tflite_sparse.xnnpack.stages.roles import RoleOf, role_of

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.graph import Graph, Value

__all__ = ["Cluster", "Clusters", "find_clusters"]


class Cluster(msgspec.Struct, eq=False):
    """Nodes that share a leader.

    Attributes:
        members: the nodes, in the order of execution.
        dead: whether the runtime drops the cluster.
    """

    members: list[Node] = msgspec.field(default_factory=list)
    dead: bool = False


class Clusters(msgspec.Struct, eq=False):
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

    def of(self, node: Node) -> Cluster:
        """The cluster of a node."""
        return self.by_leader[self.leaders[node.number]]


class _Search:
    """Joins nodes with their producers until nothing changes."""

    def __init__(self, graph: Graph) -> None:
        self.nodes = graph.nodes
        self.roles = [role_of(node, graph.runtime) for node in graph.nodes]
        self.leaders = list(range(len(graph.nodes)))
        self.incompatible: set[int] = set()

    def run(self) -> bool:
        """Returns whether an exit joined anything, without which the runtime stops."""
        exit_joined = self._round([n for n in self.nodes if self.roles[n.number].exit])
        if exit_joined:
            members = [n for n in self.nodes if self.roles[n.number].takes_part]
            self._round(members)
            self._settle([n for n in members if n.number not in self.incompatible])
        return exit_joined

    def _round(self, nodes: list[Node]) -> bool:
        changed = False
        for node in nodes:
            if node.number not in self.incompatible:
                changed |= self._join_producers(node)
        return changed

    def _settle(self, members: list[Node]) -> None:
        """Brings leaders to where the runtime's further rounds would bring them.

        One round over all members marks every node that will ever be marked. What is left to the
        others is to spread the greatest leader among all that are joined, which the runtime does
        one step a round and a search does at once.
        """
        joined: dict[int, list[int]] = {}
        for node in members:
            for value in node.inputs:
                if value.producer is not None and not value.is_static:
                    joined.setdefault(node.number, []).append(value.producer.number)
                    joined.setdefault(value.producer.number, []).append(node.number)
        seen: set[int] = set()
        for start in joined:
            if start in seen:
                continue
            seen.add(start)
            group = [start]
            for number in group:
                news = [n for n in joined[number] if n not in seen]
                group.extend(dict.fromkeys(news))
                seen.update(news)
            leader = max(self.leaders[number] for number in group)
            for number in group:
                self.leaders[number] = leader

    def _join_producers(self, node: Node) -> bool:
        changed = False
        for value in node.inputs:
            if value.is_static:
                continue
            producer = value.producer
            outside = value.is_input or value.is_output or producer is None
            if producer is None or outside or not self._joinable(producer):
                # The other inputs are joined all the same.
                self.incompatible.add(node.number)
            else:
                changed |= self._join(node.number, producer.number)
        return changed

    def _joinable(self, producer: Node) -> bool:
        readable = self.roles[producer.number].may_be_read
        return readable and producer.number not in self.incompatible

    def _join(self, first: int, second: int) -> bool:
        if self.leaders[first] == self.leaders[second]:
            return False
        self.leaders[first] = self.leaders[second] = max(self.leaders[first], self.leaders[second])
        return True


def find_clusters(graph: Graph) -> Clusters:
    """Finds the clusters of a graph that has been fused and linked."""
    search = _Search(graph)
    has_exit = search.run()
    by_leader: dict[int, Cluster] = {}
    for node in graph.nodes:
        by_leader.setdefault(search.leaders[node.number], Cluster()).members.append(node)
    result = Clusters(search.roles, search.leaders, by_leader, has_exit)
    for node in graph.nodes:
        if node.number in search.incompatible:
            result.of(node).dead = True
    _check_consumers(graph, result)
    return result


def _check_consumers(graph: Graph, clusters: Clusters) -> None:
    """Drops clusters with a value that is read outside any living cluster."""
    living = [
        node
        for node in graph.nodes
        if clusters.roles[node.number].takes_part and not clusters.of(node).dead
    ]
    reads: dict[Value, int] = {}
    for node in living:
        for value in node.inputs:
            if not value.is_static:
                # Not once a node: a value that is read twice counts twice.
                reads[value] = reads.get(value, 0) + 1
    for node in living:
        if any(not v.is_static and reads[v] != v.consumers for v in node.inputs):
            clusters.of(node).dead = True
