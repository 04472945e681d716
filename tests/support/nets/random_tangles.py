"""Random nets in which anything may read anything: many branches, joins and outputs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from tests.support.nets.builder import ModelBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value

__all__ = ["random_tangle"]

_STEPS = (
    "pointwise", "pointwise", "pointwise", "depthwise", "unary", "unary", "ADD", "ADD", "MUL",
    "SUB", "gate", "channel", "pool", "PRELU", "entry",
)  # fmt: skip
_HANDED_OUT, _WRONG_ENTRY = 0.1, 0.1
_ENDS = ("mean", "mean", "kept mean", "shuffle", "shuffle", "shuffle", "map", "flat mean")


@cache
def random_tangle(seed: int) -> tuple[bytes, str]:
    """A model and, in words, what it is made of.

    Args:
        seed: any number; the same number makes the same model.
    """
    rng = np.random.default_rng(seed)
    builder = ModelBuilder(seed=seed + 1)
    graph = builder.graph()
    size = int(rng.choice([16, 20, 24]))
    image = graph.input((1, size, size + int(rng.choice([0, 0, 4])), 3))
    values = [_entry(graph, image, 8) for _ in range(int(rng.integers(1, 3)))]
    if rng.random() < _WRONG_ENTRY:
        values.append(graph.conv2d(image, 8, 3, 2))
    words = [f"{len(values)} entries"]
    unread = set(values)
    for _ in range(int(rng.integers(4, 14))):
        step = str(rng.choice(_STEPS))
        # What was made last is read most.
        first, second = (values[-1 - int(rng.geometric(0.5) - 1) % len(values)] for _ in range(2))
        made = _step(graph, rng, step, first, second)
        if made is None:
            continue
        words.append(step)
        unread -= {first, second} if step in _JOINS else {first}
        unread.add(made)
        values.append(made)
    for value in sorted(unread, key=lambda v: v.index):
        end = str(rng.choice(_ENDS))
        words.append(end)
        graph.output(_end(graph, end, value))
    if rng.random() < _HANDED_OUT:
        graph.output(values[int(rng.integers(len(values)))])
    return builder.build(), ", ".join(words)


def _entry(g: GraphBuilder, x: Value, channels: int) -> Value:
    return g.conv2d(g.pad_spatial(x), channels, 3, 2, "VALID")


def _step(g: GraphBuilder, rng: np.random.Generator, step: str, x: Value, y: Value) -> Value | None:
    if step in _JOINS:
        # The difference of a value with itself would hide what is wrong with the value.
        same = x is y and step == "SUB"
        return g.binary(step, x, y) if x.shape == y.shape and not same else None
    if rng.random() > _SELDOM.get(step, 1.0):
        return None
    return _MAKE[step](g, rng, x)


def _unary(g: GraphBuilder, rng: np.random.Generator, x: Value) -> Value:
    return g.unary(str(rng.choice(["RELU", "TANH", "LOGISTIC", "HARD_SWISH"])), x)


def _pointwise(g: GraphBuilder, rng: np.random.Generator, x: Value) -> Value:
    storage = str(rng.choice(["sparse", "dense"]))
    return g.conv2d(x, 8, zeros=float(rng.choice([0.5, 0.8, 0.9])), storage=storage)


def _depthwise(g: GraphBuilder, rng: np.random.Generator, x: Value) -> Value:
    return g.depthwise(x, kernel=int(rng.choice([3, 5])))


def _gate(g: GraphBuilder, _: np.random.Generator, x: Value) -> Value:
    return g.mul(x, g.conv2d(g.mean(x, keep_dims=True), 8, zeros=0.8, activation="RELU"))


_JOINS = ("ADD", "MUL", "SUB")
_SELDOM = {"pool": 0.3, "PRELU": 0.3, "entry": 0.15}
_MAKE: dict[str, Callable[[GraphBuilder, np.random.Generator, Value], Value]] = {
    "unary": _unary,
    "pointwise": _pointwise,
    "depthwise": _depthwise,
    "gate": _gate,
    "channel": lambda g, _, x: g.mul(np.full((1, 1, 1, 8), 0.7, np.float32), x),
    "pool": lambda g, _, x: g.pool(x, kernel=3, stride=1, padding="SAME"),
    "PRELU": lambda g, _, x: g.prelu(x),
    # An entry inside the net: what it reads has three channels.
    "entry": lambda g, _, x: _entry(g, g.conv2d(x, 3, zeros=0.8), 8),
}


def _end(g: GraphBuilder, end: str, x: Value) -> Value:
    if end == "mean":
        return g.fully_connected(g.mean(x), 4)
    if end == "flat mean":
        return g.mean(x)
    if end == "kept mean":
        return g.reshape(g.mean(x, keep_dims=True), (1, 8))
    if end == "shuffle":
        return g.depth_to_space(x)
    return g.conv2d(x, 4, zeros=0.9, storage="sparse")
