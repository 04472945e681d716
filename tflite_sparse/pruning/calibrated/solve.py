"""The values of a filter that compute most nearly what the dense one does, with so many zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tflite_sparse.pruning.masks import smallest

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Sums", "solve"]

Numbers = NDArray[np.floating[Any]]

_ROUNDS = 24
_GROWING = 16
_PENALTY = 1.0
_DAMPING = 0.01
_FAINT = 1e-3
"""Share of the columns' mean power that is added to each, seen or not."""

_RIDGE = 0.002
_MOST_STRETCH = 2.0
_ROWS_AT_ONCE = 64
_ROUNDING = 1e-4
_LEAST = 1e-12


class Sums(msgspec.Struct, frozen=True, eq=False):
    """What a filter reads in the pruned model, and computes in the dense one, over all positions.

    Attributes:
        count: number of positions.
        read: sum of what is read, shape (columns,).
        products: sum of products of what is read, shape (columns, columns).
        wanted: sum of what is computed, without the bias, shape (rows,).
        power: sum of squares of that, shape (rows,).
        together: sum of products of what is computed and read, shape (rows, columns).
    """

    count: int
    read: Numbers
    products: Numbers
    wanted: Numbers
    power: Numbers
    together: Numbers

    @classmethod
    def of(cls, read: NDArray[np.float32], wanted: NDArray[np.float32]) -> Self:
        """Those of some positions.

        Args:
            read: what is read in the pruned model, shape (positions, columns).
            wanted: what is computed in the dense one, shape (positions, rows).
        """
        return cls(
            len(read),
            read.sum(axis=0, dtype=np.float64),
            read.T @ read,
            wanted.sum(axis=0, dtype=np.float64),
            np.square(wanted, dtype=np.float64).sum(axis=0),
            wanted.T @ read,
        )

    def __add__(self, other: Sums) -> Sums:
        fields = (
            np.add(getattr(self, name), getattr(other, name), dtype=np.float64)
            for name in self.__struct_fields__[1:]
        )
        return Sums(self.count + other.count, *fields)

    @property
    def moments(self) -> tuple[Numbers, Numbers, Numbers]:
        """Centred: products of what is read, of computed and read, and variances of computed."""
        mean, wanted = self.read / self.count, self.wanted / self.count
        covariance = self.products / self.count - np.outer(mean, mean)
        together = self.together / self.count - np.outer(wanted, mean)
        variance = np.maximum(self.power / self.count - np.square(wanted), 0)
        return covariance, together, variance


class Solution(msgspec.Struct, frozen=True, eq=False):
    """The values of a filter.

    Attributes:
        rows: the values, shape (rows, columns).
        shift: what to add to the bias, shape (rows,).
        error: power of the differences as a share of the variance of what is computed.
    """

    rows: Numbers
    shift: Numbers
    error: float


def solve(
    rows: Numbers,
    sums: Sums,
    kept: float,
    block: int = 1,
    *,
    centred: bool = True,
    stretched: bool = True,
) -> Solution:
    """Finds which values become zero and what the others are.

    The mask is found by ADMM, with zeros that grow from round to round; the other values by least
    squares. That makes each output vary less than it did, by as much as it is not known from what
    is left; so each is stretched until its variance is what it was.

    Args:
        rows: the dense values, shape (rows, columns).
        sums: what they read and compute.
        kept: the share of values that stay.
        block: so many neighbouring rows become zero together.
        centred: whether there is a bias that takes up the means.
        stretched: whether each output gets its variance back.
    """
    covariance, together, variance = sums.moments
    if not centred:
        covariance = sums.products / sums.count
        together = sums.together / sums.count
    raw = np.diagonal(sums.products) / sums.count
    scale = np.sqrt(np.maximum(np.diagonal(covariance), _ROUNDING**2 * raw))
    scale = np.maximum(scale, max(float(scale.max(initial=0)) * 1e-4, _LEAST))
    # Columns of one power each, in which the size of a value says what it is worth.
    metric = covariance / np.outer(scale, scale)
    # What rounding makes of columns that hardly vary must not count.
    damping = _DAMPING + len(scale) * _ROUNDING**1.5 * raw / np.square(scale)
    # Nor may a column that is faint on the data take a value that its next input makes huge.
    damping += _FAINT * float(np.square(scale).mean()) / np.square(scale)
    metric[np.diag_indices_from(metric)] += damping
    target = together / scale + damping * rows * scale
    mask = _mask(rows * scale, metric, target, kept, block)
    values = _refit(mask, metric, target + _RIDGE * rows * scale)
    there = variance if centred else sums.power / sums.count
    error_before = _errors(values / scale, covariance, together, there)
    values = values / scale
    if stretched:
        power = np.einsum("rc,rc->r", values @ covariance, values)
        by = np.sqrt(variance / np.maximum(power, _LEAST * np.maximum(variance, _LEAST)))
        values *= np.clip(by, 1 / _MOST_STRETCH, _MOST_STRETCH)[:, None]
    shift = np.zeros(len(rows))
    if centred:
        shift = (sums.wanted - values @ sums.read) / sums.count
    total = float(variance.sum())
    return Solution(values, shift, float(error_before.sum()) / total if total > _LEAST else 0.0)


def _errors(values: Numbers, covariance: Numbers, together: Numbers, variance: Numbers) -> Numbers:
    power = np.einsum("rc,rc->r", values @ covariance, values)
    along = np.einsum("rc,rc->r", values, together)
    return np.asarray(np.maximum(variance - 2 * along + power, 0))


def _mask(
    start: Numbers, metric: Numbers, target: Numbers, kept: float, block: int
) -> NDArray[np.bool_]:
    """Where values stay: the alternating direction method of multipliers."""
    columns = len(metric)
    diagonal = np.arange(columns)
    penalised = metric.copy()
    penalised[diagonal, diagonal] += _PENALTY
    inverse = np.linalg.inv(penalised).astype(np.float32)
    goal = target.astype(np.float32)
    sparse = start.astype(np.float32)
    dual = np.zeros_like(sparse)
    stays = np.ones(sparse.shape, np.bool_)
    for number in range(_ROUNDS):
        dense = (goal + _PENALTY * (sparse - dual)) @ inverse
        grown = 1 - (1 - min(1.0, (number + 1) / _GROWING)) ** 3
        stays = ~smallest(np.square(dense + dual), (1 - kept) * grown, block)
        sparse = np.where(stays, dense + dual, np.float32(0))
        dual += dense - sparse
    return np.asarray(stays)


def _refit(mask: NDArray[np.bool_], metric: Numbers, target: Numbers) -> Numbers:
    """The best values where the mask lets them be, by a Cholesky factor for each row."""
    values = np.zeros(target.shape)
    for number, stays in enumerate(mask):
        chosen = np.flatnonzero(stays)
        if not chosen.size:
            continue
        part = metric[np.ix_(chosen, chosen)]
        part[np.diag_indices_from(part)] += _RIDGE
        values[number, chosen] = np.linalg.solve(part, target[number, chosen])
    return values
