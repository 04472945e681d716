"""What adapting makes of a small net, and the parts of such nets as they are before it.

The parts are those of `tests.support.nets.small_nets`, with more channels, on smaller maps, and
stored dense, so that a region is worth its price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

from tests.support.nets import small_nets
from tests.support.nets.small_nets import build, entry
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.planner import adapt

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Block
    from tflite_sparse.rewrite.changes import Rewrite

__all__ = [
    "CHANNELS",
    "Adapted",
    "adapted",
    "computed",
    "head",
    "separable",
    "stack",
    "stock",
    "through",
    "trunk",
    "unending",
]

CHANNELS = 32
SIZE = (16, 16)


@dataclass(frozen=True)
class Adapted:
    """A model and what adapting made of it.

    Attributes:
        before: the model as it was.
        after: the model as it is now, with dense weights.
        rewrite: what was done.
    """

    before: bytes
    after: bytes
    rewrite: Rewrite

    @property
    def done(self) -> bool:
        return self.rewrite.adaptation.done

    @property
    def passes(self) -> list[str]:
        return [step.name for step in self.rewrite.adaptation.steps]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the operators, in order."""
        return [op.name for op in Model.read(self.after).operators()]

    @property
    def blocked(self) -> dict[str, str]:
        return {entry.operator: entry.reason for entry in self.rewrite.adaptation.blocked}


def adapted(data: bytes, **options: object) -> Adapted:
    """What adapting makes of a model, wherever more of it runs sparse."""
    rewrite = adapt(Model.read(data), AdaptOptions(**{"min_gain": 0, **options}))
    return Adapted(data, rewrite.model.to_bytes(), rewrite)


def stock(g: GraphBuilder, size: tuple[int, int] = SIZE, **stem: Any) -> Value:
    """An image and a stem as Keras writes it, which is no entry before it is mirrored."""
    options = {"kernel": 3, "stride": 2, "name": "stem", **stem}
    return g.conv2d(g.input((1, *size, 3)), CHANNELS, **options)


def trunk(g: GraphBuilder, size: tuple[int, int] = SIZE) -> Value:
    """An image, an entry as the runtime takes it, and a 1x1 convolution of zeros for the most."""
    return g.conv2d(entry(g, size, CHANNELS), CHANNELS, zeros=0.9, name="first")


def separable(g: GraphBuilder, x: Value) -> Value:
    """A depthwise and a 1x1 convolution of zeros for the most."""
    return g.conv2d(g.depthwise(x), CHANNELS, zeros=0.9)


def head(g: GraphBuilder, x: Value) -> Value:
    """A 1x1 convolution, and an end that the runtime takes as it is."""
    return small_nets.head(g, g.conv2d(x, CHANNELS, zeros=0.9, name="last"))


def through(block: Block, size: tuple[int, int] = SIZE) -> bytes:
    """The model of a trunk, a block and a head."""
    return build(lambda g: head(g, block(g, trunk(g, size))))


def stack(zeros: float = 0.9, storage: str = "dense") -> bytes:
    """A model of a stock stem, three separable layers and a head."""

    def net(g: GraphBuilder) -> Value:
        bias = storage.removesuffix("-sparse") if "fp16" in storage else "dense"
        x = stock(g, (64, 64))
        for _ in range(3):
            x = g.conv2d(g.depthwise(x), 128, zeros=zeros, storage=storage, bias_storage=bias)
        return head(g, x)

    return build(net)


def computed(g: GraphBuilder, x: Value) -> Value:
    """A 1x1 convolution whose filters come from a TRANSPOSE of a constant."""
    stored = g.constant(g.rng.standard_normal((CHANNELS, CHANNELS, 1, 1)).astype("f4"), zeros=0.9)
    order = g.constant(np.array([0, 2, 3, 1], np.int32))
    shape = (CHANNELS, 1, 1, CHANNELS)
    options = litert_schema.TransposeOptionsT()
    (filters,) = g.op("TRANSPOSE", [stored, order], [(shape, "FLOAT32")], options)
    return g.conv2d(x, CHANNELS, filters=filters)


def unending(g: GraphBuilder) -> Value:
    """A cluster that cannot be completed without windows, in front of one that has an end."""
    return head(g, g.depthwise(separable(g, trunk(g)), stride=2))
