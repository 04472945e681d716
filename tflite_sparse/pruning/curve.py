"""What pruning to any share of zeros would make of a model: one rewrite, and the rest reckoned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.if_pruned import sparse_bytes
from tflite_sparse.inspection.if_pruned_types import IfPruned
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import weight_bytes
from tflite_sparse.model.types import FLOATS
from tflite_sparse.model.weights import find_weights
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.pruning.densities import least_zeros
from tflite_sparse.pruning.filters import TRIED, find_filters, pruned_number
from tflite_sparse.pruning.options import PruneOptions
from tflite_sparse.records import Amount, Count, Record, Share
from tflite_sparse.rewrite.adapt.outlook import TARGETS
from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.releases.targets import targets as all_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.pruning.filters import Selected
    from tflite_sparse.xnnpack.plan import Plan

__all__ = ["CurvePoint", "PruningCurve", "TargetTime", "pruning_curve"]


class TargetTime(Record, frozen=True):
    """The estimated time of a run on a target.

    Attributes:
        target: the target.
        dense_ms: of the model as it is, without sparse kernels, in milliseconds.
        ms: of the pruned and optimized model.
    """

    target: str
    dense_ms: Amount
    ms: Amount

    @property
    def times(self) -> float:
        """How many times as fast."""
        return self.dense_ms / self.ms if self.ms else 1.0


class CurvePoint(Record, frozen=True):
    """What a share of zeros makes of a model.

    Attributes:
        zeros: the share in the filters that are pruned, 0 to 1.
        sparse: how many filters run sparse.
        size: bytes of the optimized file, about.
        times: estimates of time, for the targets that were measured.
    """

    zeros: Share
    sparse: Count
    size: Count
    times: tuple[TargetTime, ...]


class PruningCurve(msgspec.Struct, frozen=True, eq=False):
    """A model over the share of zeros.

    Attributes:
        points: by rising share.
        least: the share from which the filters run sparse.
        filters: names of the filters to prune, in the order in which the model reads them.
        trial: the model with `TRIED` zeros, after `optimize`.
    """

    points: tuple[CurvePoint, ...]
    least: float
    filters: tuple[str, ...]
    trial: Model

    def if_pruned(self) -> tuple[IfPruned, ...]:
        """The points as an inspection tells them, for the first target with an estimate."""
        return tuple(
            IfPruned(
                zeros=point.zeros,
                target=point.times[0].target if point.times else None,
                times=point.times[0].times if point.times else None,
                size=point.size,
                layers=len(self.filters),
                as_it_is=False,
                worked_out=True,
                filters=self.filters,
            )
            for point in self.points
        )


def pruning_curve(
    model: Model, shares: Sequence[float], targets: Sequence[str] = ()
) -> PruningCurve | None:
    """What `prune` and then `optimize` would make of a model, for shares of zeros.

    The graph is rewritten once, with `TRIED` zeros; sizes and estimates follow from how many values
    each filter would keep. With too few zeros the model stays as it is.

    Args:
        model: the model; it stays as it is.
        shares: the shares, 0 to 1.
        targets: names of the targets on which filters must run sparse; empty for the usual ones.

    Returns:
        The curve; None where no filter would run sparse.

    Raises:
        RewriteError: the model cannot be written without loss.
        UsageError: there is no such target.
    """
    selected = find_filters(model, PruneOptions(zeros=TRIED, targets=tuple(targets)))
    if not selected.filters:
        return None
    clusters = {prunable.cluster for prunable in selected.filters}
    least = max(least_zeros(selected, cluster) for cluster in clusters)
    plans = list(_plans(model, selected.trial, targets or TARGETS))
    fixed = _fixed_bytes(selected)
    return PruningCurve(
        points=tuple(
            CurvePoint(
                zeros=share,
                sparse=len(selected.filters) if share >= least else 0,
                size=fixed + _sparse_bytes(selected, share) if share >= least else model.size,
                times=tuple(_times(model, selected, plans, share, sparse=share >= least)),
            )
            for share in sorted(shares)
        ),
        least=least,
        filters=tuple(prunable.id.name for prunable in selected.filters),
        trial=selected.trial,
    )


def _plans(model: Model, trial: Model, targets: Sequence[str]) -> Iterator[tuple[Plan, Plan]]:
    """The plans of the dense model and of the trial, on targets with prices."""
    before, after = ZeroCounts(), ZeroCounts()
    names = {target.name for target in all_targets()}
    for name in sorted(targets, key=lambda name: name != "wasm"):
        dense = plan(model.main, name, zeros=before)
        if name in names and estimate(dense, model.main) is not None:
            yield dense, plan(trial.main, name, zeros=after)


def _times(
    model: Model,
    selected: Selected,
    plans: Sequence[tuple[Plan, Plan]],
    share: float,
    *,
    sparse: bool,
) -> Iterator[TargetTime]:
    for dense, tried in plans:
        before = estimate(dense, model.main)
        after = estimate(_with_share(tried, selected, share), selected.trial.main)
        if before is not None and after is not None:
            ms = after.planned_ms if sparse else before.planned_ms
            yield TargetTime(tried.target.name, before.dense_ms, ms)


def _with_share(tried: Plan, selected: Selected, share: float) -> Plan:
    """The plan of the trial as though the pruned filters had another share of zeros."""
    operators = selected.trial.main.operators
    filters = tuple(
        msgspec.structs.replace(counted, zeros=round(share * counted.parameters))
        if pruned_number(operators[counted.operator]) is not None
        else counted
        for counted in tried.filters
    )
    return msgspec.structs.replace(tried, filters=filters)


def _sparse_bytes(selected: Selected, share: float) -> int:
    return sum(
        sparse_bytes(tensor.shape, share, FLOATS[tensor.type].itemsize)
        for tensor in (prunable.weight.tensor for prunable in selected.filters)
    )


def _fixed_bytes(selected: Selected) -> int:
    """Bytes of the optimized file that do not depend on the share of zeros.

    Filters that the trial has zeros in, and that are not to be pruned, stay dense.
    """
    pruned = {prunable.number for prunable in selected.filters}
    fixed = len(selected.trial.to_bytes()) - _sparse_bytes(selected, TRIED)
    for weight in find_weights(selected.trial, by_bytes=True):
        number = next((n for op in weight.readers if (n := pruned_number(op)) is not None), None)
        if number is not None and number not in pruned:
            tensor = weight.tensor
            fixed += tensor.size * FLOATS[tensor.type].itemsize - weight_bytes(weight)
    return fixed
