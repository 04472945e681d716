"""How near the outputs of a model come to those of another whose weights were rounded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import RewriteError
from tflite_sparse.model import Model
from tflite_sparse.records import Count, Distance, Record, Share
from tflite_sparse.runtime.compare_outputs import Tolerance, figures, paired
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import Backend, Job, run_jobs

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.runtime.observations import Outputs

__all__ = ["Fidelity", "OutputFidelity", "fidelity", "output_fidelity"]

_TRIALS = 8
_NOTHING = Tolerance()


class OutputFidelity(Record, frozen=True):
    """An output of two models over all inputs.

    Attributes:
        name: its name in the first model.
        range: distance of the smallest from the largest finite value of the first model, zero
            included.
        max_abs: largest absolute difference; null in JSON where it is infinite.
        snr: ratio of the first model's power to that of the differences, in dB; None where there is
            no difference, minus infinity where one is infinite or all values of the first are zero.
        cosine: smallest cosine of the angle between the outputs for an input.
        argmax: share of positions at which the largest value along the last axis is in the same
            place.
        classes: whether it is one row of numbers for each input, as of a classifier.
    """

    name: str
    range: Distance
    max_abs: Distance
    snr: float | None
    cosine: float
    argmax: Share
    classes: bool = False

    @property
    def share(self) -> float:
        """The largest difference as a share of the range; infinite where that is 0."""
        if not self.max_abs:
            return 0.0
        return self.max_abs / self.range if self.range else math.inf


class Fidelity(Record, frozen=True):
    """How near the outputs of two models are.

    Attributes:
        inputs: number of sets of inputs.
        bound: the largest difference that is allowed, as a share of the range of an output.
        outputs: the outputs; empty where neither model runs.
    """

    inputs: Count
    bound: Share
    outputs: tuple[OutputFidelity, ...]

    @property
    def worst(self) -> OutputFidelity | None:
        """The output that differs most, as a share of its range; None where there is none."""
        return max(self.outputs, key=lambda output: output.share, default=None)

    @property
    def agreement(self) -> float | None:
        """Smallest share of inputs that get the same class; None where no output has classes."""
        return min((output.argmax for output in self.outputs if output.classes), default=None)

    @property
    def within(self) -> bool:
        """Whether every output is within the bound."""
        return all(output.share <= self.bound for output in self.outputs)


def fidelity(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    *,
    bound: float,
    given: Sequence[Outputs] | None = None,
    trials: int = _TRIALS,
    seed: int = 0,
    timeout: float = 120.0,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    repaired: bool = False,
) -> Fidelity:
    """Runs two models on the same inputs, with XNNPACK, and compares their outputs.

    Args:
        before: the model as it was.
        after: the model with rounded weights.
        bound: the largest difference that is allowed, as a share of the range of an output.
        given: sets of inputs instead of random ones.
        trials: how many sets of random inputs.
        seed: seed of the random inputs.
        timeout: seconds after which a model is given up.
        input_shapes: shapes of inputs that the first model leaves open, by name, "" for the only
            one; None for those that it is looked at with.
        batch: the first dimension, where that is open.
        repaired: whether XNNPACK gets the first model wrong: then that runs on the reference
            kernels.

    Raises:
        RewriteError: one of the models runs and the other does not.
        RuntimeUnavailableError: LiteRT is not installed.
        TfliteSparseError: a model or the inputs cannot be read.
    """
    if given is None:
        specs = input_specs(Model.read(before), None, batch, input_shapes)
        given = random_inputs(specs, trials, seed)
    kernels: Backend = "reference" if repaired else "xnnpack"
    first, second = run_jobs([Job(before, given, kernels), Job(after, given)], timeout=timeout)
    if first.status != second.status:
        raise RewriteError(
            f"the written model fares differently: {second.status} ({second.detail}),"
            f" the original {first.status}"
        )
    outputs: tuple[OutputFidelity, ...] = ()
    if first.ok:
        pairs, problem = paired(first.trials, second.trials)
        if problem:
            raise RewriteError(f"the written model has other outputs: {problem}")
        outputs = tuple(output_fidelity(name, left, right) for name, left, right in pairs)
    return Fidelity(len(given), bound, outputs)


def output_fidelity(
    name: str, left: Sequence[NDArray[Any]], right: Sequence[NDArray[Any]]
) -> OutputFidelity:
    """How near an output of one model comes to that of another.

    Args:
        name: its name.
        left: its values in the first model, one array for each set of inputs.
        right: its values in the second.
    """
    compared = [figures(x, y, _NOTHING) for x, y in zip(left, right, strict=True)]
    largest = max(f.max_abs for f in compared)
    high = low = power = noise = 0.0
    for x, y in zip(left, right, strict=True):
        if x.dtype.kind not in "fiub":
            continue
        old, new = x.astype(np.float64), y.astype(np.float64)
        finite = np.isfinite(old) & np.isfinite(new)
        old, new = old[finite], new[finite]
        high, low = float(old.max(initial=high)), float(old.min(initial=low))
        power += float(np.square(old).sum())
        noise += float(np.square(old - new).sum())
    snr = None
    if largest:
        snr = 10 * math.log10(power / noise) if power and math.isfinite(largest) else -math.inf
    return OutputFidelity(
        name,
        high - low,
        largest,
        snr,
        min(f.cosine for f in compared),
        sum(f.argmax for f in compared) / len(compared),
        all(_is_row(x) for x in left),
    )


def _is_row(values: NDArray[Any]) -> bool:
    """Whether an output is one row of several numbers for each input of a batch."""
    shape = values.shape
    return bool(shape) and shape[-1] > 1 and all(size == 1 for size in shape[1:-1])
