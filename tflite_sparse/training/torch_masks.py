"""Zeros that hold through a training in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tflite_sparse.errors import UsageError
from tflite_sparse.torch.training import masks as engine
from tflite_sparse.training.eligible_types import EligibleModel
from tflite_sparse.training.layers import unwrapped
from tflite_sparse.training.options import MaskOptions
from tflite_sparse.training.progress import MaskReport, report_of
from tflite_sparse.training.shares import shares_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

__all__ = ["Masks"]


class Masks:
    """Sets weights of a module to zero, and keeps them so while an optimizer trains the others.

    Nothing is added to the module or the optimizer: call `step` after each step of the optimizer
    and before gradients are set to zero. It works with autocast and GradScaler, torch.compile and
    DistributedDataParallel, where all processes have the masks of the first one.

    Args:
        model: the module.
        layers: what `eligible` gives, or shares of zeros by the names of layers.
        options: how many zeros, when they come and how they move.

    Raises:
        UsageError: no layer's zeros count, a name is that of no layer, or the zeros would be too
            few to run sparse.
        FileError: the recipe cannot be read.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: EligibleModel | Mapping[str, float],
        options: MaskOptions | None = None,
    ) -> None:
        self._options = options or MaskOptions()
        self._layers = layers if isinstance(layers, EligibleModel) else None
        self._shares, self._block = shares_of(layers, self._options)
        self._model = model
        self._steps = 0
        self._engine: engine.Masks | None = engine.Masks(
            self._weights(model), self._shares, self._options.schedule(), self._block
        )

    @property
    def zeros(self) -> float:
        """The share of zeros in the layers that are pruned."""
        return self._masks.zeros

    def step(self) -> None:
        """Sets to zero what the optimizer has changed; changes the masks when it is time.

        Raises:
            UsageError: weights are to grow by their gradients, and there are none.
        """
        self._steps += 1
        masks = self._masks
        if not masks.is_due(self._steps):
            masks.apply()
            return
        moves = self._options.schedule().moved(self._steps) > 0
        weights = self._weights(self._model)
        if moves and all(weight.grad is None for weight in weights.values()):
            raise UsageError(
                "weights grow by their gradients, and there are none",
                hint="call step() after the optimizer's and before zero_grad()",
            )
        masks.change(self._steps)

    @torch.no_grad()
    def apply_to(self, model: nn.Module) -> None:
        """Sets the same weights to zero in a copy of the module, such as an average of its weights.

        Raises:
            UsageError: it is another module.
        """
        weights = self._weights(model)
        for name, kept in self._masks.kept.items():
            weights[name].mul_(kept.to(weights[name].device))

    def report(self) -> MaskReport:
        """The zeros now, and what `optimize` would make of them on each target."""
        masks = {name: kept.cpu().numpy() for name, kept in self._masks.kept.items()}
        return report_of(self._steps, self._masks.counts, self._layers, masks)

    def strip(self) -> nn.Module:
        """Ends the masks, and gives the module with its zeros. It holds nothing of this one."""
        self._masks.apply()
        self._engine = None
        return self._model

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds of the masks."""
        return {
            "step": self._steps,
            "block": self._block,
            "shares": dict(self._shares),
            "options": self._options.to_dict(),
            "masks": self._masks.state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes up the state of a checkpoint; load that of the module before it.

        Raises:
            UsageError: it is none, or that of another training.
        """
        own = self.state_dict()
        try:
            parts = {part: state["masks"][part] for part in own["masks"]}
            kept = parts["kept"]
            shapes = {name: tuple(mask.shape) for name, mask in kept.items()}
            steps = int(state["step"])
            differing = next(
                (k for k in ("options", "block", "shares") if state[k] != own[k]), None
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise UsageError("this is no state of masks") from error
        if differing is None and shapes != {n: tuple(m.shape) for n, m in self._masks.kept.items()}:
            differing = "shapes"
        if differing is not None:
            raise UsageError(
                f"the state belongs to another training: {differing} of its masks differ",
                hint="make the masks with the same layers and options",
            )
        there = {n: mask.to(self._masks.kept[n].device).bool() for n, mask in kept.items()}
        self._steps = steps
        self._masks.restore({**parts, "kept": there})
        self._masks.apply()

    @property
    def _masks(self) -> engine.Masks:
        if self._engine is None:
            raise UsageError("the masks were stripped", hint="make new ones to train on")
        return self._engine

    def _weights(self, model: nn.Module) -> dict[str, Tensor]:
        """The weights by the names of their layers."""
        parameters = dict(unwrapped(model).named_parameters())
        weights = {}
        for name in self._shares:
            weight = parameters.get(f"{name}.weight", parameters.get(name))
            if weight is None:
                raise UsageError(
                    f"the module has no layer {name!r} with a weight",
                    hint="names are those of named_modules(), such as 'features.0'",
                )
            weights[name] = weight
        return weights
