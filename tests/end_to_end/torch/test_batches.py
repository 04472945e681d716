"""Which samples are trained on, judged by, and seen in part."""

from __future__ import annotations

import torch

from tests.end_to_end.torch.small_net import net, split
from tflite_sparse.torch import DistillOptions, from_tflite
from tflite_sparse.torch.training.samples import Batches


def test_short_trainings_are_judged_by_what_is_held_out():
    images, module = split()[0], from_tflite(net())
    batches = Batches(images[:40], None, module, DistillOptions(held_out=0.25))
    judging = torch.cat([inputs[0] for inputs, _ in batches.judging(4)])
    assert len(judging) == 8
    held_out = torch.cat([inputs[0] for inputs, _ in batches.evaluation(8)])
    assert torch.equal(judging, held_out[:8])
    seen = torch.cat([batches.training(step, 4)[0][0] for step in range(20)])
    apart = (seen[:, None] - judging[None]).abs().flatten(2).sum(2)
    assert (apart > 0).all()
    # There is always one.
    few = Batches(images[:2], None, module, DistillOptions())
    assert len(few.judging(4)) == 1


def test_only_what_is_trained_on_is_augmented():
    images, module = split()[0], from_tflite(net())
    batches, given = (
        Batches(
            images[:40],
            None,
            module,
            DistillOptions(held_out=0.2, seed=0, augment=augment),
        )
        for augment in (True, False)
    )
    for one, other, same in (
        (batches.training(0, 8), given.training(0, 8), False),
        (batches.plain(0, 8), given.training(0, 8), True),
        (batches.judging(4)[0], given.judging(4)[0], True),
        (next(batches.evaluation(8)), next(given.evaluation(8)), True),
    ):
        assert torch.equal(one[0][0], other[0][0]) == same
