"""The stages in the order in which the runtime goes through them, for one subgraph on a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.sizes.placeholders import at_placeholders
from tflite_sparse.model.sizes.sized import input_shapes_of
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.stages.clusters import find_clusters
from tflite_sparse.xnnpack.stages.define.define import define
from tflite_sparse.xnnpack.stages.delegate.delegate import delegate
from tflite_sparse.xnnpack.stages.filter_failures import (
    lost_weights,
    misread_filters,
    uncounted_filters,
    unloadable,
)
from tflite_sparse.xnnpack.stages.fuse import fuse
from tflite_sparse.xnnpack.stages.layout.propagate import layout_failures
from tflite_sparse.xnnpack.stages.partition_state import PartitionState
from tflite_sparse.xnnpack.stages.profit import mark_layout, tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.model import Subgraph
    from tflite_sparse.model.zero_counts import ZeroCounts
    from tflite_sparse.xnnpack.assumptions import WhatIf
    from tflite_sparse.xnnpack.graph import Graph
    from tflite_sparse.xnnpack.plan_types import Failure, Reason
    from tflite_sparse.xnnpack.releases.runtimes import Runtime
    from tflite_sparse.xnnpack.releases.targets import Target
    from tflite_sparse.xnnpack.stages.delegate.partition import Run

__all__ = ["Pipeline"]

# In the order in which they show: a model that does not load never aborts or computes.
_FIRST = (
    Outcome.LOAD_FAILURE,
    Outcome.PROCESS_ABORT,
    Outcome.WRONG_NUMBERS,
    Outcome.OUTPUT_SHAPE,
)


class Pipeline:
    """Takes a subgraph through the stages.

    The delegate stage looks at the whole subgraph; every later one at each partition on its own.

    Args:
        subgraph: the subgraph; it is only looked at.
        target: the hardware.
        runtime: the release of the runtime.
        assume: assumptions about weights.
        zeros: counts the zeros for which there is no assumption.

    Attributes:
        delegation: what XNNPACK takes, and in which partitions.
    """

    def __init__(
        self,
        subgraph: Subgraph,
        target: Target,
        runtime: Runtime,
        assume: WhatIf,
        zeros: ZeroCounts,
    ) -> None:
        self.delegation = delegate(subgraph, runtime, assume)
        self._subgraph = subgraph
        self._target = target
        self._runtime = runtime
        self._assume = assume
        self._zeros = zeros

    def find_clusters(self, index: int, run: Run) -> PartitionState:
        """A partition after define, fuse, role and cluster, with its zeros; not laid out yet."""
        if not input_shapes_of(self._subgraph.model).inputs:
            graph = self._graph(run)
            clusters = find_clusters(graph)
        else:
            # XNNPACK's graph is made of the shapes in the file, before the runtime works out any:
            # of what stands there for open sizes. What it then computes is of real size.
            with at_placeholders(self._subgraph):
                graph = self._graph(run)
                clusters = find_clusters(graph)
            _reshape(graph, self._graph(run))
        partition = PartitionState(index, run, graph, clusters, self.delegation.hints(run))
        for leader, cluster in clusters.by_leader.items():
            partition.tallies[leader] = tally(cluster, self._assume, self._zeros)
        return partition

    def _graph(self, run: Run) -> Graph:
        """A partition after define and fuse."""
        graph = define(run, self.delegation, self._runtime, fp16=self._target.fp16)
        fuse(graph)
        return graph

    def lay_out(self, partition: PartitionState) -> None:
        """Gives profitable clusters the sparse layout, and records what goes wrong."""
        if self._target.sparse and partition.hints and partition.clusters.has_exit:
            partition.failures.extend(uncounted_filters(partition))
            for leader, cluster in partition.clusters.by_leader.items():
                if not cluster.dead and partition.tallies[leader].profitable:
                    mark_layout(cluster, partition.clusters)
            partition.failures.extend(layout_failures(partition.graph))

    def find_failures(
        self, partitions: Iterable[PartitionState]
    ) -> tuple[Outcome | None, tuple[Reason, ...]]:
        """The failure that shows first, with its reasons; None and () where nothing fails."""
        failures: list[Failure] = [
            *unloadable(self.delegation),
            *misread_filters(self.delegation, self._subgraph),
            *lost_weights(self.delegation, self._subgraph),
        ]
        for partition in partitions:
            failures.extend(partition.failures)
        if not failures:
            return None, ()
        outcome = min((failure.outcome for failure in failures), key=_FIRST.index)
        return outcome, tuple(failure.why for failure in failures if failure.outcome is outcome)


def _reshape(graph: Graph, sized: Graph) -> None:
    """Gives the values of a graph the shapes of the same graph at other sizes."""
    for value, twin in zip(graph.values, sized.values, strict=False):
        value.shape = twin.shape
