"""Measures of how near outputs come to those of the dense model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.records import Amount, Count, Decibels, Measure, Record, Share
from tflite_sparse.runtime.fidelity import output_fidelity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tflite_sparse.runtime.observations import Outputs

__all__ = ["OutputQuality", "Quality", "degenerate", "loss", "margin_of", "quality"]

_TOP = 5
_FEWEST_CLASSES = 2
_LEAST = 1e-12
_SUM = 1e-2

# From so many inputs on it is suspicious when so many of them belong to one class.
_FEWEST_INPUTS = 16
_ONE_CLASS = 0.5

# Of a normal distribution, 95 % lie within so many standard deviations of the mean.
_DEVIATIONS = 1.96
# Fewer inputs give a rough figure: a share may be off by ten points and more.
_ENOUGH = 100


class OutputQuality(Record, frozen=True):
    """An output of the pruned model beside that of the dense one, on inputs held out.

    Attributes:
        name: its name.
        shares: whether it is one row of numbers that add up to 1, as of a classifier.
        top1: share of inputs for which the largest value is in the same place; null where the
            output is not one row of numbers, as of a classifier.
        top5: mean share of the five largest values that are among the five largest; likewise.
        kl: mean Kullback-Leibler divergence from the dense model's probabilities, in nats; of
            numbers that are none, after softmax; null likewise, and where one is not finite.
        snr: power of the dense output by that of the differences, in dB; null where nothing
            differs.
        cosine: mean cosine of the angle between the outputs for an input, 0 for one that is not
            finite.
        top1_margin: how far the share of all inputs of that kind may lie from `top1`, with 95 %
            confidence, by Wilson's interval; null where that is.
    """

    name: str
    shares: bool
    top1: Share | None
    top5: Share | None
    kl: Amount | None
    snr: Decibels | None
    cosine: float
    top1_margin: Share | None = None


class Quality(Record, frozen=True):
    """How near a pruned model comes to the dense one.

    Attributes:
        inputs: number of inputs, none of which anything was fitted to.
        outputs: its outputs.
        before: what the user's own metric says of the dense model, by name.
        after: what it says of the pruned model.
        warning: what makes one doubt that the inputs are right; null for nothing.
    """

    inputs: Count
    outputs: tuple[OutputQuality, ...]
    before: Mapping[str, Measure] = msgspec.field(default_factory=dict)
    after: Mapping[str, Measure] = msgspec.field(default_factory=dict)
    warning: str | None = None

    @property
    def agreement(self) -> float | None:
        """The smallest top-1 agreement, of probabilities where there are any; None without."""
        judged = self._judged
        return None if judged is None else judged.top1

    @property
    def margin(self) -> float | None:
        """How far the agreement may be off, see `margin_of`; None likewise."""
        judged = self._judged
        return None if judged is None else judged.top1_margin

    @property
    def is_rough(self) -> bool:
        """Whether there were too few inputs for more than a rough figure."""
        return self.inputs < _ENOUGH

    @property
    def _judged(self) -> OutputQuality | None:
        """The output of the smallest agreement."""
        outputs = [o for o in self.outputs if o.shares] or self.outputs
        classes = [o for o in outputs if o.top1 is not None]
        return min(classes, key=lambda o: o.top1 or 0.0, default=None)

    @property
    def snr(self) -> float | None:
        """The smallest SNR of an output, in dB; None where nothing differs."""
        return min((o.snr for o in self.outputs if o.snr is not None), default=None)


def margin_of(share: float, count: int) -> float:
    """How far a share that was counted may lie from that of all there is, with 95 % confidence.

    Args:
        share: the share that was counted.
        count: of how many.

    Returns:
        The distance to the farther end of Wilson's interval, which is not 0 where all or none
        agree.
    """
    if not count:
        return 1.0
    square = _DEVIATIONS**2 / count
    middle = (share + square / 2) / (1 + square)
    spread = share * (1 - share) / count + square / (4 * count)
    half = _DEVIATIONS / (1 + square) * math.sqrt(spread)
    return max(middle + half - share, share - middle + half)


def quality(dense: Sequence[Outputs], pruned: Sequence[Outputs]) -> Quality:
    """Compares the outputs of two models for the same inputs.

    Args:
        dense: what the dense model returns for each input, by name.
        pruned: what the pruned model returns.
    """
    names = list(dense[0]) if dense else []
    outputs = tuple(
        _output(name, [run[name] for run in dense], [run[name] for run in pruned]) for name in names
    )
    return Quality(len(dense), outputs, warning=degenerate(dense))


def _output(
    name: str, dense: Sequence[NDArray[Any]], pruned: Sequence[NDArray[Any]]
) -> OutputQuality:
    near = output_fidelity(name, dense, pruned)
    cosines = [_cosine(x, y) for x, y in zip(dense, pruned, strict=True)]
    cosine = float(np.mean(cosines))
    rows = _rows(dense)
    if rows is None:
        return OutputQuality(name, False, None, None, None, near.snr, cosine)
    others = np.concatenate([value.reshape(-1, value.shape[-1]) for value in pruned])
    top = min(_TOP, rows.shape[1])
    first, second = (np.argsort(-r, axis=1, kind="stable")[:, :top] for r in (rows, others))
    overlap = (first[:, :, None] == second[:, None, :]).any(axis=2).mean()
    same = float((first[:, 0] == second[:, 0]).mean())
    shares = _are_shares(rows)
    kl = _divergence(rows, others, shares=shares)
    margin = margin_of(same, len(rows))
    return OutputQuality(name, shares, same, float(overlap), kl, near.snr, cosine, margin)


def _rows(values: Sequence[NDArray[Any]]) -> NDArray[Any] | None:
    """One row of classes for each input; None where an output is something else."""
    first = values[0]
    classes = first.shape[-1] if first.ndim else 0
    # Boxes and landmarks are not classes, but one row of floats may be either.
    if first.dtype.kind not in "fiu" or classes < _FEWEST_CLASSES:
        return None
    if first.size != classes * (first.shape[0] if first.ndim > 1 else 1):
        return None
    return np.concatenate([value.reshape(-1, classes) for value in values])


def _cosine(x: NDArray[Any], y: NDArray[Any]) -> float:
    one, two = x.ravel().astype(np.float64), y.ravel().astype(np.float64)
    lengths = float(np.linalg.norm(one) * np.linalg.norm(two))
    if not lengths:
        return 1.0 if np.array_equal(one, two) else 0.0
    cosine = float(one @ two) / lengths
    return cosine if math.isfinite(cosine) else 0.0


def _are_shares(rows: NDArray[Any]) -> bool:
    return bool(rows.min() >= 0 and np.allclose(rows.sum(axis=1), 1, atol=_SUM))


def _divergence(dense: NDArray[Any], pruned: NDArray[Any], *, shares: bool) -> float:
    p, q = (rows.astype(np.float64) if shares else _softmax(rows) for rows in (dense, pruned))
    p, q = np.maximum(p, _LEAST), np.maximum(q, _LEAST)
    divergence = float((p * np.log(p / q)).sum(axis=1).mean())
    # What is not finite is as far away as can be, where max() would make it nothing.
    return max(0.0, divergence) if math.isfinite(divergence) else math.inf


def _softmax(rows: NDArray[Any]) -> NDArray[np.float64]:
    powers = np.exp(rows.astype(np.float64) - rows.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def degenerate(dense: Sequence[Outputs]) -> str | None:
    """What is odd about the outputs of a dense model, as where its inputs are not normalised.

    Args:
        dense: what it returns for each input, by name.

    Returns:
        A sentence; None where nothing is odd.
    """
    if len(dense) < _FEWEST_CLASSES:
        return None
    doubt = "are the inputs normalised as the model expects (--mean, --std, --layout)?"
    for name in dense[0]:
        values = [run[name] for run in dense]
        if not all(np.isfinite(value).all() for value in values):
            return f"output {name!r} of the dense model is not finite; {doubt}"
        first = values[0]
        if all(np.array_equal(first, value) for value in values[1:]):
            return f"output {name!r} of the dense model is the same for every input; {doubt}"
        rows = _rows(values)
        if rows is None or len(rows) < _FEWEST_INPUTS or rows.shape[1] <= math.ceil(1 / _ONE_CLASS):
            continue
        _, counts = np.unique(rows.argmax(axis=1), return_counts=True)
        if counts.max() > _ONE_CLASS * len(rows):
            return (
                f"the dense model puts {counts.max()} of {len(rows)} inputs into one class; {doubt}"
            )
    return None


def loss(dense: Sequence[Outputs], pruned: Sequence[Outputs]) -> float:
    """One number for how far outputs are from those of the dense model.

    Args:
        dense: what the dense model returns for each input, by name.
        pruned: what the other returns.

    Returns:
        The mean over the outputs: of probabilities the divergence, of others the power of the
        differences as a share of their own.
    """
    losses = []
    for name in dense[0]:
        one, two = ([run[name] for run in runs] for runs in (dense, pruned))
        rows = _rows(one)
        if rows is not None and _are_shares(rows):
            others = np.concatenate([value.reshape(-1, rows.shape[1]) for value in two])
            losses.append(_divergence(rows, others, shares=True))
            continue
        power = sum(float(np.square(x, dtype=np.float64).sum()) for x in one)
        apart = (x.astype(np.float64) - y.astype(np.float64) for x, y in zip(one, two, strict=True))
        losses.append(sum(float(np.square(d).sum()) for d in apart) / max(power, _LEAST))
    return float(np.mean(losses)) if losses else 0.0
