"""What other pictures are made of those that a model is trained on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tflite_sparse.errors import UsageError
from tflite_sparse.torch.training.augment import Augmentation

COUNT = 32
RAMP = torch.linspace(0, 1, 8)
# Brighter to the right in one channel and to the bottom in another; the third is the number.
PICTURES = torch.stack(
    [
        torch.stack([RAMP.expand(8, 8), RAMP.expand(8, 8).T, torch.full((8, 8), float(i))], -1)
        for i in range(COUNT)
    ]
)
SHAPE = (1, 8, 8, 3)
ALL = np.arange(COUNT)


def seen(step=0, places=ALL, seed=0):
    (pictures,) = Augmentation([SHAPE], seed).applied((PICTURES[places],), step, places)
    return pictures


def test_parts_are_seen_and_half_of_them_are_mirrored():
    pictures = seen()
    # Each stays what it is of.
    torch.testing.assert_close(pictures[..., 2], PICTURES[..., 2])
    across = pictures[:, 0, 7, 0] - pictures[:, 0, 0, 0]
    down = pictures[:, 7, 0, 1] - pictures[:, 0, 0, 1]
    assert COUNT // 4 < int((across < 0).sum()) < 3 * COUNT // 4
    # Nothing is upside down; sides are those of seven tenths of the area or more, and alike.
    assert (down > 0.83 * 0.9).all()
    assert down.min() < 0.92 < down.max()
    torch.testing.assert_close(across.abs(), down, atol=0.1, rtol=0)
    # A step of a ramp is as long as a side is.
    middle = pictures[:, 4, 0, 1] - pictures[:, 3, 0, 1]
    assert (middle > 0.83 / 7 - 1e-4).all()
    assert (middle < 1 / 7 + 1e-4).all()


def test_channels_may_come_first_and_other_inputs_stay():
    rows = torch.arange(2.0 * COUNT).reshape(COUNT, 2)
    both = Augmentation([(1, 3, 8, 8), (1, 2)], 0)
    first, other = both.applied((PICTURES.movedim(3, 1), rows), 0, ALL)
    torch.testing.assert_close(first.movedim(1, 3), seen())
    assert torch.equal(other, rows)
    with pytest.raises(UsageError, match="no input of the model is a picture"):
        Augmentation([(1, 2), (1, 8, 8, 2)], 0)


def test_pictures_of_whole_numbers_stay_whole_numbers():
    pictures = (255 * PICTURES).to(torch.uint8)
    (found,) = Augmentation([SHAPE], 0).applied((pictures,), 0, ALL)
    assert found.dtype == torch.uint8
    wanted = 255 * seen()[..., :2]
    torch.testing.assert_close(found[..., :2].float(), wanted, atol=1.5, rtol=0)


def test_two_processes_share_what_one_would_see():
    for rank in range(2):
        torch.testing.assert_close(seen(3, ALL[rank::2]), seen(3)[rank::2])


def test_a_step_and_a_seed_make_the_same_and_others_make_others():
    assert torch.equal(seen(5), seen(5))
    assert not torch.equal(seen(5), seen(6))
    assert not torch.equal(seen(5), seen(5, seed=1))
