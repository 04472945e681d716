"""Random nets as people's converters write them, which only adapting makes eligible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.support.nets.random_nets import Chance, made_by

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value

__all__ = ["adaptable_net"]

_SMALLEST_MAP = 5
_LARGEST_MAP = 1200


def adaptable_net(seed: int) -> tuple[bytes, str]:
    """A model and, in words, what it is made of.

    Args:
        seed: any number; the same number makes the same model.
    """
    return made_by(_Net, seed)


class _Net:
    def __init__(self, graph: GraphBuilder, chance: Chance) -> None:
        self.g = graph
        self.chance = chance
        self.words: list[str] = []
        self.maps: list[Value] = []
        self.storage = chance.of("dense", "dense", "fp16", "sparse")

    def make(self) -> list[Value]:
        """Builds the net; its outputs."""
        x = self.pointwise(self.stem())
        for _ in range(self.chance.times(1, 6)):
            name = self.chance.of(*_BLOCKS)
            self.words.append(name)
            x = _BLOCKS[name](self, x)
        name = self.chance.of(*_HEADS)
        self.words.append(name)
        return [*_HEADS[name](self, x), *self.maps]

    def pointwise(self, x: Value, channels: int | None = None, activation: str = "NONE") -> Value:
        channels = channels or int(self.chance.of(30, 32, 40))
        stride = 2 if self.chance.yes(0.05) and min(x.shape[1:3]) > _SMALLEST_MAP else 1
        return self.g.conv2d(
            x, channels, 1, stride, activation=activation, zeros=0.9, storage=self.storage
        )

    def stem(self) -> Value:
        g, chance = self.g, self.chance
        height = chance.of(16, 20, 24, 17, 21)
        width = height if chance.yes(0.5) else chance.of(16, 20, 28, 15)
        kind = chance.of(
            "SAME", "SAME", "SAME", "pad 0,1", "pad 1", "scaled", "5x5", "slow", "grey"
        )
        x = g.input((2 if chance.yes(0.1) else 1, height, width, 1 if kind == "grey" else 3))
        self.words.append(f"{height}x{width} {kind}")
        if kind == "scaled":
            x = g.div(x, np.array(2, np.float32))
            x = g.sub(x, np.full((3,), 0.5, np.float32))
        channels = int(chance.of(24, 32))
        activation = chance.of("NONE", "RELU", "RELU6")
        if kind == "5x5":
            return g.conv2d(x, channels, 5, 2, activation=activation)
        if kind == "slow":
            return g.conv2d(x, channels, 3, activation=activation)
        if kind.startswith("pad"):
            x = g.pad_spatial(x, (0, 1) if kind == "pad 0,1" else 1)
            return g.conv2d(x, channels, 3, 2, "VALID", activation)
        return g.conv2d(x, channels, 3, 2, activation=activation)

    # Blocks

    def separable(self, x: Value) -> Value:
        g, chance = self.g, self.chance
        kernel = (chance.of(1, 2, 3, 5), chance.of(1, 2, 3, 5))
        if chance.yes(0.7):
            kernel = chance.of((3, 3), (5, 5))
        stride = chance.of(1, 2) if min(x.shape[1:3]) >= 2 * _SMALLEST_MAP else 1
        dilation = 2 if max(kernel) == 3 and stride == 1 and chance.yes(0.2) else 1
        padding = chance.of("SAME", "SAME", "explicit")
        self.words[-1] += f" {kernel}/{stride} {padding}"
        if padding == "explicit" and dilation == 1:
            around = chance.of((0, 1), (1, 1), (1, 2), (2, 2), (1, 0))
            if min(x.shape[1:3]) + sum(around) >= max(kernel):
                x = g.pad_spatial(x, around)
                padding = "VALID"
        padding = "SAME" if padding == "explicit" else padding
        y = g.depthwise(x, kernel, stride, padding, chance.of("NONE", "RELU6"), dilation=dilation)
        return self.pointwise(y, activation=chance.of("NONE", "RELU"))

    def residual(self, x: Value) -> Value:
        y = self.pointwise_same(self.g.depthwise(x))
        return self.g.binary(self.chance.of("ADD", "ADD", "SUB", "MUL"), x, y)

    def pointwise_same(self, x: Value, channels: int = 0) -> Value:
        return self.g.conv2d(x, channels or x.shape[3], zeros=0.9, storage=self.storage)

    def excite(self, x: Value) -> Value:
        g = self.g
        kind = self.chance.of("maps", "reshaped", "flat")
        self.words[-1] += f" {kind}"
        shape = (x.shape[0], 1, 1, x.shape[3])
        if kind == "flat":
            gate = g.fully_connected(g.fully_connected(g.mean(x), 8, "RELU"), x.shape[3])
            return g.mul(x, g.reshape(g.logistic(gate), shape))
        gate = g.mean(x, keep_dims=True) if kind == "maps" else g.reshape(g.mean(x), shape)
        gate = g.conv2d(g.conv2d(gate, 8, activation="RELU"), x.shape[3])
        return g.mul(g.logistic(gate), x)

    def swish(self, x: Value) -> Value:
        g = self.g
        kind = self.chance.of("hard", "hard late", "logistic", "sigmoid of 6")
        self.words[-1] += f" {kind}"
        if kind == "logistic":
            return g.mul(x, g.logistic(x))
        gate = g.add(x, np.array(3, np.float32), "RELU6")
        if kind == "hard late":
            return g.mul(g.mul(x, gate), np.array(1 / 6, np.float32))
        if kind == "hard":
            return g.mul(x, g.mul(gate, np.array(1 / 6, np.float32)))
        return g.div(gate, np.array(6, np.float32))

    def sloped(self, x: Value) -> Value:
        slopes = self.g.rng.standard_normal((1, 1, x.shape[3])).astype(np.float32)
        if self.chance.yes(0.3):
            slopes[:] = 0.25
        return self.g.prelu(x, slopes)

    def pooled(self, x: Value) -> Value:
        g = self.g
        if min(x.shape[1:3]) < 2 * _SMALLEST_MAP:
            return x
        kind = self.chance.of("MAX_POOL_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D")
        padding = self.chance.of("SAME", "VALID")
        self.words[-1] += f" {kind} {padding}"
        kernel = 2 if kind == "MAX_POOL_2D" else self.chance.of(2, 3)
        return g.pool(x, kind, kernel, 2, padding)

    def grown(self, x: Value) -> Value:
        wide = self.g.pad(x, ((0, 0), (0, 0), (0, 0), (0, 4)))
        return self.g.add(wide, self.pointwise_same(self.g.depthwise(x), x.shape[3] + 4))

    def joined(self, x: Value) -> Value:
        g = self.g
        y = g.concat([x, g.unary("RELU6", self.pointwise_same(x))])
        self.words[-1] += " read by 1x1" if (alone := self.chance.yes(0.5)) else ""
        return self.pointwise(y if alone else g.depthwise(y))

    def shifted(self, x: Value) -> Value:
        g, chance = self.g, self.chance
        kind = chance.of("add", "sub", "from", "twice")
        constant = g.rng.standard_normal(chance.of((), (x.shape[3],))).astype(np.float32)
        if kind == "twice":
            return g.add(x, x)
        if kind == "from":
            return g.sub(constant, x)
        return g.binary(kind.upper(), x, constant)

    def resized(self, x: Value) -> Value:
        _, height, width, _ = x.shape
        if height * width > _LARGEST_MAP:
            return x
        mode = self.chance.of({}, {"align_corners": True}, {"half_pixel_centers": True})
        return self.g.resize_bilinear(x, (height * 2, width * 2), **mode)

    def handed_out(self, x: Value) -> Value:
        self.maps.append(x)
        return x

    def outside(self, x: Value) -> Value:
        g = self.g
        kind = self.chance.of("3x3", "SOFTMAX", "TRANSPOSE")
        self.words[-1] += f" {kind}"
        if kind == "3x3":
            return g.conv2d(x, 32, 3)
        return g.softmax(x) if kind == "SOFTMAX" else g.transpose(x, (0, 2, 1, 3))

    # Heads

    def classified(self, x: Value) -> list[Value]:
        g = self.g
        pooled = g.mean(x, keep_dims=True)
        y = g.conv2d(pooled, 5, zeros=0.9)
        return [g.softmax(g.reshape(y, (x.shape[0], 5)))]

    def averaged(self, x: Value) -> list[Value]:
        g = self.g
        y = g.pool(x, "AVERAGE_POOL_2D", kernel=x.shape[1:3], stride=1)
        return [g.fully_connected(y, 5)]

    def flat(self, x: Value) -> list[Value]:
        return [self.g.fully_connected(self.g.mean(x), 5)]

    def mapped(self, x: Value) -> list[Value]:
        return [self.pointwise(x, self.chance.of(1, 4, 6), "RELU")]

    def several(self, x: Value) -> list[Value]:
        g = self.g
        boxes = g.conv2d(x, 6, zeros=0.9, storage=self.storage)
        count = boxes.shape[1] * boxes.shape[2] * 3
        return [g.reshape(boxes, (x.shape[0], count, 2)), *self.classified(g.depthwise(x))]

    def enlarged(self, x: Value) -> list[Value]:
        return [self.g.depth_to_space(self.pointwise(x, 4 * self.chance.of(1, 2, 3)))]


_BLOCKS = {
    "separable": _Net.separable,
    "separable again": _Net.separable,
    "residual": _Net.residual,
    "excite": _Net.excite,
    "swish": _Net.swish,
    "sloped": _Net.sloped,
    "pooled": _Net.pooled,
    "grown": _Net.grown,
    "joined": _Net.joined,
    "shifted": _Net.shifted,
    "resized": _Net.resized,
    "handed out": _Net.handed_out,
    "outside": _Net.outside,
}
_HEADS = {
    "classified": _Net.classified,
    "averaged": _Net.averaged,
    "flat": _Net.flat,
    "mapped": _Net.mapped,
    "several": _Net.several,
    "enlarged": _Net.enlarged,
}
