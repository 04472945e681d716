"""Random nets of blocks that may and blocks that may not go sparse, made from a number."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.support.nets.builder import ModelBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value

__all__ = ["Chance", "made_by", "random_net"]

_LARGEST_MAP = 900
_SMALLEST_MAP = 6


class Chance:
    """Chooses among things; the same number gives the same choices."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def of(self, *things: Any) -> Any:
        """One of some things."""
        return things[self._rng.integers(len(things))]

    def yes(self, share: float) -> bool:
        """True so often."""
        return bool(self._rng.random() < share)

    def times(self, least: int, most: int) -> int:
        """A number between two, both included."""
        return int(self._rng.integers(least, most + 1))


@cache
def random_net(seed: int) -> tuple[bytes, str]:
    """A model and, in words, what it is made of.

    Args:
        seed: any number; the same number makes the same model.
    """
    return made_by(_Net, seed)


def made_by(kind: Callable[[GraphBuilder, Chance], Any], seed: int) -> tuple[bytes, str]:
    """A model that a kind of net makes by chance, and its words."""
    builder = ModelBuilder(seed=seed + 1)
    net = kind(builder.graph(), Chance(seed))
    net.g.output(*net.make())
    return builder.build(), " ".join(net.words)


class _Net:
    def __init__(self, graph: GraphBuilder, chance: Chance) -> None:
        self.g = graph
        self.chance = chance
        self.words: list[str] = []
        self.maps: list[Value] = []

    def make(self) -> list[Value]:
        """Builds the net; its outputs."""
        chance = self.chance
        x = self.stem()
        if chance.yes(0.85):
            x = self.pointwise(self.g.depthwise(x, activation=chance.of("NONE", "RELU6")))
        for _ in range(chance.times(1, 6)):
            name = chance.of(*_BLOCKS)
            self.words.append(name)
            x = _BLOCKS[name](self, x)
        name = chance.of(*_HEADS)
        self.words.append(name)
        return [*_HEADS[name](self, x), *self.maps]

    # Parts

    def channels(self) -> int:
        return int(self.chance.of(8, 12, 16, 20))

    def pointwise(self, x: Value, channels: int | None = None, activation: str = "NONE") -> Value:
        chance = self.chance
        return self.g.conv2d(
            x,
            channels or self.channels(),
            activation=activation,
            zeros=chance.of(0.7, 0.8, 0.9),
            storage=chance.of("sparse", "sparse", "dense", "fp16-sparse"),
        )

    def stem(self) -> Value:
        g, chance = self.g, self.chance
        height = chance.of(16, 20, 24, 17, 21)
        width = height if chance.yes(0.6) else chance.of(16, 20, 28, 15)
        x = g.input((2 if chance.yes(0.1) else 1, height, width, 3))
        kind = chance.of(
            "pad 1", "pad 1", "pad 1", "pad 1", "scaled", "SAME", "pad 0,1", "stride 1"
        )
        self.words.append(f"{height}x{width} {kind}")
        if kind == "scaled":
            x = g.mul(np.full((1, 1, 1, 3), 0.5, np.float32), x)
            x = g.add(np.ones((1, 1, 1, 3), np.float32), x)
        channels = self.channels()
        if kind == "SAME":
            return g.conv2d(x, channels, 3, 2)
        if kind == "stride 1":
            return g.conv2d(x, channels, 3)
        padded = g.pad_spatial(x, (0, 1) if kind == "pad 0,1" else 1)
        return g.conv2d(padded, channels, 3, 2, "VALID", chance.of("NONE", "RELU"))

    def constant(self, shape: tuple[int, ...]) -> np.ndarray:
        return (self.g.rng.standard_normal(shape) + 0.5).astype(np.float32)

    # Blocks

    def separable(self, x: Value) -> Value:
        g, chance = self.g, self.chance
        kind = chance.of("3", "3", "5", "3 down", "3 down", "5 down", "SAME down", "VALID")
        if min(x.shape[1:3]) < _SMALLEST_MAP:
            kind = "3"
        self.words[-1] += f" {kind}"
        if kind == "3 down":
            y = g.depthwise(g.pad_spatial(x), 3, 2, "VALID")
        elif kind == "5 down":
            y = g.depthwise(g.pad_spatial(x, 2), 5, 2, "VALID")
        elif kind == "SAME down":
            y = g.depthwise(x, 3, 2)
        elif kind == "VALID":
            y = g.depthwise(x, 3, padding="VALID")
        else:
            y = g.depthwise(x, int(kind[0]), activation=chance.of("NONE", "RELU6"))
        return self.pointwise(y, activation=chance.of("NONE", "RELU", "RELU6"))

    def elementwise(self, x: Value) -> Value:
        names = ("RELU6", "HARD_SWISH", "LOGISTIC", "TANH", "ABS", "ELU", "SQUARE", "NEG", "GELU")
        return self.g.unary(self.chance.of(*names), x)

    def residual(self, x: Value) -> Value:
        y = self.pointwise(self.g.depthwise(x), x.shape[3])
        first, second = (x, y) if self.chance.yes(0.8) else (y, x)
        return self.g.binary(self.chance.of("ADD", "ADD", "MUL", "SUB"), first, second)

    def excite(self, x: Value) -> Value:
        gate = self.pointwise(self.g.mean(x, keep_dims=True), 8, "RELU")
        gate = self.g.unary("LOGISTIC", self.pointwise(gate, x.shape[3]))
        return self.g.mul(x, gate)

    def excite_dense(self, x: Value) -> Value:
        g = self.g
        gate = g.fully_connected(g.fully_connected(g.mean(x), 8, "RELU"), x.shape[3])
        shape = (x.shape[0], 1, 1, x.shape[3])
        return g.mul(x, g.reshape(g.unary("LOGISTIC", gate), shape))

    def with_constant(self, x: Value) -> Value:
        _, height, width, channels = x.shape
        shape = self.chance.of(
            (1, 1, 1, channels), (1, 1, 1, channels), (channels,), (), (1, height, width, channels)
        )
        kind, other = self.chance.of("ADD", "MUL"), self.constant(shape)
        if self.chance.yes(0.7):
            return self.g.binary(kind, other, x)
        return self.g.binary(kind, x, other)

    def resize(self, x: Value) -> Value:
        _, height, width, _ = x.shape
        if height * width > _LARGEST_MAP:
            return x
        size = (height * 2, width * 2)
        mode = self.chance.of({}, {"align_corners": True}, {"half_pixel_centers": True})
        return self.g.resize_bilinear(x, size, **mode)

    def squared(self, x: Value) -> Value:
        return self.g.mul(x, x)

    def doubled(self, x: Value) -> Value:
        return self.g.add(x, x) if self.chance.yes(0.3) else x

    def bounded(self, x: Value) -> Value:
        kind, bound = self.chance.of(("MAXIMUM", -3.0), ("MINIMUM", 3.0))
        return self.g.binary(kind, x, np.array(bound, np.float32))

    def handed_out(self, x: Value) -> Value:
        if self.chance.yes(0.4):
            self.maps.append(x)
        return x

    def shuffled(self, x: Value) -> Value:
        fits = x.shape[3] % 4 == 0 and self.chance.yes(0.4)
        return self.g.depth_to_space(x) if fits else x

    def times_mean(self, x: Value) -> Value:
        if self.chance.yes(0.7):
            return x
        return self.g.binary(self.chance.of("MUL", "ADD"), x, self.g.mean(x, keep_dims=True))

    def ineligible(self, x: Value) -> Value:
        g, chance = self.g, self.chance
        batch, height, width, channels = x.shape
        blocks: dict[str, Callable[[], Value]] = {
            "none": lambda: x,
            "max": lambda: g.pool(x, kernel=2, stride=2, padding="SAME"),
            "average": lambda: g.pool(x, "AVERAGE_POOL_2D", 3, 1, "SAME"),
            "3x3": lambda: g.conv2d(x, self.channels(), 3),
            "PRELU": lambda: g.prelu(x),
            "RESHAPE": lambda: g.reshape(x, (batch, height * width, 1, channels)),
            "CONCATENATION": lambda: g.concat([x, self.pointwise(x, 8)]),
            "1x1 down": lambda: g.conv2d(x, self.channels(), stride=2),
            "multiplier": lambda: g.depthwise(x, multiplier=2),
            "dilated": lambda: g.depthwise(x, dilation=2),
            "SOFTMAX": lambda: g.softmax(x),
            "SUB": lambda: g.sub(x, self.constant((1, 1, 1, channels))),
            "PAD": lambda: g.pad_spatial(x),
            "outside": lambda: g.reverse(x, [1]),
        }
        kind = chance.of(*blocks, "none", "none", "none")
        self.words[-1] += f" {kind}"
        return blocks[kind]()

    # Heads

    def classify(self, x: Value) -> list[Value]:
        g = self.g
        pooled = g.reshape(g.mean(x, keep_dims=True), (x.shape[0], x.shape[3]))
        return [g.softmax(g.fully_connected(pooled, 5))]

    def classify_flat(self, x: Value) -> list[Value]:
        zeros = self.chance.of(0.0, 0.9)
        return [self.g.fully_connected(self.g.mean(x), 5, zeros=zeros)]

    def predict_map(self, x: Value) -> list[Value]:
        return [self.pointwise(x, self.chance.of(1, 4, 8))]

    def enlarge(self, x: Value) -> list[Value]:
        return [self.g.depth_to_space(self.pointwise(x, 4 * self.chance.of(1, 2, 3)))]

    def average(self, x: Value) -> list[Value]:
        size = x.shape[1:3]
        return [self.g.pool(x, "AVERAGE_POOL_2D", kernel=size, stride=1)]

    def mean_kept(self, x: Value) -> list[Value]:
        return [self.g.mean(x, keep_dims=True)]

    def mean_convolved(self, x: Value) -> list[Value]:
        g = self.g
        y = g.conv2d(g.mean(x, keep_dims=True), 5, zeros=self.chance.of(0.0, 0.9))
        return [g.reshape(y, (x.shape[0], 5))]

    def mean_softmax(self, x: Value) -> list[Value]:
        return [self.g.softmax(self.g.mean(x, keep_dims=True))]

    def total(self, x: Value) -> list[Value]:
        return [self.g.sum(x)]

    def other_axes(self, x: Value) -> list[Value]:
        axes = self.chance.of((1,), (2,), (3,), (1, 2, 3), (0, 1, 2), (0,))
        self.words[-1] += f" {axes}"
        return [self.g.mean(x, axes=axes, keep_dims=self.chance.yes(0.5))]

    def two_heads(self, x: Value) -> list[Value]:
        map_head = self.predict_map if self.chance.yes(0.5) else self.enlarge
        return [*self.classify_flat(x), *map_head(x)]

    def power(self, x: Value) -> list[Value]:
        return [self.g.mean(self.g.unary("SQUARE", x))]

    def mean_activated(self, x: Value) -> list[Value]:
        g = self.g
        pooled = g.unary(self.chance.of("RELU", "TANH"), g.mean(x, keep_dims=True))
        return [g.reshape(pooled, (x.shape[0], x.shape[3]))]

    def mean_scaled(self, x: Value) -> list[Value]:
        g = self.g
        first, second = g.mean(x, keep_dims=True), g.sum(x, keep_dims=True)
        return [g.reshape(g.mul(first, second), (x.shape[0], x.shape[3]))]

    def turned(self, x: Value) -> list[Value]:
        g = self.g
        return [g.mean(g.transpose(x, (0, 2, 1, 3))), g.mean(x)][: self.chance.times(1, 2)]

    def pyramid(self, x: Value) -> list[Value]:
        g = self.g
        low = self.pointwise(g.depthwise(g.pad_spatial(x), 3, 2, "VALID"), 8)
        top = g.resize_bilinear(low, x.shape[1:3])
        return [g.depth_to_space(g.add(top, self.pointwise(x, 8)))]

    def squeezed(self, x: Value) -> list[Value]:
        g = self.g
        pooled = g.squeeze(g.mean(x, keep_dims=True), [1, 2])
        return [g.fully_connected(pooled, 5)]


