"""Whether the runtime runs a subgraph, and what goes wrong; no more than that.

Kernels that a stock runtime lacks count for nothing here: where an app brings them, all goes on as
in any other model, and a rewrite must keep it right.

Rewrites ask several times whether a result would still be right; a whole `Plan` also says what
becomes of every operator, and takes several times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.xnnpack.assumptions import NO_ASSUMPTIONS
from tflite_sparse.xnnpack.plan_types import Outcome, Reason
from tflite_sparse.xnnpack.releases.targets import target as target_of
from tflite_sparse.xnnpack.stages.delegate.delegate import delegate
from tflite_sparse.xnnpack.stages.kernels import is_sparse_kernel
from tflite_sparse.xnnpack.stages.missing_kernels import missing_kernels
from tflite_sparse.xnnpack.stages.pipeline import Pipeline

if TYPE_CHECKING:
    from tflite_sparse.model import Subgraph
    from tflite_sparse.xnnpack.assumptions import WhatIf
    from tflite_sparse.xnnpack.releases.targets import Target
    from tflite_sparse.xnnpack.stages.delegate.delegate import Delegation

__all__ = ["Forecast", "delegated", "forecast"]


class Forecast(msgspec.Struct, frozen=True):
    """Whether a subgraph runs, and where.

    Attributes:
        failure: what goes wrong; None where nothing does.
        reasons: why, first things first.
        partitions: index of each operator that XNNPACK takes -> its partition.
        missing: by which only a stock runtime, without the kernels of an app, does not load it.
        sparse: whether anything runs on sparse kernels, where nothing fails.
    """

    failure: Outcome | None
    reasons: tuple[Reason, ...]
    partitions: Mapping[int, int]
    missing: tuple[Reason, ...] = ()
    sparse: bool = False


def forecast(
    subgraph: Subgraph,
    target: Target | str,
    *,
    assume: WhatIf = NO_ASSUMPTIONS,
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
    pipeline = Pipeline(subgraph, hardware, hardware.runtime, assume, zeros or ZeroCounts())
    delegation = pipeline.delegation
    partitions = []
    for index, run in enumerate(delegation.partitions):
        # Without a sparse weight, the runtime does not even look for clusters.
        if hardware.sparse and delegation.hints(run):
            partition = pipeline.find_clusters(index, run)
            pipeline.lay_out(partition)
            partitions.append(partition)
    failure, reasons = pipeline.find_failures(partitions)
    missing = missing_kernels(delegation, subgraph)
    sparse = any(is_sparse_kernel(node) for part in partitions for node in part.graph.nodes)
    return Forecast(failure, reasons, _partitions(delegation), missing, sparse)


def delegated(
    subgraph: Subgraph, target: Target | str, *, assume: WhatIf = NO_ASSUMPTIONS
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


def _partitions(delegation: Delegation) -> dict[int, int]:
    return {
        op.index: index for index, run in enumerate(delegation.partitions) for op in run.operators
    }
