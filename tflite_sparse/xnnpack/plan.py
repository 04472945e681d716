"""The plan: what the runtime will do with every operator of a subgraph, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.advice import changes
from tflite_sparse.xnnpack.assume import NOTHING
from tflite_sparse.xnnpack.clusters import find_clusters
from tflite_sparse.xnnpack.components import find_components
from tflite_sparse.xnnpack.define import define
from tflite_sparse.xnnpack.delegate import delegate
from tflite_sparse.xnnpack.describe import describe_clusters, describe_operators
from tflite_sparse.xnnpack.fuse import fuse, inline_quantization
from tflite_sparse.xnnpack.kernels import executed_name
from tflite_sparse.xnnpack.layout import follow
from tflite_sparse.xnnpack.outcome import (
    lost_weights,
    misread_filters,
    uncounted_filters,
    unloadable,
)
from tflite_sparse.xnnpack.profit import apply_layout, tally
from tflite_sparse.xnnpack.results import Outcome, PartitionPlan, Verdict
from tflite_sparse.xnnpack.stages import Part
from tflite_sparse.xnnpack.targets import target as target_of

if TYPE_CHECKING:
    from tflite_sparse.model import Subgraph
    from tflite_sparse.xnnpack.assume import WhatIf
    from tflite_sparse.xnnpack.delegate import Delegation
    from tflite_sparse.xnnpack.partition import Run
    from tflite_sparse.xnnpack.results import ClusterPlan, Failure, OperatorPlan
    from tflite_sparse.xnnpack.targets import Runtime, Target

__all__ = ["Plan", "delegated", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the runtime will do with a subgraph.

    Attributes:
        target: the hardware.
        runtime: the release of the runtime.
        verdict: the outcome, its reasons, counts, and what would make a dense model sparse.
        operators: every operator, by its index.
        clusters: the clusters with filters, in the order of execution.
        partitions: what XNNPACK runs as one, in the order of execution.
    """

    target: Target
    runtime: Runtime
    verdict: Verdict
    operators: tuple[OperatorPlan, ...]
    clusters: tuple[ClusterPlan, ...]
    partitions: tuple[PartitionPlan, ...]

    @property
    def outcome(self) -> Outcome:
        """What comes of running the model."""
        return self.verdict.outcome

    @property
    def executed(self) -> tuple[str, ...]:
        """The operators that XNNPACK runs, in order, as LiteRT's profiler names them."""
        return tuple(name for part in self.partitions for name in part.executed)

    @property
    def hinted(self) -> bool:
        """Whether sparse inference is considered in any partition."""
        return any(part.hinted for part in self.partitions)


def plan(
    subgraph: Subgraph,
    target: Target | str,
    *,
    assume: WhatIf = NOTHING,
    runtime: Runtime | None = None,
) -> Plan:
    """Works out what the runtime will do with a subgraph.

    Args:
        subgraph: the subgraph; it is only looked at.
        target: the hardware, or its name.
        assume: assumptions about weights, see `WhatIf`.
        runtime: the release of the runtime; None for the target's.

    Raises:
        UsageError: there is no such target.
        EncodingError: a sparse weight is malformed.
        ModelError: a weight's buffer does not fit its shape.
    """
    hardware = target_of(target) if isinstance(target, str) else target
    runtime = runtime or hardware.runtime
    delegation = delegate(subgraph, runtime, assume)
    parts = [
        _part(index, run, delegation, hardware, assume)
        for index, run in enumerate(delegation.partitions)
    ]
    failures = _failures(delegation, parts, subgraph)
    operators = describe_operators(subgraph, delegation, parts, hardware)
    clusters = describe_clusters(parts)
    outcome = failures[0].outcome if failures else Outcome.DENSE
    if not failures and any(op.kernel for op in operators):
        outcome = Outcome.SPARSE
    verdict = Verdict(
        outcome=outcome,
        reasons=tuple(failure.why for failure in failures if failure.outcome is outcome),
        pointwise=sum(op.pointwise for op in operators),
        sparse_pointwise=sum(op.pointwise and op.kernel is not None for op in operators),
        macs=sum(op.macs for op in operators),
        sparse_macs=sum(op.macs for op in operators if op.kernel is not None),
        changes=changes(parts, hardware) if outcome is Outcome.DENSE else (),
    )
    partitions = tuple(
        PartitionPlan(
            index=part.index,
            operators=tuple(op.index for op in part.run.operators),
            hints=part.hints,
            has_exit=part.clusters.has_exit,
            executed=part.executed,
        )
        for part in parts
    )
    return Plan(hardware, runtime, verdict, operators, clusters, partitions)


def delegated(
    subgraph: Subgraph, target: Target | str, *, assume: WhatIf = NOTHING
) -> frozenset[int]:
    """The indices of the operators that XNNPACK takes, as in a plan; found with much less work.

    Args:
        subgraph: the subgraph; it is only looked at.
        target: the hardware, or its name.
        assume: assumptions about weights, see `WhatIf`.

    Raises:
        UsageError: there is no such target.
    """
    hardware = target_of(target) if isinstance(target, str) else target
    partitions = delegate(subgraph, hardware.runtime, assume).partitions
    return frozenset(op.index for run in partitions for op in run.operators)


def _part(index: int, run: Run, delegation: Delegation, target: Target, assume: WhatIf) -> Part:
    graph = define(run, delegation, fp16=target.fp16)
    fuse(graph)
    clusters = find_clusters(graph)
    hints = delegation.hints(run)
    part = Part(index, run, graph, clusters, find_components(graph, clusters), hints)
    for leader, cluster in clusters.by_leader.items():
        part.tallies[leader] = tally(cluster, assume)
    if target.sparse and hints and clusters.has_exit:
        part.failures.extend(uncounted_filters(part))
        for leader, cluster in clusters.by_leader.items():
            if not cluster.dead and part.tallies[leader].profitable:
                apply_layout(cluster, clusters)
        part.failures.extend(follow(graph))
    inline_quantization(graph)
    part.executed = tuple(executed_name(node) for node in graph.nodes)
    return part


# What shows first: a model that does not load never aborts or computes.
_FIRST = (Outcome.LOAD_FAILURE, Outcome.PROCESS_ABORT, Outcome.WRONG_NUMBERS)


def _failures(delegation: Delegation, parts: list[Part], subgraph: Subgraph) -> list[Failure]:
    found = [
        *unloadable(delegation),
        *misread_filters(delegation),
        *lost_weights(delegation, subgraph),
    ]
    for part in parts:
        found.extend(part.failures)
    return sorted(found, key=lambda failure: _FIRST.index(failure.outcome))
