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

# From so many columns on (3x3 on 228 channels), sums and what is made of them are fp32, and rows
# are refitted together, step by step: 4,608 columns and 512 rows with 30 % kept take 22 s and not
# 50, and 0.6 GB beside the sums, not 0.8. On EfficientNet-Lite0's layers of 1,152 columns errors
# are those of the exact way to 0.2 %.
_WIDE = 2049
_STEPS = 100
_NEAR = 1e-10


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

    def plus(self, other: Sums) -> Sums:
        """Those of the positions of both; these here count no longer."""
        kind = _precision(len(self.read))
        # The largest of them is not copied where it may be changed.
        place = self.products if self.products.dtype == kind else None
        products = np.add(self.products, other.products, out=place, dtype=kind)
        read, wanted, power, together = (
            np.add(getattr(self, name), getattr(other, name), dtype=np.float64)
            for name in ("read", "wanted", "power", "together")
        )
        return Sums(self.count + other.count, read, products, wanted, power, together)

    def moments(self, *, centred: bool = True) -> tuple[Numbers, Numbers, Numbers]:
        """Products of what is read, of computed and read, and variances of what is computed.

        Args:
            centred: whether the former two are taken about the means.
        """
        mean, wanted = self.read / self.count, self.wanted / self.count
        variance = np.maximum(self.power / self.count - np.square(wanted), 0)
        products = np.divide(self.products, self.count, dtype=_precision(len(mean)))
        together = self.together / self.count
        if centred:
            together -= np.outer(wanted, mean)
            # Some rows at a time, for the memory.
            for start in range(0, len(mean), _ROWS_AT_ONCE):
                some = slice(start, start + _ROWS_AT_ONCE)
                products[some] -= np.outer(mean[some], mean)
        return products, together, variance


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
    metric, together, variance = sums.moments(centred=centred)
    raw = np.diagonal(sums.products) / sums.count
    scale = np.sqrt(np.maximum(np.diagonal(metric), _ROUNDING**2 * raw)).astype(np.float64)
    scale = np.maximum(scale, max(float(scale.max(initial=0)) * 1e-4, _LEAST))
    # Columns of one power each, in which the size of a value says what it is worth.
    metric /= scale.astype(metric.dtype)
    metric /= scale.astype(metric.dtype)[:, None]
    diagonal = np.diag_indices_from(metric)
    clean = metric[diagonal]
    # What rounding makes of columns that hardly vary must not count.
    damping = _DAMPING + len(scale) * _ROUNDING**1.5 * raw / np.square(scale)
    # Nor may a column that is faint on the data take a value that its next input makes huge.
    damping += _FAINT * float(np.square(scale).mean()) / np.square(scale)
    metric[diagonal] += damping
    together /= scale
    start = rows * scale
    target = together + damping * start
    mask = _mask(start, metric, target, kept, block)
    metric[diagonal] += _RIDGE
    refit = _refit if len(scale) < _WIDE else _refit_together
    values = refit(mask, metric, target + _RIDGE * start)
    metric[diagonal] = clean
    there = variance if centred else sums.power / sums.count
    power = np.einsum("rc,rc->r", values.astype(metric.dtype, copy=False) @ metric, values)
    along = np.einsum("rc,rc->r", values, together)
    error = float(np.maximum(there - 2 * along + power, 0).sum())
    values = values / scale
    if stretched:
        by = np.sqrt(variance / np.maximum(power, _LEAST * np.maximum(variance, _LEAST)))
        values *= np.clip(by, 1 / _MOST_STRETCH, _MOST_STRETCH)[:, None]
    shift = np.zeros(len(rows))
    if centred:
        shift = (sums.wanted - values @ sums.read) / sums.count
    total = float(variance.sum())
    return Solution(values, shift, error / total if total > _LEAST else 0.0)


def _precision(columns: int) -> type[np.floating[Any]]:
    """In which numbers products of so many columns are summed."""
    return np.float64 if columns < _WIDE else np.float32


def _mask(
    start: Numbers, metric: Numbers, target: Numbers, kept: float, block: int
) -> NDArray[np.bool_]:
    """Where values stay: the alternating direction method of multipliers."""
    diagonal = np.diag_indices_from(metric)
    before = metric[diagonal]
    metric[diagonal] += _PENALTY
    inverse = np.linalg.inv(metric).astype(np.float32, copy=False)
    metric[diagonal] = before
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
    """The best values where the mask lets them be, row by row."""
    values = np.zeros(target.shape)
    for number, stays in enumerate(mask):
        chosen = np.flatnonzero(stays)
        if not chosen.size:
            continue
        values[number, chosen] = np.linalg.solve(
            metric[np.ix_(chosen, chosen)], target[number, chosen]
        )
    return values


def _refit_together(mask: NDArray[np.bool_], metric: Numbers, target: Numbers) -> Numbers:
    """The same to five digits, by conjugate gradients in all rows at once."""
    rest = np.where(mask, target, 0).astype(np.float32)
    values = np.zeros_like(rest)
    along = rest.copy()
    power = np.einsum("rc,rc->r", rest, rest)
    enough = _NEAR * power
    for _ in range(_STEPS):
        if (power <= enough).all():
            break
        image = np.where(mask, along @ metric, np.float32(0))
        curve = np.einsum("rc,rc->r", along, image)
        step = np.divide(power, curve, out=np.zeros_like(power), where=curve > 0)
        values += step[:, None] * along
        rest -= step[:, None] * image
        before, power = power, np.einsum("rc,rc->r", rest, rest)
        grown = np.divide(power, before, out=np.zeros_like(power), where=before > 0)
        along = rest + grown[:, None] * along
    return values.astype(np.float64)
