"""What the cases are made of: the parts of `tests.support.nets.small_nets`, as recorded.

A case that changes is recorded anew, so its parts are its own: their sizes stay whatever else is
tested, an entry takes the value that it reads, and every 1x1 convolution is stored sparse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.runtime_model.cases.registry import case

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Block
    from tflite_sparse.xnnpack.plan_types import Outcome

__all__ = [
    "CHANNELS",
    "SIZE",
    "block",
    "entry",
    "excite",
    "head",
    "image",
    "ones",
    "pointwise",
    "residual",
    "through",
    "trunk",
]

# No size is that of another dimension, so that a mistaken one shows.
SIZE = (20, 20)
CHANNELS = 16


def ones(*shape: int) -> np.ndarray:
    """Ones in single precision."""
    return np.ones(shape, np.float32)


def image(g: GraphBuilder, size: tuple[int, int] = SIZE, channels: int = 3) -> Value:
    """An input."""
    return g.input((1, *size, channels))


def entry(g: GraphBuilder, x: Value, channels: int = CHANNELS, **more: Any) -> Value:
    """The one convolution that brings a value into the sparse layout."""
    return g.conv2d(g.pad_spatial(x), channels, 3, 2, "VALID", **more)


def pointwise(
    g: GraphBuilder,
    x: Value,
    channels: int = CHANNELS,
    zeros: float = 0.9,
    storage: str = "sparse",
    **more: Any,
) -> Value:
    """A 1x1 convolution whose filter is stored sparse."""
    return g.conv2d(x, channels, zeros=zeros, storage=storage, **more)


def trunk(g: GraphBuilder, size: tuple[int, int] = SIZE, storage: str = "sparse") -> Value:
    """An image, an entry, a depthwise and a 1x1 convolution: a map of half the image's size."""
    return pointwise(g, g.depthwise(entry(g, image(g, size))), storage=storage)


def head(g: GraphBuilder, x: Value) -> Value:
    """MEAN over height and width and a classifier, the end that is right."""
    return g.fully_connected(g.mean(x), 5)


def residual(g: GraphBuilder, x: Value) -> Value:
    """A depthwise and a 1x1 convolution beside nothing."""
    return g.add(x, pointwise(g, g.depthwise(x)))


def excite(g: GraphBuilder, x: Value) -> Value:
    """Squeeze and excite by 1x1 convolutions."""
    gate = pointwise(g, pointwise(g, g.mean(x, keep_dims=True), 8, activation="RELU"))
    return g.mul(x, g.logistic(gate))


def through(g: GraphBuilder, middle: Block, storage: str = "sparse") -> Value:
    """A trunk, then what is in question, then another 1x1 convolution and a head."""
    return head(g, pointwise(g, middle(g, trunk(g, storage=storage)), storage=storage))


def block(
    expect: Outcome, *, rule: str = "", near: str = "", name: str = ""
) -> Callable[[Block], Block]:
    """Registers a part of a net, which then stands between a trunk and a head, as a case."""

    def register(middle: Block) -> Block:
        def net(g: GraphBuilder) -> Value:
            return through(g, middle)

        net.__module__, net.__name__ = middle.__module__, middle.__name__
        case(expect, rule=rule, near=near, name=name)(net)
        return middle

    return register
