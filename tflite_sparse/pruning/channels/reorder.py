"""Puts the channels of a model in the order in which blocks of zeros cost least."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from tflite_sparse.model.weights import find_weights
from tflite_sparse.pruning.channels.order import Worth, lost, order_of
from tflite_sparse.rewrite.adapt.channels.classes import channel_classes
from tflite_sparse.rewrite.writing.proof import Expected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.model import Model, Tensor
    from tflite_sparse.pruning.filters import Selected
    from tflite_sparse.pruning.options import PruneOptions
    from tflite_sparse.rewrite.adapt.channels.classes import ChannelClass

__all__ = ["Ordered", "in_blocks"]


class Ordered(NamedTuple):
    """A dense model with its channels in an order that suits blocks.

    Attributes:
        model: the model; it computes what it did, with sums in another order.
        selected: its filters to prune.
        classes: number of sets of channels that have another order.
        moved: the constants that have.
    """

    model: Model
    selected: Selected
    classes: int = 0
    moved: tuple[Tensor, ...] = ()

    def expected(self, pruned: Model, changed: Iterable[Expected]) -> list[Expected]:
        """What constants of a pruned copy must hold when it is written.

        Args:
            pruned: the copy.
            changed: what is known of those that pruning has changed.
        """
        known = {item.tensor: item for item in changed}
        for tensor in self.moved:
            twin = tensor.twin_in(pruned)
            known.setdefault(twin, Expected(twin, source=partial(np.asarray, twin.data)))
        return list(known.values())


def in_blocks(model: Model, selected: Selected, options: PruneOptions, zeros: float) -> Ordered:
    """Brings output channels together that lose least as blocks, where their order is free.

    What values are worth is told by their squares: on EfficientNet-Lite0 that left as much as their
    squares times the power of what they read. All that works on these channels follows, as in pass
    `permute` of `adapt`. What the caller sees, and what mixes channels, keeps its order.

    Args:
        model: the dense model; it stays as it is.
        selected: the filters to prune.
        options: how many channels a block has, and shares of single filters.
        zeros: share of zeros in the filters together.

    Returns:
        The model as it is where blocks are asked for of one channel, or no other order is better.
    """
    if options.block == 1:
        return Ordered(model, selected)
    copy = model.copy()
    twins = _twins(selected, copy)
    worths: dict[Tensor, Worth] = {}
    for prunable in twins.filters:
        share = options.override(prunable)
        rows = np.square(prunable.values).reshape(len(prunable.values), -1)
        worth = Worth(rows, 1 - (zeros if share is None else share))
        worths |= dict.fromkeys(prunable.weight.tensors, worth)
    moved: dict[Tensor, None] = {}
    classes = 0
    for channels in channel_classes(copy):
        if _is_reordered(channels, worths, options.block):
            classes += 1
            moved |= dict.fromkeys(t for f in channels.followers for t in f.tensors)
    return Ordered(copy, twins, classes, tuple(moved)) if classes else Ordered(model, selected)


def _twins(selected: Selected, copy: Model) -> Selected:
    """The same filters in a copy of the model."""
    weights = {weight.tensor: weight for weight in find_weights(copy, by_bytes=True)}
    filters = tuple(
        msgspec.structs.replace(prunable, weight=weights[prunable.weight.tensor.twin_in(copy)])
        for prunable in selected.filters
    )
    return msgspec.structs.replace(selected, filters=filters)


def _is_reordered(channels: ChannelClass, worths: dict[Tensor, Worth], block: int) -> bool:
    """Whether there is a better order, which the channels of a class then have."""
    writing = [
        worths[follower.tensors[0]]
        for follower in channels.followers
        if follower.axis == 0 and follower.tensors[0] in worths
    ]
    if not writing or channels.channels <= block:
        return False
    order = order_of(writing, block)
    before = sum(lost(worth, block) for worth in writing)
    after = sum(lost(worth._replace(rows=worth.rows[order]), block) for worth in writing)
    if after >= before:
        return False
    for follower in channels.followers:
        follower.reorder(order)
    return True
