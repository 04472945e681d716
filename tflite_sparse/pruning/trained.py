"""Trains a pruned model until it is like the dense one again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from msgspec.structs import replace

from tflite_sparse.model import Model
from tflite_sparse.pruning.options import Method
from tflite_sparse.pruning.result import Training
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.runtime.lazy import Part
from tflite_sparse.torch.training.division import divide
from tflite_sparse.torch.training.options import DistillOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.pruning.filters import Selected
    from tflite_sparse.pruning.options import PruneOptions
    from tflite_sparse.runtime.observations import Outputs
    from tflite_sparse.torch.training.options import Progress

__all__ = ["InputSamples", "Start", "Trained", "fitted_inputs", "train"]

_MINUTE, _HOUR = 60, 3600


class Start(NamedTuple):
    """Where training begins.

    Attributes:
        model: bytes of the model, with zeros or without.
        kept: the share of values that each filter keeps in the end.
        dense: bytes of the dense model with its channels in another order, or biases of their own
            bytes; None for none.
    """

    model: bytes
    kept: list[float]
    dense: bytes | None = None


class Trained(NamedTuple):
    """What came of a training.

    Attributes:
        model: the trained model.
        expected: what its constants must hold when it is written.
        start: the model before training; None where that was the dense one.
        report: how it was trained.
    """

    model: Model
    expected: list[Expected]
    start: Model | None
    report: Training


class InputSamples:
    """Sets of inputs as samples, each read when it is asked for."""

    def __init__(self, inputs: Sequence[Outputs]) -> None:
        self._inputs = inputs

    def __len__(self) -> int:
        return len(self._inputs)

    def __getitem__(self, index: int) -> tuple[NDArray[Any], ...]:
        feeds = self._inputs[index]
        return tuple(feeds[str(number)] for number in range(len(feeds)))


def train(
    model: Model,
    selected: Selected,
    options: PruneOptions,
    inputs: Sequence[Outputs],
    labels: Sequence[int] | None,
    begin: Callable[[], Start],
    progress: Callable[[str, int, int], None] | None,
) -> Trained:
    """Trains from what calibration has left of a model.

    Where `torchrun` has started several processes, the first one makes the start, and all train.

    Args:
        model: the dense model; it stays as it is.
        selected: the filters with zeros.
        options: how they are pruned and trained.
        inputs: sets of inputs by position.
        labels: the class of each; None for none.
        begin: makes the start, once it is clear that it can be trained.
        progress: is told what is done, how much of it, and how much there is to do.

    Raises:
        RuntimeUnavailableError: PyTorch is not installed.
        TfliteSparseError: see `distill`.
    """
    from tflite_sparse.torch import distill
    from tflite_sparse.torch.training.checks import check_distill
    from tflite_sparse.torch.training.processes import Processes

    asked = _asked(options)
    samples = InputSamples(inputs)
    check_distill(model, samples, asked, labels=labels)
    processes = Processes(asked.device)
    start = processes.first(begin)
    zeros = {
        f"#{prunable.weight.tensor.index}": 1 - share
        for prunable, share in zip(selected.filters, start.kept, strict=True)
    }
    if progress is not None:
        progress("training, getting ready", 0, 1)
    done = distill(
        model if start.dense is None else Model.read(start.dense),
        samples,
        replace(asked, zeros_of=zeros),
        start=Model.read(start.model),
        labels=labels,
        progress=None if progress is None else partial(_tell, progress),
    )
    ran, planned = done.evaluations[-1].step, done.planned
    report = Training(
        asked.masks,
        ran,
        planned,
        asked.batch,
        ran * asked.batch,
        done.held_out,
        labels is not None,
        asked.augment,
        processes.count,
        str(processes.device),
        done.evaluations,
        done.best,
        done.restored,
        done.learning_rate,
    )
    before = None if asked.masks == "magnitude" else Model.read(start.model)
    return Trained(done.model, _expected(model, done.model), before, report)


def fitted_inputs(
    inputs: Sequence[Outputs], method: Method, options: PruneOptions
) -> Sequence[Outputs]:
    """The inputs that values are fitted to: those that training holds out are not among them.

    Args:
        inputs: all that are given.
        method: how values are chosen.
        options: how they are trained.
    """
    if method is not Method.TRAIN:
        return inputs
    asked = _asked(options)
    numbers = divide(len(inputs), asked.held_out, asked.seed).trained_on
    return Part(inputs, sorted(numbers.tolist()))


def _asked(options: PruneOptions) -> DistillOptions:
    """How to train, but for how many zeros each filter has."""
    training = options.training or DistillOptions()
    return replace(training, zeros=0.0, block=options.block, seed=options.seed)


def _expected(model: Model, trained: Model) -> list[Expected]:
    """What the constants hold that training has changed."""
    return [
        Expected(after, source=partial(np.asarray, np.array(after.data)))
        for before, after in zip(model.main.tensors, trained.main.tensors, strict=True)
        if after.is_constant and not np.array_equal(before.buffer.data, after.buffer.data)
    ]


def _tell(progress: Callable[[str, int, int], None], far: Progress) -> None:
    seconds = far.seconds_left
    if far.step >= far.steps:
        progress("training, restoring means", far.step, far.steps)
        return
    if seconds < _MINUTE:
        left = f"{seconds:.0f} s"
    elif seconds < _HOUR:
        left = f"{seconds / _MINUTE:.0f} min"
    else:
        left = f"{seconds / _HOUR:.1f} h"
    near = "" if far.evaluation is None else f", loss {far.evaluation.loss:.3g}"
    progress(f"training, {left} left{near}", far.step, far.steps)
