"""What the worker does with a model whose inner tensors are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.storage.moments.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.storage.moments.reads import FilterRead

__all__ = ["moments_of", "values_of"]


def values_of(runs: Iterator[Any], tensors: list[int]) -> list[dict[int, Any]]:
    """Copies of some tensors after each run.

    Args:
        runs: gives the interpreter after each run.
        tensors: their indices in the main subgraph.
    """
    return [{index: np.array(run.get_tensor(index)) for index in tensors} for run in runs]


def moments_of(runs: Iterator[Any], reads: list[FilterRead]) -> list[Moments]:
    """Moments of what filters read, summed over all runs.

    Args:
        runs: gives the interpreter after each run.
        reads: how each filter reads.
    """
    sums: list[Moments] = []
    for run in runs:
        moments = [Moments.of(read.values(run.get_tensor(read.tensor))) for read in reads]
        sums = [a + b for a, b in zip(sums, moments, strict=True)] if sums else moments
    return sums
