"""Inputs to train on: batches of them, and those that are held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from tflite_sparse.errors import UsageError, shown_shape
from tflite_sparse.torch.training.division import divide

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.torch.module import TfliteModule

__all__ = ["Batch", "Batches", "Samples", "moved"]

_FEWEST = 2
_JUDGING = 2  # batches


class Samples(Protocol):
    """What samples come from: an array, a list, or a `torch.utils.data.Dataset`."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int, /) -> Any:
        """One sample: the input as an array, or a tuple with one for each input."""


class Batches:
    """Samples in batches, the same in every run with the same seed.

    Args:
        samples: the samples.
        labels: the class of each, or None.
        module: says which shapes its inputs have.
        held_out: share of the samples that are not trained on.
        seed: makes their order.

    Attributes:
        held_out: numbers of the samples that are not trained on.
        count: how many are trained on.
    """

    def __init__(
        self,
        samples: Samples,
        labels: Sequence[int] | None,
        module: TfliteModule,
        *,
        held_out: float,
        seed: int,
    ) -> None:
        count = len(samples)
        if count < _FEWEST:
            raise UsageError(f"training takes 2 samples or more, there is {count}")
        if labels is not None and len(labels) != count:
            raise UsageError(f"there are {count} samples and {len(labels)} labels")
        self._samples = samples
        self._labels = labels
        self._shapes = [shape for _, shape in module.inputs]
        self._seed = seed
        self.held_out, self._trained_on = divide(count, held_out, seed)
        self.count = len(self._trained_on)

    def indices(self, step: int, size: int) -> NDArray[np.int64]:
        """The samples of a batch: every one in turn, in another order each time."""
        count = len(self._trained_on)
        places = np.arange(step * size, (step + 1) * size)
        return np.array(
            [self._trained_on[self._order(int(p) // count)[int(p) % count]] for p in places]
        )

    def training(self, step: int, size: int, rank: int = 0, ranks: int = 1) -> Batch:
        """The part of a batch that one process trains on."""
        return self._batch(self.indices(step, size)[rank::ranks])

    def trial(self, step: int, size: int, rank: int = 0, ranks: int = 1) -> Batch:
        """The part of a batch of a short training, which leaves some samples to judge it by."""
        order = self._order(0)
        order = order[: len(order) - self._judges(size)]
        places = np.arange(step * size, (step + 1) * size) % len(order)
        return self._batch(self._trained_on[order[places]][rank::ranks])

    def judging(self, size: int) -> list[Batch]:
        """What short trainings are judged by: samples that they do not see."""
        numbers = self._trained_on[self._order(0)[self.count - self._judges(size) :]]
        return [self._batch(numbers[i : i + size]) for i in range(0, len(numbers), size)]

    def _judges(self, size: int) -> int:
        return min(self.count // 4, _JUDGING * size)

    def evaluation(self, size: int) -> Iterator[Batch]:
        """What is held out, in batches."""
        for begin in range(0, len(self.held_out), size):
            yield self._batch(self.held_out[begin : begin + size])

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if getattr(self, "_epoch", None) != epoch:
            self._epoch = epoch
            rng = np.random.default_rng([self._seed, 1 + epoch])
            self._permutation = rng.permutation(len(self._trained_on))
        return self._permutation

    def _batch(self, indices: NDArray[np.int64]) -> Batch:
        rows = [self._one(int(index)) for index in indices]
        inputs = tuple(
            torch.from_numpy(np.concatenate([row[i] for row in rows]))
            for i in range(len(self._shapes))
        )
        labels = None
        if self._labels is not None:
            labels = torch.tensor([int(self._labels[int(index)]) for index in indices])
        return inputs, labels

    def _one(self, index: int) -> list[NDArray[np.float32]]:
        sample = self._samples[index]
        parts = sample if isinstance(sample, (tuple, list)) else (sample,)
        if len(parts) != len(self._shapes):
            raise UsageError(
                f"sample {index} has {len(parts)} inputs, the model {len(self._shapes)}"
            )
        return [
            _fitted(np.asarray(part, np.float32), shape, index)
            for part, shape in zip(parts, self._shapes, strict=True)
        ]


Batch = tuple[tuple[torch.Tensor, ...], torch.Tensor | None]


def moved(batch: Batch, device: torch.device) -> Batch:
    """A batch on a device."""
    inputs, labels = batch
    return tuple(x.to(device) for x in inputs), None if labels is None else labels.to(device)


def _fitted(part: NDArray[np.float32], shape: tuple[int, ...], index: int) -> NDArray[np.float32]:
    """A sample with the batch in front."""
    if part.shape == shape:
        return part
    if shape[:1] == (1,) and part.shape == shape[1:]:
        return part[None]
    raise UsageError(
        f"sample {index} has the shape {shown_shape(part.shape)}, the input {shown_shape(shape)}"
    )
