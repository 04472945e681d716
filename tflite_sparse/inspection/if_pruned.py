"""What a model that has too few zeros would win by more of them: estimates without any rewrite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.encoding.sparse_encoding import index_type
from tflite_sparse.errors import EncodingError, ModelError
from tflite_sparse.inspection.gain import gain_costs, possible_gain
from tflite_sparse.inspection.if_pruned_types import IfPruned
from tflite_sparse.model.types import FLOATS
from tflite_sparse.xnnpack.assumptions import WhatIf
from tflite_sparse.xnnpack.cost.wide import wide_saving
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.weights.weight_types import WeightFacts
    from tflite_sparse.model import Model, Tensor
    from tflite_sparse.model.zero_counts import ZeroCounts

__all__ = ["SHARES", "if_pruned", "sparse_bytes", "with_if_pruned"]

SHARES = (0.7, 0.8, 0.9)
"""Shares of zeros that pruning reaches."""

_NEEDED = 2 / 3
_NOTABLE = 1.05
_RANK = 4
# The tables that tell how one weight is stored, and its DENSIFY.
_TABLES = 300


def if_pruned(
    model: Model, inspection: Inspection, zeros: ZeroCounts, shares: Sequence[float] = SHARES
) -> tuple[IfPruned, ...]:
    """What more zeros would win.

    Args:
        model: the model.
        inspection: what is known of it, with all its weights.
        zeros: zeros that were counted before.
        shares: the shares of zeros to tell of.

    Returns:
        One for each share that is larger than the model's own; none for a model that has enough
        zeros, fails, or has no 1x1 convolution in floats that would become faster.
    """
    on_maps = _of_maps(model)
    filters = [weight for weight in inspection.weights if _may_run_sparse(weight, on_maps)]
    elements = sum(weight.elements for weight in filters)
    own = sum(weight.zeros or 0 for weight in filters)
    dense = [g for g in inspection.runtime if g.pointwise and not g.off_by_design]
    if (
        not elements
        or own > _NEEDED * elements
        or inspection.problems
        or not dense
        or any(group.elsewhere is not Outcome.DENSE for group in dense)
    ):
        return ()
    gains = {share: possible_gain(inspection, share) for share in shares}
    if all(gain is None or gain.times < _NOTABLE for gain in gains.values()):
        return ()
    ready = _runs_sparse(model, dense[0].targets[0].name, filters, max(shares), zeros)
    chosen = {(weight.subgraph, weight.tensor) for weight in filters}
    saved = sum(w.saving for w in inspection.weights if (w.subgraph, w.tensor) not in chosen)
    views = []
    for share, gain in gains.items():
        if share > own / elements:
            wide = [] if gain is None else _wide_that_pay(inspection, share, gain.target)
            # Each becomes as many 1x1 filters as it has positions.
            less = sum(_saved(weight, share) for weight in (*filters, *wide))
            less -= sum(weight.saving for weight in wide)
            views.append(
                IfPruned(
                    zeros=share,
                    target=None if gain is None else gain.target,
                    times=None if gain is None else gain.times,
                    size=inspection.size - saved - less,
                    layers=len(filters) + len(wide),
                    as_it_is=ready,
                    counted=gain is not None and gain.counted,
                )
            )
    return tuple(views)


def _wide_that_pay(inspection: Inspection, share: float, target: str) -> list[WeightFacts]:
    """The filters larger than 1x1 that are part of a gain."""
    costs = gain_costs(target)
    return [
        weight
        for weight in inspection.weights
        if weight.wide
        and weight.elements
        and any(
            use.wide and wide_saving(use.macs, weight.shape, share, costs) > 0
            for use in weight.uses
        )
    ]


def sparse_bytes(shape: Sequence[int], zeros: float, width: int) -> int:
    """Bytes of a filter of a 1x1 convolution that is stored sparse, with what tells how.

    Args:
        shape: (outputs, 1, 1, inputs).
        zeros: its share of zeros, 0 to 1.
        width: bytes of a value.
    """
    rows, columns = shape[0], shape[-1]
    kept = round(rows * columns * (1 - zeros))
    segment = index_type(kept).itemsize
    # Stored by rows or by columns, whichever is smaller: the runtime takes both.
    return min(
        kept * (width + index_type(max(0, inner - 1)).itemsize) + (outer + 1) * segment + _TABLES
        for outer, inner in ((rows, columns), (columns, rows))
    )


def _may_run_sparse(weight: WeightFacts, on_maps: set[tuple[int, int]]) -> bool:
    if not (weight.pointwise and weight.type in FLOATS and len(weight.shape) == _RANK):
        return False
    return any((use.subgraph, use.operator) in on_maps for use in weight.uses)


def _of_maps(model: Model) -> set[tuple[int, int]]:
    """Operators whose result is a map, or becomes part of one, as (subgraph, operator).

    A cluster ends where a map is averaged: a classifier behind that runs dense, while what is
    computed of the average and then multiplied by the map, as in squeeze and excitation, does not.
    """
    found = set()
    for subgraph in model.subgraphs:
        parts: set[Tensor] = set()
        for operator in reversed(subgraph.operators):
            if any(_is_map(t) or t in parts for t in operator.outputs if t is not None):
                found.add((subgraph.index, operator.index))
                parts.update(t for t in operator.inputs if t is not None)
    return found


def _is_map(tensor: Tensor) -> bool:
    shape = tensor.shape_signature or tensor.shape
    return len(shape) == _RANK and any(size != 1 for size in shape[1:3])


def _saved(weight: WeightFacts, zeros: float) -> int:
    width = max(1, (weight.bytes_dense or weight.bytes_now) // max(1, weight.elements))
    positions = math.prod(weight.shape[1:-1])
    return max(0, weight.bytes_now - positions * sparse_bytes(weight.shape, zeros, width))


def _runs_sparse(
    model: Model, target: str, filters: Sequence[WeightFacts], share: float, zeros: ZeroCounts
) -> bool:
    """Whether all of the filters would run sparse in the graph as it stands."""
    main = [weight for weight in filters if weight.subgraph == 0]
    assume = WhatIf(
        encoded=frozenset(weight.tensor for weight in main if weight.storage == "dense"),
        zeros={weight.tensor: round(share * weight.elements) for weight in main},
    )
    try:
        verdict = plan(model.main, target, assume=assume, zeros=zeros).verdict
    except (EncodingError, ModelError):
        return False
    return (
        verdict.elsewhere is Outcome.SPARSE
        and verdict.sparse_pointwise == verdict.pointwise > 0
        and len(main) == len(filters)
    )


def with_if_pruned(model: Model, inspection: Inspection, zeros: ZeroCounts) -> Inspection:
    """The inspection with what more zeros would win."""
    return msgspec.structs.replace(inspection, what_if=if_pruned(model, inspection, zeros))
