"""How many zeros each layer is to have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError
from tflite_sparse.pruning.densities import check_clusters, kept_shares, with_numbers
from tflite_sparse.pruning.options import Allocation, PruneOptions, is_named
from tflite_sparse.pruning.recipe import read_recipe
from tflite_sparse.training.eligible_types import EligibleModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tflite_sparse.training.options import MaskOptions

__all__ = ["shares_of"]


def shares_of(
    layers: EligibleModel | Mapping[str, float], options: MaskOptions
) -> tuple[dict[str, float], int]:
    """The share of zeros of each layer, and the block of output channels that have them together.

    Args:
        layers: the layers whose zeros count, or shares by the names of layers.
        options: how many zeros, and how they are spread.

    Raises:
        UsageError: no layer's zeros count, a name is that of no such layer, or a cluster of filters
            would have too few zeros to run sparse.
        FileError: the recipe cannot be read.
    """
    if not isinstance(layers, EligibleModel):
        if not layers:
            raise UsageError("no layer is named that is to have zeros")
        if options.recipe is not None or options.zeros_of:
            raise UsageError(
                f"{'a recipe' if options.recipe is not None else 'zeros_of'} beside shares by the"
                " names of layers would be ignored",
                hint="leave one of them out, or hand over what eligible() gives",
            )
        wrong = next((name for name, share in layers.items() if not _is_share(share)), None)
        if wrong is not None:
            raise UsageError(f"a share of zeros is from 0 to below 1, {wrong}'s is {layers[wrong]}")
        return dict(layers), options.block
    selected = layers.selected
    if not selected.filters:
        raise UsageError(
            "no layer's zeros would count", hint="print what eligible() gives: it says why"
        )
    if options.recipe is not None:
        asked = read_recipe(options.recipe).options()
    else:
        asked = PruneOptions(
            zeros=options.zeros,
            allocation=Allocation(options.allocation),
            block=options.block,
            numbered=_numbered(layers, options),
        )
    if asked.block != layers.options.block:
        raise UsageError(
            f"what counts was found for blocks of {layers.options.block}, not of {asked.block}",
            hint=f"eligible(model, ..., block={asked.block})",
        )
    asked = with_numbers(selected, asked)
    kept = kept_shares(selected, asked.zeros or 0.0, asked.allocation or Allocation.UNIFORM, asked)
    check_clusters(selected, kept)
    shares: dict[str, float] = {}
    for prunable, share in zip(selected.filters, kept, strict=True):
        name = layers.matches[prunable.number].layer.name
        shares[name] = max(1 - share, shares.get(name, 0.0))
    return shares, asked.block


def _is_share(value: object) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < 1


def _numbered(layers: EligibleModel, options: MaskOptions) -> dict[int, float]:
    """The shares of single layers, by the numbers of their tensors."""
    numbered: dict[int, float] = {}
    for pattern, share in options.zeros_of.items():
        named = [
            prunable.weight.tensor.index
            for prunable in layers.selected.filters
            if is_named(pattern, [layers.matches[prunable.number].layer.name])
        ]
        if not named:
            raise UsageError(
                f"no layer whose zeros count is called {pattern!r}",
                hint=f"one of the names is {layers.names[0]}; * and ? stand for others",
            )
        for number in named:
            numbered.setdefault(number, share)
    return numbered
