"""The stages that a partition goes through, and what goes wrong on the way; no more than that.

Rewrites ask several times whether a result would still be right; a whole `Plan` also says what
becomes of every operator, and takes several times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse._dataclass import dataclass
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.xnnpack.assumptions import NOTHING
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.targets import target as target_of
from tflite_sparse.xnnpack.stages.clusters import find_clusters
from tflite_sparse.xnnpack.stages.define import define
from tflite_sparse.xnnpack.stages.delegate.delegate import delegate
from tflite_sparse.xnnpack.stages.filter_failures import (
    lost_weights,
    misread_filters,
    uncounted_filters,
    unloadable,
)
from tflite_sparse.xnnpack.stages.fuse import fuse
from tflite_sparse.xnnpack.stages.layout.propagate import follow
from tflite_sparse.xnnpack.stages.partition_state import Part
from tflite_sparse.xnnpack.stages.profit import apply_layout, tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tflite_sparse.model import Subgraph
    from tflite_sparse.xnnpack.assumptions import WhatIf
    from tflite_sparse.xnnpack.plan_types import Failure, Reason
    from tflite_sparse.xnnpack.releases.targets import Target
    from tflite_sparse.xnnpack.stages.delegate.delegate import Delegation
    from tflite_sparse.xnnpack.stages.delegate.partition import Run

__all__ = ["Forecast", "delegated", "find_failures", "forecast", "lay_part", "open_part"]

# What shows first: a model that does not load never aborts or computes.
_FIRST = (Outcome.LOAD_FAILURE, Outcome.PROCESS_ABORT, Outcome.WRONG_NUMBERS)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Whether a subgraph runs, and where.

    Attributes:
        failure: what goes wrong; None where nothing does.
        reasons: why, first things first.
        partitions: index of each operator that XNNPACK takes -> its partition.
    """

    failure: Outcome | None
    reasons: tuple[Reason, ...]
    partitions: Mapping[int, int]


def forecast(
    subgraph: Subgraph,
    target: Target | str,
    *,
    assume: WhatIf = NOTHING,
    zeros: ZeroCounts | None = None,
) -> Forecast:
    """Finds out whether the runtime runs a subgraph; agrees with a plan.

    Args:
        subgraph: the subgraph; it is only looked at.
        target: the hardware, or its name.
        assume: assumptions about weights, see `WhatIf`.
        zeros: zeros that were counted before, and where to keep those that are counted now.

    Raises:
        UsageError: there is no such target.
        EncodingError: a sparse weight is malformed.
        ModelError: a weight's buffer does not fit its shape.
    """
    hardware = target_of(target)
    zeros = zeros or ZeroCounts()
    delegation = delegate(subgraph, hardware.runtime, assume)
    parts = []
    for index, run in enumerate(delegation.partitions):
        # Without a sparse weight, the runtime does not even look for clusters.
        if hardware.sparse and delegation.hints(run):
            parts.append(open_part(index, run, delegation, hardware, assume, zeros))
            lay_part(parts[-1], hardware)
    failure, reasons = find_failures(delegation, parts, subgraph)
    return Forecast(failure, reasons, _partitions(delegation))


def delegated(
    subgraph: Subgraph, target: Target | str, *, assume: WhatIf = NOTHING
) -> frozenset[int]:
    """The indices of the operators that XNNPACK takes, as in a plan.

    Args:
        subgraph: the subgraph; it is only looked at.
        target: the hardware, or its name.
        assume: assumptions about weights, see `WhatIf`.

    Raises:
        UsageError: there is no such target.
    """
    hardware = target_of(target)
    return frozenset(_partitions(delegate(subgraph, hardware.runtime, assume)))


def open_part(
    index: int,
    run: Run,
    delegation: Delegation,
    target: Target,
    assume: WhatIf,
    zeros: ZeroCounts,
) -> Part:
    """A partition after fusion, with its clusters and their zeros; not laid out yet."""
    graph = define(run, delegation, fp16=target.fp16)
    fuse(graph)
    clusters = find_clusters(graph)
    part = Part(index, run, graph, clusters, [], delegation.hints(run))
    for leader, cluster in clusters.by_leader.items():
        part.tallies[leader] = tally(cluster, assume, zeros)
    return part


def lay_part(part: Part, target: Target) -> None:
    """Puts the clusters that go sparse into their layout, and notes what goes wrong."""
    if target.sparse and part.hints and part.clusters.has_exit:
        part.failures.extend(uncounted_filters(part))
        for leader, cluster in part.clusters.by_leader.items():
            if not cluster.dead and part.tallies[leader].profitable:
                apply_layout(cluster, part.clusters)
        part.failures.extend(follow(part.graph))


def find_failures(
    delegation: Delegation, parts: Iterable[Part], subgraph: Subgraph
) -> tuple[Outcome | None, tuple[Reason, ...]]:
    """What goes wrong first, and all reasons for that; None and nothing where nothing does."""
    found: list[Failure] = [
        *unloadable(delegation),
        *misread_filters(delegation, subgraph),
        *lost_weights(delegation, subgraph),
    ]
    for part in parts:
        found.extend(part.failures)
    if not found:
        return None, ()
    outcome = min((failure.outcome for failure in found), key=_FIRST.index)
    return outcome, tuple(failure.why for failure in found if failure.outcome is outcome)


def _partitions(delegation: Delegation) -> dict[int, int]:
    return {
        op.index: index for index, run in enumerate(delegation.partitions) for op in run.operators
    }
