"""Runs a model on data, for weights that are fitted to what they are multiplied with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tflite_sparse.files.output import scratch
from tflite_sparse.runtime.activations.capture import filter_moments
from tflite_sparse.runtime.lazy import Part
from tflite_sparse.storage.moments.reads import filter_read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tflite_sparse.model import Model, Operator
    from tflite_sparse.runtime.observations import Outputs
    from tflite_sparse.storage.moments.moments import Moments
    from tflite_sparse.storage.values.calibration import Calibration

__all__ = ["Split", "calibrated", "fitted_part"]

_PARTS = 4
"""One set of inputs out of so many is held out."""
_MOST_HELD = 512 * 2**20
"""Inputs of more bytes are read again each time."""

Item = TypeVar("Item")


def fitted_part(items: Sequence[Item]) -> Sequence[Item]:
    """What belongs to the inputs that something is fitted to, such as their labels.

    Args:
        items: one for each of all inputs.
    """
    if len(items) < _PARTS:
        return items
    return Part(items, [n for n in range(len(items)) if n % _PARTS != _PARTS - 1])


class Split(NamedTuple):
    """Sets of inputs that something is fitted to, and others by which it is judged.

    Attributes:
        fitted: three out of four; all of them where there are fewer than four.
        held_out: the others; all of them where there are fewer than four.
    """

    fitted: Sequence[Outputs]
    held_out: Sequence[Outputs]

    @classmethod
    def of(cls, inputs: Sequence[Outputs]) -> Split:
        """Splits sets of inputs, always in the same way."""
        if len(inputs) < _PARTS:
            return cls(inputs, inputs)
        held_out: Sequence[Outputs] = Part(inputs, range(_PARTS - 1, len(inputs), _PARTS))
        fitted = fitted_part(inputs)
        if sum(value.nbytes for value in inputs[0].values()) * len(inputs) <= _MOST_HELD:
            return cls(list(fitted), list(held_out))
        return cls(fitted, held_out)


def calibrated(inputs: Iterable[Outputs]) -> Calibration:
    """What runs a model by LiteRT and sums up what its filters read.

    Args:
        inputs: sets of inputs by name or position, gone through as often as the model runs.

    Returns:
        Something to call, see `Calibration`; it raises RuntimeUnavailableError where LiteRT is not
        installed, and RuntimeFailureError where that does not run the model.
    """

    def run(model: Model) -> Mapping[Operator, Moments]:
        with scratch() as (file, path):
            model.write(file)
            file.flush()
            reads = {
                operator: read
                for operator in model.main.operators
                if (read := filter_read(operator)) is not None
            }
            moments = filter_moments(path, reads.values(), inputs)
        return {operator: moments[read] for operator, read in reads.items() if read in moments}

    return run
