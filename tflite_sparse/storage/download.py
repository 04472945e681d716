"""Leaves int8 weights dense where their download, which is compressed, would not shrink."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from tflite_sparse.encoding import encode
from tflite_sparse.storage.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tflite_sparse.storage.decision import Candidate, Decision
    from tflite_sparse.storage.options import SparsifyOptions

__all__ = ["refuse_larger_download"]

# As most servers send files.
_LEVEL = 6

# What is left after compression of the tables that come with a sparse weight.
_TABLES = 0.5

_REFUSAL = Refusal(
    "download-grows",
    "no sparse kernel reads int8, and the download (after gzip) would not shrink;"
    " tflite-sparse sparsify stores it sparse all the same",
)


def refuse_larger_download(decisions: Iterable[Decision], options: SparsifyOptions) -> None:
    """Refuses the weights that run dense in any case, where together they would not be smaller.

    These are int8 weights that are read as such: an index for each value costs as much as the
    value, and zeros compress well by themselves. Weights of other types, and those that are
    converted to floats before anything reads them, may run sparse.

    Args:
        decisions: the weights, each with its decision.
        options: whether the download matters.
    """
    if not options.lean_download:
        return
    chosen = [
        (decision, decision.candidate)
        for decision in decisions
        if decision.candidate is not None and decision.is_dense and _runs_dense(decision)
    ]
    grown = sum(_growth(candidate) for _, candidate in chosen)
    if chosen and grown >= 0:
        for decision, _ in chosen:
            decision.refuse(_REFUSAL)


def _runs_dense(decision: Decision) -> bool:
    weight = decision.weight
    return weight.tensor.type == "INT8" and all(use.dequantize is None for use in weight.uses)


def _growth(candidate: Candidate) -> float:
    """Bytes that a weight adds to the download when it is stored sparse."""
    values = candidate.source()
    encoded = encode(values, candidate.storage.layout)
    levels = (array for level in encoded.levels for array in (level.segments, level.indices))
    arrays = [encoded.values, *(array for array in levels if array is not None)]
    tables = candidate.bytes_after - candidate.storage.cost.nbytes
    return sum(map(_packed, arrays)) + _TABLES * tables - _packed(values)


def _packed(array: NDArray[Any]) -> int:
    return len(zlib.compress(array.reshape(-1).view("u1"), _LEVEL))
