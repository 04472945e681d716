"""Outputs of two models beside each other: which belong together, and how far they lie apart."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from tflite_sparse.records import Amount, Count, Distance, Record, Share
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tflite_sparse.runtime.observations import Outputs

__all__ = [
    "LARGEST_NOISE",
    "ROUNDED",
    "ROUNDING",
    "Bound",
    "Figures",
    "OutputComparison",
    "Tolerance",
    "compare_output",
    "constant",
    "figures",
    "paired",
]


class Tolerance(Record, frozen=True):
    """How far outputs may lie apart; nothing but zeros asks for the same numbers.

    Floats that lie within one of the bounds are within the tolerance: atol + rtol * |a|, or a share
    of the output's largest value, or a multiple of how far the first model lies from itself.

    Attributes:
        atol: absolute part.
        rtol: part relative to the first model's value.
        range: share of the largest value of the output.
        noise: how many times as far as the first model's own outputs lie apart on other kernels,
            or with each weight moved by one unit in the last place; 0 where that does not count.
    """

    atol: Amount = 0.0
    rtol: Amount = 0.0
    range: Amount = 0.0
    noise: Amount = 0.0

    @property
    def exact(self) -> bool:
        """Whether the same numbers are asked for."""
        return not (self.atol or self.rtol or self.range or self.noise)


ROUNDING = Tolerance(atol=1e-5, rtol=1e-4, range=1e-5, noise=2.0)
"""What another order of summation explains, as of sparse kernels or adapted operators."""

ROUNDED = {StoredValues.INT8: 0.25, StoredValues.FP16: 0.02}
"""Largest difference of an output, as a share of its range, that rounded weights may make.

More than that only a model of no use has. It says nothing of a classifier's classes.
"""

_CONSTANT = 1e-5
"""Share of an output's range within which it is called the same for inputs that differ."""

LARGEST_NOISE = 1e-2
"""Share of an output's range from which the noise of a model bounds nothing any more."""


class Bound(str, Enum):
    """By what outputs are known to be alike.

    Attributes:
        SAME: they are the same numbers.
        TOLERANCE: by the absolute and relative tolerance.
        RANGE: by the range of the output.
        KERNELS: the first model lies as far apart between two sets of kernels.
        WEIGHTS: it does with each weight moved by one unit in the last place.
        NONE: they are not.
    """

    SAME = "same"
    TOLERANCE = "tolerance"
    RANGE = "range"
    KERNELS = "kernels"
    WEIGHTS = "weights"
    NONE = "none"


class OutputComparison(Record, frozen=True):
    """An output of both models over all trials.

    Attributes:
        name: its name in the first model.
        shape: its shape in the first trial.
        max_abs: largest absolute difference; null in JSON where it is infinite.
        max_rel: largest difference relative to the first model's value, where that is not 0; null
            in JSON where it is infinite.
        cosine: smallest cosine of the angle between the outputs of a trial, 1.0 for equal ones,
            0.0 where one of them is zero.
        argmax: share of positions at which the largest value along the last axis is in the same
            place.
        within: whether every value is within the tolerance; NaN equals NaN.
        bound: by what it is.
        range: the largest finite magnitude of the first model's values.
        noise: how far the first model's own outputs lie apart, where that was measured.
        not_finite: number of values of either model that are NaN or infinite, over all trials: of
            what is computed on from there, equality says nothing.
        constant: whether the first model gives the same, to within 1e-5 of the range, for sets of
            inputs that differ: then that both models agree proves nothing.
    """

    name: str
    shape: tuple[Count, ...]
    max_abs: Distance
    max_rel: Distance
    cosine: float
    argmax: Share
    within: bool
    bound: Bound = Bound.NONE
    range: Amount = 0.0
    noise: Amount | None = None
    not_finite: Count = 0
    constant: bool = False

    def against_noise(self, noise: float, bound: Bound, allowed: Tolerance) -> OutputComparison:
        """The same, held against how far the first model lies from itself.

        Args:
            noise: how far; infinite where that was not measured, which changes nothing.
            bound: how that was measured.
            allowed: how many times as far is allowed.
        """
        if not math.isfinite(noise):
            return self
        usable = 0 < noise <= LARGEST_NOISE * self.range
        within = self.within or (usable and self.max_abs <= allowed.noise * noise)
        decisive = bound if within and not self.within else self.bound
        return msgspec.structs.replace(self, within=within, bound=decisive, noise=noise)


class Figures(NamedTuple):
    """How far two arrays lie apart; the fields are those of `OutputComparison`."""

    max_abs: float
    max_rel: float
    cosine: float
    argmax: float
    within: bool


Pairs = list[tuple[str, "list[NDArray[Any]]", "list[NDArray[Any]]"]]


