"""A partition on its way through the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.xnnpack.explain.components import Component
from tflite_sparse.xnnpack.graph import Graph
from tflite_sparse.xnnpack.plan_types import Failure, HintSource
from tflite_sparse.xnnpack.stages.clusters import Clusters
from tflite_sparse.xnnpack.stages.delegate.partition import Run
from tflite_sparse.xnnpack.stages.profit import Tally

if TYPE_CHECKING:
    from tflite_sparse.model.zero_counts import Counts
    from tflite_sparse.xnnpack.graph import Node

__all__ = ["PartitionState"]


class PartitionState(msgspec.Struct, eq=False):
    """What the stages have found out about a partition.

    Attributes:
        index: its number.
        run: its operators.
        graph: its nodes after fusion.
        clusters: its clusters and roles.
        hints: the sparse weights in it.
        components: the clusters as people see them.
        tallies: zeros of each cluster, by the number of its leader.
        failures: what goes wrong.
        executed: names of the operators that run.
    """

    index: int
    run: Run
    graph: Graph
    clusters: Clusters
    hints: tuple[HintSource, ...]
    components: list[Component] = msgspec.field(default_factory=list)
    tallies: dict[int, Tally] = msgspec.field(default_factory=dict)
    failures: list[Failure] = msgspec.field(default_factory=list)
    executed: tuple[str, ...] = ()

    def counts(self, node: Node) -> Counts | None:
        """The zeros of a node's filter, None where it has none that counts."""
        return self.tallies[self.clusters.leaders[node.number]].counts.get(node.number)
