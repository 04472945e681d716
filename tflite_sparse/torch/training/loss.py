"""How far a model is from the one that it is to be like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from tflite_sparse.torch.training.spread import Spread, error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.torch.module import TfliteModule

__all__ = ["Student", "watched"]

_MOST_FEATURES = 12
_RANK = 4


class Watched:
    """The values in which two models are compared, by the numbers of their tensors.

    Attributes:
        logits: what a softmax makes an output of, or with labels the first output.
        values: the other outputs.
        features: inner values: what filters with zeros make.
    """

    def __init__(self, logits: list[int], values: list[int], features: list[int]) -> None:
        self.logits = logits
        self.values = values
        self.features = features

    @property
    def all(self) -> list[int]:
        """All of them, each once."""
        return list(dict.fromkeys((*self.logits, *self.values, *self.features)))


def watched(module: TfliteModule, filters: Sequence[str], *, labelled: bool) -> Watched:
    """What to compare.

    Args:
        module: either of the models.
        filters: names of the parameters with zeros.
        labelled: whether there are labels, so that the first output has to be classes.
    """
    producers = {n: step for step in module.instructions for n in step.outputs}
    logits, values = [], []
    for place, number in enumerate(module.outputs):
        producer = producers.get(number)
        is_softmax = producer is not None and producer.label.startswith("SOFTMAX ")
        source = producer.inputs[0] if producer is not None and is_softmax else None
        if source is not None:
            logits.append(source)
        elif labelled and place == 0:
            logits.append(number)
        else:
            values.append(number)
    numbers = module.numbers_of(filters)
    outputs = [
        step.outputs[0]
        for step in module.instructions
        if numbers.intersection(n for n in step.inputs if n is not None)
    ]
    # Some of all depths.
    every = -(-len(outputs) // _MOST_FEATURES) or 1
    return Watched(logits, values, outputs[::-1][::every][::-1])


class Student(nn.Module):
    """A module that is trained, with the loss: one thing for PyTorch to run on every process.

    Args:
        module: what is trained.
        where: the values to compare.
        features: weight of inner values.
        spread: how the outputs that are no classes are spread in the dense model.
    """

    def __init__(
        self, module: TfliteModule, where: Watched, features: float, spread: dict[int, Spread]
    ) -> None:
        super().__init__()
        self.module = module
        self.where = where
        self.features = features
        self.spread = spread

    def forward(
        self, inputs: Sequence[Tensor], wanted: dict[int, Tensor], labels: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """The loss on a batch, and how many of its samples have the class that is wanted.

        Args:
            inputs: of the batch.
            wanted: the values that the dense model has.
            labels: classes, or None.
        """
        got = self.module.run(inputs, self.where.all)
        losses = [_classes(got[n], wanted[n]) for n in self.where.logits]
        losses += [error(n, got[n], wanted, self.spread) for n in self.where.values]
        loss = torch.stack(losses).sum()
        if labels is not None:
            loss = loss + functional.cross_entropy(_rows(got[self.where.logits[0]]), labels)
        if self.features and self.where.features:
            inner = [_features(got[n], wanted[n]) for n in self.where.features]
            loss = loss + self.features * torch.stack(inner).mean()
        agreeing = None
        if self.where.logits:
            first = self.where.logits[0]
            same = _rows(got[first]).argmax(-1) == _rows(wanted[first]).argmax(-1)
            agreeing = same.float().mean()
        return loss, agreeing


def _rows(x: Tensor) -> Tensor:
    return x.reshape(-1, x.shape[-1])


def _classes(got: Tensor, wanted: Tensor) -> Tensor:
    """The Kullback-Leibler divergence of classes."""
    return functional.kl_div(
        functional.log_softmax(_rows(got), -1),
        functional.log_softmax(_rows(wanted), -1),
        reduction="batchmean",
        log_target=True,
    )


def _features(got: Tensor, wanted: Tensor) -> Tensor:
    """The mean square of the error in that of the values; of a map each channel counts alike."""
    if wanted.ndim == _RANK:
        axes = (0, 1, 2)
        scale = wanted.square().mean(axes)
        scale = scale + 0.1 * scale.mean() + 1e-12
        return ((got - wanted).square().mean(axes) / scale).mean()
    return functional.mse_loss(got, wanted) / (wanted.square().mean() + 1e-12)
