"""Restores what zeros take from channels: the mean and the variance of what filters make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tflite_sparse.torch.module import Instruction, TfliteModule

__all__ = ["restore_statistics"]

_MOST = 2.0  # a channel that would have to grow more than that is another one

_BIASES = {"CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3}

Inputs = tuple[Tensor, ...]


@torch.no_grad()
def restore_statistics(
    dense: TfliteModule,
    module: TfliteModule,
    filters: Sequence[str],
    batches: Callable[[], Iterable[Inputs]],
) -> int:
    """Scales filters and moves biases so that each channel has the mean and variance it had.

    Layer by layer in their order, each with what the layers before it make by then. Zeros stay.
    What is compared is not yet cut by a fused activation.

    Args:
        dense: the model as it was.
        module: the model with zeros, which is changed.
        filters: names of the filters with zeros.
        batches: gives the same inputs with each call.

    Returns:
        How many filters were changed: those that one operator reads, with a bias of its own.
    """
    layers = [
        step
        for step in module.instructions
        if _bias(module, step) is not None and _filter(module, step) in filters
    ]
    count = 0
    all_wanted = _moments(dense, layers, batches())
    for layer, wanted in zip(layers, all_wanted, strict=True):
        name, bias = _filter(module, layer), _bias(module, layer)
        readers = module.numbers_of([str(name), str(bias)])
        if sum(bool(readers.intersection(_numbers(step))) for step in module.instructions) != 1:
            continue
        (actual,) = _moments(module, [layer], batches())
        ratio = (wanted[1] / actual[1].clamp_min(1e-12)).clamp(1 / _MOST**2, _MOST**2).sqrt()
        ratio = torch.where(actual[1] > 0, ratio, torch.ones_like(ratio))
        weight, offset = module.weights[str(name)], module.weights[str(bias)]
        if not (weight.requires_grad and offset.requires_grad):
            continue
        weight.mul_(ratio.reshape(-1, *[1] * (weight.ndim - 1)))
        offset.copy_((offset.reshape(-1) - actual[0]) * ratio + wanted[0])
        count += 1
    return count


def _bias(module: TfliteModule, step: Instruction) -> str | None:
    """The parameter that a layer adds to what its filter makes."""
    place = _BIASES.get(step.label.partition(" ")[0])
    if place is None or len(step.inputs) <= place:
        return None
    return module.parameter_of(step.inputs[place])


def _filter(module: TfliteModule, step: Instruction) -> str | None:
    return module.parameter_of(step.inputs[1])


def _numbers(step: Instruction) -> set[int]:
    return {number for number in step.inputs if number is not None}


def _moments(
    module: TfliteModule, layers: Sequence[Instruction], batches: Iterable[Inputs]
) -> list[tuple[Tensor, Tensor]]:
    """Mean and variance of each channel that each layer makes, before its activation."""
    sums: list[list[tuple[Tensor, Tensor]]] = [[] for _ in layers]
    counts = [0] * len(layers)
    numbers = {number for layer in layers for number in _numbers(layer)}
    for inputs in batches:
        values = module.run(inputs, [*numbers])
        for place, layer in enumerate(layers):
            operands = [None if n is None else values[n] for n in layer.inputs]
            result = (layer.plain or layer.step)(*operands)
            rows = result.reshape(-1, result.shape[-1]).double()
            counts[place] += rows.shape[0]
            sums[place].append((rows.sum(0), rows.square().sum(0)))
    moments = []
    for parts, count in zip(sums, counts, strict=True):
        mean, square = (torch.stack(part).sum(0) / count for part in zip(*parts, strict=True))
        moments.append((mean.float(), (square - mean.square()).clamp_min(0).float()))
    return moments
