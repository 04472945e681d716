"""The plan: what the runtime will do with every operator of a subgraph, and the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.sizes.sized import resize
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.records import Record
from tflite_sparse.xnnpack.assumptions import NO_ASSUMPTIONS
from tflite_sparse.xnnpack.explain.advice import changes
from tflite_sparse.xnnpack.explain.components import find_components
from tflite_sparse.xnnpack.explain.describe import (
    describe_clusters,
    describe_filters,
    describe_operators,
    describe_partitions,
)
from tflite_sparse.xnnpack.plan_types import (
    ClusterPlan,
    FilterPlan,
    OperatorPlan,
    Outcome,
    PartitionPlan,
    Verdict,
)
from tflite_sparse.xnnpack.releases.runtimes import Runtime
from tflite_sparse.xnnpack.releases.targets import Target
from tflite_sparse.xnnpack.releases.targets import target as target_of
from tflite_sparse.xnnpack.stages.fuse import inline_quantization
from tflite_sparse.xnnpack.stages.kernels import executed_names
from tflite_sparse.xnnpack.stages.missing_kernels import missing_kernels, outcome_of
from tflite_sparse.xnnpack.stages.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model import Subgraph
    from tflite_sparse.xnnpack.assumptions import WhatIf
    from tflite_sparse.xnnpack.stages.delegate.partition import Run
    from tflite_sparse.xnnpack.stages.partition_state import PartitionState

__all__ = ["Plan", "plan"]


class Plan(Record, frozen=True):
    """What the runtime will do with a subgraph.

    Attributes:
        target: the hardware.
        runtime: the release of the runtime.
        verdict: the outcome, its reasons, counts, and what would make a dense model sparse.
        operators: every operator, by its index.
        filters: those that 1x1 convolutions and FULLY_CONNECTED multiply by.
        clusters: the clusters with filters, in the order of execution.
        partitions: what XNNPACK runs as one, in the order of execution.
    """

    target: Target
    runtime: Runtime
    verdict: Verdict
    operators: tuple[OperatorPlan, ...]
    filters: tuple[FilterPlan, ...]
    clusters: tuple[ClusterPlan, ...]
    partitions: tuple[PartitionPlan, ...]

    @property
    def outcome(self) -> Outcome:
        """The outcome of running the model."""
        return self.verdict.outcome

    @property
    def executed(self) -> tuple[str, ...]:
        """The operators that XNNPACK runs, in order, as LiteRT's profiler names them."""
        return tuple(name for partition in self.partitions for name in partition.executed)

    @property
    def hinted(self) -> bool:
        """Whether sparse inference is considered in any partition."""
        return any(partition.hinted for partition in self.partitions)


def plan(
    subgraph: Subgraph,
    target: Target | str,
    *,
    assume: WhatIf = NO_ASSUMPTIONS,
    runtime: Runtime | None = None,
    zeros: ZeroCounts | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
) -> Plan:
    """Works out what the runtime will do with a subgraph.

    Args:
        subgraph: the subgraph; it is only looked at.
        target: the hardware, or its name.
        assume: assumptions about weights, see `WhatIf`.
        runtime: the release of the runtime; None for the target's.
        zeros: zeros that were counted before, and where to keep those that are counted now; saves
            time for several plans of a model.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one; None for
            those that the model is looked at with, see `Model.input_shapes`.

    Raises:
        UsageError: there is no such target or input, or no model of such a size.
        EncodingError: a sparse weight is malformed.
        ModelError: a weight's buffer does not fit its shape.
    """
    if input_shapes is not None:
        resize(subgraph.model, input_shapes)
    hardware = target_of(target)
    runtime = runtime or hardware.runtime
    pipeline = Pipeline(subgraph, hardware, runtime, assume, zeros or ZeroCounts())
    delegation = pipeline.delegation
    partitions = [_planned(pipeline, i, run) for i, run in enumerate(delegation.partitions)]
    failure, reasons = pipeline.find_failures(partitions)
    operators = describe_operators(subgraph, delegation, partitions, hardware)
    filters = describe_filters(partitions)
    pointwise = {counted.operator for counted in filters if counted.pointwise}
    sparse = any(op.kernel for op in operators)
    elsewhere = failure or (Outcome.SPARSE if sparse else Outcome.DENSE)
    missing = missing_kernels(delegation, subgraph)
    verdict = Verdict(
        outcome=outcome_of(missing) if missing else elsewhere,
        pointwise=len(pointwise),
        sparse_pointwise=sum(op.index in pointwise and op.kernel is not None for op in operators),
        macs=sum(op.macs for op in operators),
        sparse_macs=sum(op.macs for op in operators if op.kernel is not None),
        reasons=(*missing, *reasons),
        changes=changes(partitions, hardware) if elsewhere is Outcome.DENSE else (),
        elsewhere=elsewhere,
        missing=missing,
    )
    return Plan(
        target=hardware,
        runtime=runtime,
        verdict=verdict,
        operators=operators,
        filters=filters,
        clusters=describe_clusters(partitions),
        partitions=describe_partitions(partitions),
    )


def _planned(pipeline: Pipeline, index: int, run: Run) -> PartitionState:
    """A partition after all stages."""
    partition = pipeline.find_clusters(index, run)
    partition.components = find_components(partition.graph, partition.clusters)
    pipeline.lay_out(partition)
    inline_quantization(partition.graph)
    partition.executed = executed_names(partition.graph.nodes, partition.graph.runtime)
    return partition