_BLOCKS: dict[str, Callable[[_Net, Value], Value]] = {
    "separable": _Net.separable,
    "separable again": _Net.separable,
    "another separable": _Net.separable,
    "1x1": lambda net, x: net.pointwise(x, activation=net.chance.of("NONE", "RELU6")),
    "one more 1x1": lambda net, x: net.pointwise(x),
    "elementwise": _Net.elementwise,
    "residual": _Net.residual,
    "another residual": _Net.residual,
    "excite": _Net.excite,
    "excite by dense": _Net.excite_dense,
    "constant": _Net.with_constant,
    "resize": _Net.resize,
    "squared": _Net.squared,
    "doubled": _Net.doubled,
    "bounded": _Net.bounded,
    "handed out": _Net.handed_out,
    "shuffled": _Net.shuffled,
    "times mean": _Net.times_mean,
    "ineligible": _Net.ineligible,
    "ineligible again": _Net.ineligible,
}
_HEADS: dict[str, Callable[[_Net, Value], list[Value]]] = {
    "classify": _Net.classify,
    "classify again": _Net.classify,
    "classify flat": _Net.classify_flat,
    "map": _Net.predict_map,
    "enlarge": _Net.enlarge,
    "average": _Net.average,
    "mean kept": _Net.mean_kept,
    "mean convolved": _Net.mean_convolved,
    "mean softmax": _Net.mean_softmax,
    "total": _Net.total,
    "other axes": _Net.other_axes,
    "two heads": _Net.two_heads,
    "power": _Net.power,
    "squeezed": _Net.squeezed,
    "mean activated": _Net.mean_activated,
    "mean scaled": _Net.mean_scaled,
    "turned": _Net.turned,
    "pyramid": _Net.pyramid,
}
