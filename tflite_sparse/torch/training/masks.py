"""The zeros of filters while they are trained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from tflite_sparse.errors import UsageError
from tflite_sparse.model.uses import trace_constant
from tflite_sparse.model.weights import is_pointwise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from tflite_sparse.model import Model
    from tflite_sparse.torch.module import TfliteModule
    from tflite_sparse.torch.training.options import DistillOptions

__all__ = ["Masks", "chosen_filters"]

_MOVING_ENDS = 0.75  # RigL moves zeros for so long, as published


def chosen_filters(model: Model, module: TfliteModule, options: DistillOptions) -> dict[str, float]:
    """Which parameters are to have zeros, and how many.

    Those are the filters of 1x1 convolutions, and what `zeros_of` names.

    Returns:
        Name of a parameter -> share of zeros.

    Raises:
        UsageError: `zeros_of` has a name that no filter has, or there is nothing to prune.
    """
    subgraph = model.subgraphs[module.subgraph]
    contents = set()
    for operator in subgraph.operators:
        use = trace_constant(operator, 1) if is_pointwise(operator) else None
        if use is not None:
            contents.add(use.constant.buffer.content)
    asked = dict(options.zeros_of)
    chosen = {}
    for weight in module.stored:
        tensor = subgraph.tensors[weight.tensor]
        share = asked.pop(tensor.name, None)
        if share is None and tensor.buffer.content in contents:
            share = options.zeros
        if share:
            chosen[weight.name] = share
    if asked:
        raise UsageError(f"no trained weight is called {next(iter(asked))!r}")
    if not chosen:
        raise UsageError(
            "the model has no 1x1 convolution with weights to train",
            hint="name the filters to prune",
        )
    return chosen


class Masks:
    """Which weights of a module are zero; they stay so through every step of an optimizer.

    Args:
        weights: the filters by name; their zeros are where the masks begin.
        zeros: the share that each is to have in the end.
        options: how masks change.

    Attributes:
        kept: name -> what is not zero, as booleans in the filter's shape.
        complete: the step from which all zeros are there.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], zeros: Mapping[str, float], options: DistillOptions
    ) -> None:
        self._weights = {name: weights[name] for name in zeros}
        self._zeros = dict(zeros)
        self._options = options
        self.kept = {name: weight != 0 for name, weight in self._weights.items()}
        self._first = {name: 1 - _share(kept) for name, kept in self.kept.items()}
        gradual = options.masks == "magnitude" and any(
            self._first[name] < share for name, share in zeros.items()
        )
        updates = int(options.ramp * options.steps) // options.every if gradual else 0
        self.complete = updates * options.every
        self.update(0)

    @property
    def zeros(self) -> float:
        """The share of zeros over all filters."""
        kept = sum(int(mask.sum()) for mask in self.kept.values())
        return 1 - kept / sum(mask.numel() for mask in self.kept.values())

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of the masks."""
        return {"kept": self.kept, "first": self._first, "complete": self.complete}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a state."""
        self.kept, self._first = state["kept"], state["first"]
        self.complete = state["complete"]

    @torch.no_grad()
    def apply(self) -> None:
        """Sets to zero what the masks say, after a step of an optimizer."""
        for name, weight in self._weights.items():
            weight.mul_(self.kept[name])

    def is_due(self, step: int) -> bool:
        """Whether masks change after a step."""
        if step % self._options.every or self._options.masks == "fixed":
            return False
        return step <= self.complete or self._moves(step) > 0

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Changes the masks, by the gradients of the last batch where those decide."""
        done = min(step / self.complete, 1.0) if self.complete else 1.0
        for name, weight in self._weights.items():
            first, last = self._first[name], self._zeros[name]
            share = max(first, last) + min(first - last, 0.0) * (1 - done) ** 3
            scores = self._scores(weight)
            kept = self._scores(self.kept[name].float()) > 0
            fewer = _largest(
                scores.where(kept, -1.0), scores.numel() - round(share * scores.numel())
            )
            fewer &= kept
            moved = int(self._moves(step) * int(fewer.sum()))
            if moved and weight.grad is not None:
                fewer = self._moved(weight, scores, fewer, moved)
            self.kept[name] = self._spread(fewer, weight)
        self.apply()

    def _moved(self, weight: Tensor, scores: Tensor, kept: Tensor, moved: int) -> Tensor:
        """Drops some of least magnitude, and lets as many of largest gradient grow."""
        moved = min(moved, int((~kept).sum()))
        left = _largest(scores.where(kept, -1.0), int(kept.sum()) - moved)
        gradients = self._scores(weight.grad)
        return left | _largest(gradients.where(~kept, -1.0), moved)

    def _moves(self, step: int) -> float:
        ends = _MOVING_ENDS * self._options.steps
        if self._options.masks != "rigl" or not 0 < step < ends:
            return 0.0
        return self._options.drop / 2 * (1 + math.cos(math.pi * step / ends))

    def _scores(self, values: Tensor) -> Tensor:
        """The magnitude of each value, or of each block of output channels."""
        block = self._options.block
        if block == 1 or values.shape[0] % block:
            return values.abs()
        return values.abs().reshape(-1, block, *values.shape[1:]).sum(1)

    def _spread(self, kept: Tensor, weight: Tensor) -> Tensor:
        """Masks of blocks as masks of values."""
        return kept.repeat_interleave(weight.shape[0] // kept.shape[0], 0)


def _largest(scores: Tensor, count: int) -> Tensor:
    """Where the largest values are; exactly so many."""
    mask = torch.zeros(scores.numel(), dtype=torch.bool, device=scores.device)
    mask[scores.reshape(-1).topk(count).indices] = True
    return mask.reshape(scores.shape)


def _share(mask: Tensor) -> float:
    return float(mask.float().mean())
