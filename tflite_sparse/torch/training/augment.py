"""Other pictures made of those that there are: parts and mirror images, which need no labels.

What is wanted of them says the dense model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from tflite_sparse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["Augmentation"]

_LEAST = 0.7
"""Least share of the area of a picture that is seen."""
_RANK = 4
_CHANNELS = (1, 3, 4)


class Augmentation:
    """Shows parts of pictures, some of them mirrored, the same ones for the same seed and step.

    Args:
        shapes: of the inputs, with a batch of 1 in front. Those that are no pictures stay as they
            are.
        seed: makes what is drawn.

    Raises:
        UsageError: no input is a picture.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], seed: int) -> None:
        self._seed = seed
        self._axes = [_channel_axis(shape) for shape in shapes]
        if not any(self._axes):
            raise UsageError(
                "no input of the model is a picture, to be seen in part or mirrored",
                hint="train without augmentation",
            )

    def applied(
        self, inputs: tuple[Tensor, ...], step: int, places: NDArray[np.int64]
    ) -> tuple[Tensor, ...]:
        """Inputs of a batch, seen in part.

        Args:
            inputs: as they are given, each of shape (samples, ...).
            step: which batch.
            places: of the samples in the batch, shape (samples,): processes that share a batch see
                what one alone would.
        """
        where = torch.from_numpy(self._drawn(step, places))
        return tuple(
            x if axis is None else _sampled(x.movedim(axis, 1), where).movedim(1, axis)
            for x, axis in zip(inputs, self._axes, strict=True)
        )

    def _drawn(self, step: int, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Which part is seen of each sample, as affine maps of shape (samples, 2, 3).

        They map places in what is seen to those in the picture, each from -1 to 1.
        """
        rng = np.random.default_rng([self._seed, 0, step])
        area, across, down, turn = rng.random((int(places.max()) + 1, 4))[places].T
        side = np.sqrt(_LEAST + (1 - _LEAST) * area)
        maps = np.zeros((len(places), 2, 3), np.float32)
        maps[:, 0, 0] = np.where(turn < 1 / 2, -side, side)
        maps[:, 1, 1] = side
        maps[:, 0, 2] = (1 - side) * (2 * across - 1)
        maps[:, 1, 2] = (1 - side) * (2 * down - 1)
        return maps


def _sampled(pictures: Tensor, where: Tensor) -> Tensor:
    """Pictures seen in part, (n, channels, height, width), in the size that they had."""
    grid = functional.affine_grid(where, list(pictures.shape), align_corners=False)
    seen = functional.grid_sample(
        pictures.float(), grid, padding_mode="border", align_corners=False
    )
    return seen if pictures.is_floating_point() else seen.round().to(pictures.dtype)


def _channel_axis(shape: tuple[int, ...]) -> int | None:
    """Where a picture has its channels; None for what is none."""
    if len(shape) != _RANK:
        return None
    return next((axis for axis in (3, 1) if shape[axis] in _CHANNELS), None)
