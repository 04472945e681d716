"""Runs a model on data, for weights that are fitted to what they are multiplied with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tflite_sparse.files.output import scratch
from tflite_sparse.runtime.activations.capture import filter_moments
from tflite_sparse.storage.moments.reads import filter_read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tflite_sparse.model import Model, Operator
    from tflite_sparse.runtime.observations import Outputs
    from tflite_sparse.storage.moments.moments import Moments
    from tflite_sparse.storage.values.calibration import Calibration

__all__ = ["Split", "calibrated"]

_PARTS = 4
"""One set of inputs out of so many is held out."""


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
        parts: tuple[list[Outputs], list[Outputs]] = ([], [])
        for number, feeds in enumerate(inputs):
            parts[number % _PARTS == _PARTS - 1].append(feeds)
        return cls(*parts)


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
            found = filter_moments(path, reads.values(), inputs)
        return {operator: found[read] for operator, read in reads.items() if read in found}

    return run
