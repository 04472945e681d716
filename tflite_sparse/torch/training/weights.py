"""The weights of a module, taken aside and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["copied", "put"]


def copied(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies of weights, by their names."""
    return {name: weight.detach().clone() for name, weight in weights.items()}


@torch.no_grad()
def put(weights: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """Gives weights the values that others of the same names have."""
    for name, weight in weights.items():
        weight.copy_(values[name])
