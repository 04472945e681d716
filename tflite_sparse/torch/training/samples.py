"""Inputs to train on: batches of them, and those that are held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from tflite_sparse.errors import UsageError, shown_shape
from tflite_sparse.torch.training.augment import Augmentation
from tflite_sparse.torch.training.division import divide

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.torch.module import TfliteModule
    from tflite_sparse.torch.training.options import DistillOptions

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
        options: the share of the samples that are held out, the seed, and whether parts of pictures
            are trained on.

    Attributes:
        held_out: numbers of the samples that are not trained on.
        count: how many are trained on.
    """

    def __init__(
        self,
        samples: Samples,
        labels: Sequence[int] | None,
        module: TfliteModule,
        options: DistillOptions,
    ) -> None:
        count = len(samples)
        if count < _FEWEST:
            raise UsageError(f"training takes 2 samples or more, there is {count}")
        if labels is not None and len(labels) != count:
            raise UsageError(f"there are {count} samples and {len(labels)} labels")
        self._samples = samples
        self._labels = labels
        self._shapes = [shape for _, shape in module.inputs]
        self._seed = options.seed
        self.held_out, self._trained_on = divide(count, options.held_out, options.seed)
        self.count = len(self._trained_on)
        self._augmentation = Augmentation(self._shapes, options.seed) if options.augment else None

    def indices(self, step: int, size: int) -> NDArray[np.int64]:
        """The samples of a batch: every one in turn, in another order each time."""
        count = len(self._trained_on)
        places = np.arange(step * size, (step + 1) * size)
        return np.array(
            [self._trained_on[self._order(int(p) // count)[int(p) % count]] for p in places]
        )

    def training(self, step: int, size: int, rank: int = 0, ranks: int = 1) -> Batch:
        """The part of a batch that one process trains on, augmented."""
        return self._augmented(self.indices(step, size), step, rank, ranks)

    def plain(self, step: int, size: int) -> Batch:
        """The same batch as it is given."""
        return self._batch(self.indices(step, size))

    def judging(self, size: int) -> list[Batch]:
        """What short trainings are judged by: some of what is held out."""
        numbers = self.held_out[: _JUDGING * size]
        return [self._batch(numbers[i : i + size]) for i in range(0, len(numbers), size)]

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

    def _augmented(self, indices: NDArray[np.int64], step: int, rank: int, ranks: int) -> Batch:
        inputs, labels = self._batch(indices[rank::ranks])
        if self._augmentation is not None:
            places = np.arange(rank, len(indices), ranks)
            inputs = self._augmentation.applied(inputs, step, places)
        return inputs, labels

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
