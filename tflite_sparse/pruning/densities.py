"""How zeros are spread over filters without a look at data, within the rule of clusters."""

from __future__ import annotations

import glob
import math
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from tflite_sparse.errors import UsageError
from tflite_sparse.pruning.options import Allocation, is_named
from tflite_sparse.words.numbers import rounded_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.pruning.filters import Prunable, Selected
    from tflite_sparse.pruning.options import LayerShare, PruneOptions

__all__ = [
    "LEAST_ZEROS",
    "MOST_KEPT",
    "check_clusters",
    "check_overrides",
    "kept_shares",
    "least_zeros",
    "with_numbers",
]

LEAST_ZEROS = 2 / 3
"""XNNPACK runs a cluster sparse where more of its weights than that are zero."""

MOST_KEPT = 2.0
"""A filter keeps no more values than so many times its even share: one that is left dense costs
more in the sparse layout than it takes as it is, and then nothing runs sparse."""

_MARGIN = 1e-3


def kept_shares(
    selected: Selected, zeros: float, allocation: Allocation, options: PruneOptions
) -> list[float]:
    """The share of values that each filter keeps.

    Args:
        selected: the filters.
        zeros: share of zeros in all of them together.
        allocation: uniform, or ERK (Erdős-Rényi kernel): filters keep values in proportion to the
            sum of their dimensions, so that small ones keep more, up to `MOST_KEPT`.
        options: for overrides.

    Raises:
        UsageError: there cannot be so many zeros in the filters that are left.
    """
    filters = selected.filters
    fixed = [options.override(prunable) for prunable in filters]
    kept = [0.0 if share is None else 1 - share for share in fixed]
    open_ = [index for index, share in enumerate(fixed) if share is None]
    budget = (1 - zeros) * sum(p.size for p in filters)
    budget -= sum(kept[i] * p.size for i, p in enumerate(filters) if i not in open_)
    if not open_:
        return kept
    if budget < 0:
        raise UsageError(
            f"overrides keep more values than {rounded_percent(zeros)} zeros leave",
            hint="ask for fewer zeros, or for more in --layer",
        )
    raw = [_raw(filters[i], allocation) for i in open_]
    sizes = [filters[i].size for i in open_]
    for index, share in zip(open_, _scaled(raw, sizes, budget), strict=True):
        kept[index] = share
    return kept


def with_numbers(selected: Selected, options: PruneOptions) -> PruneOptions:
    """The same options, with the tensor of each filter in `layers` found by its number.

    A name that only one weight has is enough; of others the operators that read it must be the
    same too.

    Raises:
        UsageError: a filter is not there, or is not pruned, or nothing tells which one it is.
    """
    numbered = dict(options.numbered)
    for layer in options.layers:
        numbered[_only(selected, layer, options.layers).weight.tensor.index] = layer.share
    return replace(options, numbered=numbered)


def _only(selected: Selected, layer: LayerShare, layers: Sequence[LayerShare]) -> Prunable:
    """The filter that a share is for."""
    named = [p for p in selected.filters if layer.name in (p.id.name, p.weight.tensor.name)]
    if not named:
        raise _missing(selected, glob.escape(layer.name))
    others = [left for left in selected.left if left.weight.name == named[0].id.name]
    if len(named) == 1 and not others and sum(one.name == layer.name for one in layers) == 1:
        return named[0]
    read = [prunable for prunable in named if prunable.id.operators == layer.operators]
    if len(read) == 1:
        return read[0]
    if layer.operators:
        raise UsageError(
            f"no filter called {named[0].id.name!r} that is pruned is read by"
            f" {' and '.join(layer.operators)}",
            hint="make the recipe of this model",
        )
    raise UsageError(
        f"{len(named) + len(others)} weights are called {named[0].id.name!r}, and the recipe does"
        " not say which one it means",
        hint="make it anew: recipes name the operators that read a filter",
    )


def check_overrides(selected: Selected, options: PruneOptions) -> None:
    """Refuses a share of zeros for filters that are not there, or are not pruned.

    Raises:
        UsageError: nothing that is pruned has such a name.
    """
    for pattern, _ in options.overrides:
        if not any(is_named(pattern, prunable.names) for prunable in selected.filters):
            raise _missing(selected, pattern)


def _missing(selected: Selected, pattern: str) -> UsageError:
    left = next((left for left in selected.left if is_named(pattern, (left.weight.name,))), None)
    if left is not None:
        return UsageError(
            f"{left.weight.name} is not pruned, and so cannot have a share of zeros: {left.reason}",
            hint=f"leave out the share of {pattern!r}",
        )
    return UsageError(
        f"no filter that is pruned is called {pattern!r}",
        hint=f"one of the names is {selected.filters[0].id.name}; * and ? stand for others",
    )


def _raw(prunable: Prunable, allocation: Allocation) -> float:
    if allocation is not Allocation.ERK:
        return 1.0
    shape = prunable.weight.tensor.shape
    return sum(shape) / math.prod(shape)


def _scaled(raw: Sequence[float], sizes: Sequence[int], budget: float) -> list[float]:
    """Shares in proportion to `raw`, none too large, that keep as many values as the budget."""
    full: set[int] = set()
    most = min(1.0, MOST_KEPT * budget / sum(sizes))
    while True:
        rest = budget - most * sum(sizes[i] for i in full)
        weight = sum(raw[i] * sizes[i] for i in range(len(raw)) if i not in full)
        factor = rest / weight if weight else 0.0
        above = {i for i in range(len(raw)) if i not in full and raw[i] * factor > most}
        if not above:
            return [most if i in full else raw[i] * factor for i in range(len(raw))]
        full |= above


def least_zeros(selected: Selected, cluster: int) -> float:
    """The share of zeros in the pruned filters of a cluster that it takes to run sparse."""
    size = sum(p.size for p in selected.filters if p.cluster == cluster)
    others = selected.other_values.get(cluster, 0)
    wanted = (LEAST_ZEROS + _MARGIN) * (size + others) - selected.other_zeros.get(cluster, 0)
    return max(0.0, wanted / size) if size else 0.0


def check_clusters(selected: Selected, kept: Sequence[float]) -> None:
    """Refuses what leaves a cluster with too few zeros.

    Raises:
        UsageError: a cluster would run dense.
    """
    filters = selected.filters
    for cluster in sorted({p.cluster for p in filters}):
        own = [i for i, p in enumerate(filters) if p.cluster == cluster]
        sizes = np.array([filters[i].size for i in own], np.float64)
        zeros = 1 - float(np.dot(sizes, [kept[i] for i in own]) / sizes.sum())
        least = least_zeros(selected, cluster)
        if zeros < least - _MARGIN / 2:
            names = filters[own[0]].id.name
            others = f" and {len(own) - 1} others" if len(own) > 1 else ""
            raise UsageError(
                f"{names}{others} would have {rounded_percent(zeros, 1)} zeros, and run dense:"
                f" together they need {rounded_percent(least, 1)}",
                hint=f"ask for more zeros: --zeros {math.ceil(least * 100) / 100:.2f}",
            )
