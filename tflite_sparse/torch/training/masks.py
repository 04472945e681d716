"""The zeros of filters while they are trained."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import torch
from torch import distributed

from tflite_sparse.errors import UsageError
from tflite_sparse.masking.engine import MaskEngine
from tflite_sparse.model.uses import trace_constant
from tflite_sparse.model.weights import is_pointwise

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from torch import Tensor

    from tflite_sparse.masking.schedule import Schedule
    from tflite_sparse.model import Model
    from tflite_sparse.torch.module import TfliteModule
    from tflite_sparse.torch.training.options import DistillOptions

__all__ = ["Masks", "TorchArrays", "chosen_filters", "zeros_of"]


def chosen_filters(model: Model, module: TfliteModule, options: DistillOptions) -> dict[str, float]:
    """Which parameters are to have zeros, and how many.

    Those are the filters of 1x1 convolutions, and what `zeros_of` names.

    Returns:
        Name of a parameter -> share of zeros.

    Raises:
        UsageError: `zeros_of` has a name that no filter or more than one has, or there is nothing
            to prune.
    """
    subgraph = model.subgraphs[module.subgraph]
    contents = set()
    for operator in subgraph.operators:
        use = trace_constant(operator, 1) if is_pointwise(operator) else None
        if use is not None:
            contents.add(use.constant.buffer.content)
    asked = dict(options.zeros_of)
    names = Counter(subgraph.tensors[weight.tensor].name for weight in module.stored)
    twins = next((name for name in asked if names[name] > 1), None)
    if twins is not None:
        numbers = [w.tensor for w in module.stored if subgraph.tensors[w.tensor].name == twins]
        raise UsageError(
            f"{names[twins]} trained weights are called {twins!r}",
            hint=f"say which by its number: {', '.join(repr(f'#{n}') for n in numbers)}",
        )
    numbered = {
        tensor.buffer.content: asked.pop(f"#{tensor.index}")
        for tensor in subgraph.tensors
        if f"#{tensor.index}" in asked
    }
    chosen = {}
    for weight in module.stored:
        tensor = subgraph.tensors[weight.tensor]
        share = asked.pop(tensor.name, numbered.pop(tensor.buffer.content, None))
        if share is None and tensor.buffer.content in contents:
            share = options.zeros
        if share:
            chosen[weight.name] = share
    if asked or numbered:
        which = repr(next(iter(asked))) if asked else "that, by its number"
        raise UsageError(f"no trained weight is called {which}")
    if not chosen:
        raise UsageError(
            "the model has no 1x1 convolution with weights to train",
            hint="name the filters to prune",
        )
    return chosen


def zeros_of(model: Model, module: TfliteModule, filters: Collection[str]) -> dict[str, float]:
    """The share of zeros of some parameters.

    Args:
        model: the model.
        module: its main subgraph.
        filters: names of the parameters.

    Returns:
        Name of each one's tensor -> the share; "#" and the number of tensors that share a name.
    """
    stored = [weight for weight in module.stored if weight.name in filters]
    names = [model.main.tensors[weight.tensor].name for weight in stored]
    return {
        name if names.count(name) == 1 else f"#{weight.tensor}": float(
            (module.weights[weight.name] == 0).float().mean()
        )
        for weight, name in zip(stored, names, strict=True)
    }


class Masks(MaskEngine):
    """Which weights of a module are zero; they stay so through every step of an optimizer.

    In several processes all have the masks of the first one.

    Args:
        weights: the filters by name; their zeros are where the masks begin.
        zeros: the share that each is to have in the end.
        schedule: how masks change.
        block: so many neighbouring outputs have their zeros together.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        zeros: Mapping[str, float],
        schedule: Schedule,
        block: int = 1,
    ) -> None:
        self._weights = {name: weights[name] for name in zeros}
        super().__init__(self._weights, zeros, schedule, block, TorchArrays())
        self.share()
        self.apply()

    @torch.no_grad()
    def apply(self) -> None:
        """Sets to zero what the masks say, after a step of an optimizer."""
        for name, weight in self._weights.items():
            weight.mul_(self.kept[name])

    @torch.no_grad()
    def change(self, step: int) -> None:
        """Changes the masks, by the gradients of the last batch where those decide."""
        gradients = {n: w.grad for n, w in self._weights.items() if w.grad is not None}
        self.update(step, self._weights, gradients)
        self.share()
        self.apply()

    def share(self) -> None:
        """Gives all processes the masks of the first one."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return
        for name, mask in self.kept.items():
            numbers = mask.to(torch.uint8)
            distributed.broadcast(numbers, src=0)
            self.kept[name] = numbers.bool()


class TorchArrays:
    """PyTorch."""

    @torch.no_grad()
    def summed(self, values: Tensor, block: int) -> Tensor:
        """See `tflite_sparse.masking.arrays.Arrays`."""
        magnitudes = values.float().abs()
        if block == 1:
            return magnitudes
        return magnitudes.reshape(-1, block, *values.shape[1:]).sum(1)

    def largest(self, scores: Tensor, count: int) -> Tensor:
        """See `tflite_sparse.masking.arrays.Arrays`."""
        mask = torch.zeros(scores.numel(), dtype=torch.bool, device=scores.device)
        mask[scores.reshape(-1).topk(count).indices] = True
        return mask.reshape(scores.shape)

    def chosen(self, condition: Tensor, values: Tensor, other: float) -> Tensor:
        """See `tflite_sparse.masking.arrays.Arrays`."""
        return values.where(condition, other)

    def spread(self, mask: Tensor, block: int) -> Tensor:
        """See `tflite_sparse.masking.arrays.Arrays`."""
        return mask.repeat_interleave(block, 0)

    def is_finite(self, values: Tensor) -> bool:
        """See `tflite_sparse.masking.arrays.Arrays`."""
        return bool(values.isfinite().all())