def paired(a: Sequence[Outputs], b: Sequence[Outputs]) -> tuple[Pairs, str]:
    """Outputs of both models: by name where the names are the same, else by position.

    Args:
        a: the outputs of the first model in each trial.
        b: those of the second.

    Returns:
        (name, values of the first model, of the second) for each output; and why there are none, ""
        where there are.
    """
    names_a, names_b = list(a[0]), list(b[0])
    if len(names_a) != len(names_b):
        return [], f"{len(names_a)} outputs against {len(names_b)}"
    others = names_a if set(names_a) == set(names_b) else names_b
    pairs: Pairs = []
    for name, other in zip(names_a, others, strict=True):
        left, right = [trial[name] for trial in a], [trial[other] for trial in b]
        for x, y in zip(left, right, strict=True):
            if x.shape != y.shape or x.dtype != y.dtype:
                return [], f"output {name!r}: {x.dtype} {x.shape} against {y.dtype} {y.shape}"
        pairs.append((name, left, right))
    return pairs, ""


def compare_output(
    name: str, left: list[NDArray[Any]], right: list[NDArray[Any]], allowed: Tolerance
) -> OutputComparison:
    """An output of both models over all trials.

    Args:
        name: its name.
        left: its values in the first model, one array a trial.
        right: its values in the second.
        allowed: how far they may lie apart.
    """
    compared = [figures(x, y, allowed) for x, y in zip(left, right, strict=True)]
    largest = max(f.max_abs for f in compared)
    ranges = [_range(values) for values in left]
    within = all(f.within for f in compared)
    bound = Bound.NONE
    if within:
        bound = Bound.TOLERANCE if largest else Bound.SAME
    elif allowed.range and left[0].dtype.kind == "f":
        compared = [
            figures(x, y, allowed, allowed.range * limit)
            for x, y, limit in zip(left, right, ranges, strict=True)
        ]
        within = all(f.within for f in compared)
        bound = Bound.RANGE if within else Bound.NONE
    return OutputComparison(
        name,
        tuple(left[0].shape),
        largest,
        max(f.max_rel for f in compared),
        min(f.cosine for f in compared),
        min(f.argmax for f in compared),
        within,
        bound,
        max(ranges),
        not_finite=sum(map(_not_finite, (*left, *right))),
        constant=constant(left),
    )


def constant(values: Sequence[NDArray[Any]]) -> bool:
    """Whether an output is the same for all inputs, as where activations vanish on the way.

    Args:
        values: what it was for each of some inputs that differ; of a single one nothing is known.
    """
    first = values[0]
    if len(values) == 1 or not first.size:
        return False
    slack = _CONSTANT * max(map(_range, values)) if first.dtype.kind == "f" else 0.0
    return all(
        first.shape == other.shape and figures(first, other, Tolerance(), slack).within
        for other in values[1:]
    )


def _not_finite(values: NDArray[Any]) -> int:
    return int(values.size - np.isfinite(values).sum()) if values.dtype.kind == "f" else 0


def _range(values: NDArray[Any]) -> float:
    if values.dtype.kind not in "fiub":
        return 0.0
    finite = np.abs(values.astype(np.float64))
    return float(finite.max(initial=0.0, where=np.isfinite(finite)))


def figures(x: NDArray[Any], y: NDArray[Any], allowed: Tolerance, slack: float = 0.0) -> Figures:
    """How far two arrays of the same shape and type lie apart; NaN equals NaN.

    Args:
        x: the values of the first model.
        y: those of the second.
        allowed: its absolute and relative part count.
        slack: what is allowed whatever these say.
    """
    if not x.size:
        return Figures(0.0, 0.0, 1.0, 1.0, within=True)
    if x.dtype.kind not in "fiub":
        same = bool((x == y).all())
        return Figures(0.0 if same else float("inf"), 0.0, float(same), float(same), same)
    a, b = x.astype(np.float64), y.astype(np.float64)
    same_special = (np.isnan(a) & np.isnan(b)) | (a == b)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        apart = np.where(same_special, 0.0, np.abs(a - b))
        apart = np.where(np.isnan(apart), np.inf, apart)
        relative = np.where(a != 0, apart / np.abs(a), 0.0)
        relative = np.where(np.isinf(apart), np.inf, relative)
        limit = np.maximum(allowed.atol + allowed.rtol * np.abs(a), slack)
        near = np.isfinite(apart) & (apart <= limit)
        within = bool((same_special | near).all())
    cosine = _cosine(a, b) if apart.any() else 1.0
    rows = (a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1])) if a.ndim else (a, b)
    argmax = float((rows[0].argmax(-1) == rows[1].argmax(-1)).mean())
    relative = np.where(apart == 0, 0.0, relative)
    return Figures(float(apart.max()), float(relative.max()), cosine, argmax, within)


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The cosine of the angle between arrays that differ, 0 where they have none."""
    finite = np.isfinite(a) & np.isfinite(b)
    a, b = np.where(finite, a, 0), np.where(finite, b, 0)
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.vdot(a, b)) / norm if 0 < norm < math.inf else 0.0
