"""Clusters as people see them: what would go sparse together if nothing stood in the way.

The runtime drops a cluster as soon as one member does not fit; this keeps such members together
and lists every obstacle at once. Without any, a component is a cluster of the runtime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.xnnpack.explain.wording import reason, title, value_title
from tflite_sparse.xnnpack.graph import Node
from tflite_sparse.xnnpack.plan_types import Reason, Role

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.graph import Graph, Value
    from tflite_sparse.xnnpack.stages.clusters import Clusters
    from tflite_sparse.xnnpack.stages.roles import RoleOf

__all__ = ["Component", "find_components"]


class Component(msgspec.Struct, eq=False):
    """Nodes that are joined by values that may have the sparse layout.

    Attributes:
        members: the nodes, in the order of execution.
        obstacles: what makes the runtime drop the cluster, nearest to the entry first.
        open_ends: members after which nothing brings the values back out of the sparse layout.
        blockers: nodes with another form than the sparse path takes, whose result is read inside.
    """

    members: list[Node] = msgspec.field(default_factory=list)
    obstacles: list[Reason] = msgspec.field(default_factory=list)
    open_ends: list[Node] = msgspec.field(default_factory=list)
    blockers: list[Node] = msgspec.field(default_factory=list)


def find_components(graph: Graph, clusters: Clusters) -> list[Component]:
    """Finds the components of a graph, in the order of execution.

    Args:
        graph: a graph that has been fused and linked.
        clusters: its roles.
    """
    roles = clusters.roles
    parent = list(range(len(graph.nodes)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for node in graph.nodes:
        if roles[node.number].takes_part:
            for producer in _joined(node, roles):
                a, b = root(node.number), root(producer.number)
                parent[max(a, b)] = min(a, b)
    components: dict[int, Component] = {}
    for node in graph.nodes:
        if roles[node.number].role is not Role.NONE:
            components.setdefault(root(node.number), Component()).members.append(node)
    for component in components.values():
        _examine(component, roles)
    return list(components.values())


def _joined(node: Node, roles: list[RoleOf]) -> list[Node]:
    producers = [v.producer for v in node.inputs if not v.is_static and not v.is_input]
    return [p for p in producers if p is not None and roles[p.number].may_be_read]


def _examine(component: Component, roles: list[RoleOf]) -> None:
    for node in component.members:
        if roles[node.number].takes_part:
            for value in node.reads:
                if not value.is_static:
                    component.obstacles.extend(_obstacle(node, value, roles))
                    producer = value.producer
                    if producer is not None and not roles[producer.number].may_be_read:
                        component.blockers.append(producer)
        if not roles[node.number].exit and not _goes_on(node, roles):
            component.open_ends.append(node)
    unique = {why.message: why for why in component.obstacles}
    component.obstacles = list(unique.values())


def _goes_on(node: Node, roles: list[RoleOf]) -> bool:
    return any(roles[r.number].takes_part for value in node.outputs for r in value.readers)


def _obstacle(node: Node, value: Value, roles: list[RoleOf]) -> list[Reason]:
    producer = value.producer
    if value.is_input or producer is None:
        return [_outside_input(node, value)]
    if not roles[producer.number].may_be_read:
        return [_ineligible(node, value, producer, roles[producer.number])]
    if node.inputs.count(value) > 1:
        return [
            reason(
                "cluster-repeated",
                node.operator,
                f"reads {value_title(value)} twice, which the runtime takes for a reader elsewhere",
                operand=value_title(value),
                found="twice",
                wanted="once",
            )
        ]
    others = [r for r in value.readers if not roles[r.number].takes_part]
    obstacles = [_outside_reader(producer, value, r, roles[r.number]) for r in others]
    if value.is_output:
        obstacles.append(
            reason(
                "cluster-output",
                producer.operator,
                "is read inside the cluster and is also an output of what XNNPACK runs",
                operand=value_title(value),
                found="an output",
                wanted="a value read in the cluster only",
            )
        )
    return obstacles


def _outside_input(node: Node, value: Value) -> Reason:
    return reason(
        "cluster-input",
        node.operator,
        f"reads {_source(node, value)}; only a 3x3 stride-2 convolution may",
        operand=value_title(value),
        found="an input",
        wanted="the output of an operator with a sparse form",
    )


def _source(node: Node, value: Value) -> str:
    if value.tensor is not None and value.tensor in node.operator.subgraph.inputs:
        return "the model input directly"
    return f"{value_title(value)}, which XNNPACK does not compute"


def _ineligible(node: Node, value: Value, producer: Node, role: RoleOf) -> Reason:
    if producer.operator is node.operator:
        sentence = "reshapes or quantizes its input first, which has no sparse form"
    else:
        sentence = f"reads {title(producer.operator)}, which {_why_not(producer, role)}"
    return reason(
        "cluster-producer",
        node.operator,
        sentence,
        operand=value_title(value),
        found=producer.operator.label,
        wanted="the output of an operator with a sparse form",
    )


def _outside_reader(producer: Node, value: Value, reader: Node, role: RoleOf) -> Reason:
    return reason(
        "cluster-consumer",
        producer.operator,
        f"is read inside the cluster and also by {title(reader.operator)}, which "
        f"{_why_not(reader, role)}",
        operand=value_title(value),
        found=reader.operator.label,
        wanted="readers in the cluster only",
    )


def _why_not(node: Node, role: RoleOf) -> str:
    if role.refusal is None:
        return "is itself a first convolution, which needs the dense layout"
    return role.refusal.message.removeprefix(title(node.operator)).strip()
