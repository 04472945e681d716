"""The digits learnt from scratch with zeros, as anybody would write it in PyTorch."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import nn

from tests.support.digits import digits, enlarged
from tests.support.training.nets import chain
from tests.support.training.sequential import converted
from tflite_sparse.training import MaskOptions, Masks, eligible

__all__ = ["SHAPE", "accuracy", "learnt", "split"]

SHAPE = (1, 3, 16, 16)
_TRAINED_ON = 1347
_BATCH = 64
_RATE = 3e-3


@functools.cache
def split(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pictures as PyTorch has them and their classes, to train on and to evaluate."""
    pictures, classes = digits()
    pictures = np.ascontiguousarray(enlarged(pictures).transpose(0, 3, 1, 2))
    order = np.random.default_rng(1000 + seed).permutation(len(pictures))
    x, y = torch.from_numpy(pictures[order]), torch.from_numpy(classes[order])
    return x[:_TRAINED_ON], y[:_TRAINED_ON], x[_TRAINED_ON:], y[_TRAINED_ON:]


def learnt(
    options: MaskOptions | None, steps: int, seed: int, width: int = 16
) -> tuple[nn.Sequential, Masks | None]:
    """A net after training from random weights.

    Args:
        options: of the masks; None for a dense net.
        steps: batches of 64.
        seed: of the weights, the split and the order of the pictures.
        width: channels of the first layer.
    """
    net = chain(width, seed=seed)
    masks = None
    if options is not None:
        masks = Masks(net, eligible(net, tflite=converted(net.eval(), SHAPE)), options)
    pictures, classes, _, _ = split(seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=_RATE)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, steps)
    generator = torch.Generator().manual_seed(seed)
    net.train()
    for _ in range(steps):
        batch = torch.randint(len(pictures), (_BATCH,), generator=generator)
        loss = nn.functional.cross_entropy(net(pictures[batch]), classes[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.step()
        if masks is not None:
            masks.step()
    return net.eval(), masks


@torch.no_grad()
def accuracy(net: nn.Module, seed: int) -> float:
    """The share of the evaluated pictures that a net gets right."""
    _, _, pictures, classes = split(seed)
    return float((net(pictures).argmax(-1) == classes).float().mean())
