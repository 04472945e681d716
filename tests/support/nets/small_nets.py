"""Small nets for the tests of the runtime's model: an entry, a block, a head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.nets.builder import GraphBuilder, ModelBuilder
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import Value
    from tflite_sparse.model import Subgraph

__all__ = ["build", "entry", "head", "trunk"]

CHANNELS = 16
ZEROS = 0.8


def build(net: Callable[[GraphBuilder], Value | tuple[Value, ...]], seed: int = 0) -> Subgraph:
    """The first subgraph of a model whose outputs are what `net` returns."""
    builder = ModelBuilder(seed=seed)
    graph = builder.graph()
    made = net(graph)
    graph.output(*(made if isinstance(made, tuple) else (made,)))
    model = Model.read(builder.build())
    return model.subgraphs[0]


def entry(g: GraphBuilder, size: tuple[int, int] = (40, 40), channels: int = CHANNELS) -> Value:
    """An image and an entry that reads it."""
    x = g.input((1, *size, 3))
    return g.conv2d(g.pad_spatial(x, 1), channels, kernel=3, stride=2, padding="VALID", name="stem")


def trunk(g: GraphBuilder, size: tuple[int, int] = (40, 40), storage: str = "sparse") -> Value:
    """An entry, a depthwise and a sparse 1x1 convolution."""
    x = g.depthwise(entry(g, size), name="depthwise")
    return g.conv2d(x, CHANNELS, zeros=ZEROS, storage=storage, name="pointwise")


def head(g: GraphBuilder, x: Value) -> Value:
    """MEAN over height and width and a classifier."""
    return g.fully_connected(g.mean(x), 4, name="classifier")
