"""Chooses and orders the weights that a report shows."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.weights.weight_types import WeightFacts

__all__ = ["SORTS", "Selection", "select", "unmatched"]

SORTS: dict[str, Callable[[WeightFacts], Any]] = {
    "bytes": lambda weight: -weight.bytes_now,
    "zeros": lambda weight: -weight.zero_share,
    "saving": lambda weight: -weight.saving,
    "name": lambda weight: weight.name,
    "order": lambda _: 0,
}
"""Orders of weights; equal ones stay in the order of the file."""


class Selection(Record, frozen=True):
    """Which weights to show, and in which order.

    Attributes:
        sort: a key of `SORTS`.
        operators: patterns of operator names, in any case, and indices of operators, of which one
            must use the weight; empty for all.
        name: a pattern with *, ? and [] that the whole name must match.
        min_bytes: smallest number of bytes.
        min_zeros: smallest share of zeros, from 0 to 1.
        top: how many to show at most; 0 for all.
    """

    sort: str = "order"
    operators: tuple[str, ...] = ()
    name: str = "*"
    min_bytes: int = 0
    min_zeros: float = 0.0
    top: int = 0


def select(inspection: Inspection, selection: Selection) -> Inspection:
    """The same inspection with only the weights, and operators of the runtime, that were chosen.

    Totals, verdicts and clusters stay those of the whole model.
    """
    wanted = [operator.upper() for operator in selection.operators]
    chosen = [
        weight
        for weight in inspection.weights
        if (not wanted or any(_matches(use.name, use.operator, wanted) for use in weight.uses))
        and fnmatchcase(weight.name, selection.name)
        and weight.bytes_now >= selection.min_bytes
        and weight.zero_share >= selection.min_zeros
    ]
    chosen.sort(key=SORTS[selection.sort])
    if selection.top:
        chosen = chosen[: selection.top]
    runtime = inspection.runtime
    if wanted:
        runtime = tuple(
            msgspec.structs.replace(
                group,
                operators=tuple(o for o in group.operators if _matches(o.name, o.index, wanted)),
            )
            for group in runtime
        )
    return msgspec.structs.replace(inspection, weights=tuple(chosen), runtime=runtime)


def unmatched(inspection: Inspection, selection: Selection) -> tuple[str, ...]:
    """Those of the patterns of operators that match no operator of the model.

    Args:
        inspection: the inspection of the whole model.
        selection: what was chosen.
    """
    most = max((subgraph.operators for subgraph in inspection.file.subgraphs), default=0)
    indices = {str(index) for index in range(most)}
    names = [kind.name.upper() for kind in inspection.file.operators]
    return tuple(
        pattern
        for pattern in selection.operators
        if pattern.lstrip("#") not in indices
        and not any(fnmatchcase(name, pattern.upper()) for name in names)
    )


def _matches(name: str, index: int, patterns: list[str]) -> bool:
    return any(
        str(index) == pattern.lstrip("#") or fnmatchcase(name.upper(), pattern)
        for pattern in patterns
    )
