"""Small nets and their parts: a model is what `build` makes of a function that lays a net.

The parts are the same wherever tests build nets: an *entry* reads an image, a *trunk* is an entry
with layers that run sparse behind it, a *head* ends a net, and `through` sets something between a
trunk and a head. `tests.support.adapted` has them as models have them before adapting, and
`tests.runtime_model.cases.parts` as the recorded cases have them, whose sizes must stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.nets.builder import GraphBuilder, ModelBuilder
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.nets.builder import Value
    from tflite_sparse.model import Subgraph

    Net = Callable[[GraphBuilder], Value | tuple[Value, ...]]
    """Lays the operators of a subgraph and returns its outputs."""

    Block = Callable[[GraphBuilder, Value], Value]

__all__ = ["build", "build_subgraph", "entry", "head", "pointwise", "through", "trunk"]

CHANNELS = 16
ZEROS = 0.8
SIZE = (40, 40)


def build(*nets: Net, metadata: Mapping[str, bytes] | None = None, **model: Any) -> bytes:
    """A model of one subgraph for each net; what a net returns are the subgraph's outputs.

    Args:
        nets: each lays the operators of a subgraph.
        metadata: of the model, by name.
        model: of the builder, such as `seed`.
    """
    builder = ModelBuilder(**model)
    for index, net in enumerate(nets):
        graph = builder.graph("main" if len(nets) == 1 else f"graph{index}")
        outputs = net(graph)
        graph.output(*(outputs if isinstance(outputs, tuple) else (outputs,)))
    for name, data in (metadata or {}).items():
        builder.metadata(name, data)
    return builder.build()


def build_subgraph(net: Net, **model: Any) -> Subgraph:
    """The only subgraph of the model that is built of a net."""
    return Model.read(build(net, **model)).main


def entry(g: GraphBuilder, size: tuple[int, int] = SIZE, channels: int = CHANNELS) -> Value:
    """An image and an entry that reads it."""
    x = g.input((1, *size, 3))
    return g.conv2d(g.pad_spatial(x, 1), channels, kernel=3, stride=2, padding="VALID", name="stem")


def pointwise(g: GraphBuilder, x: Value, channels: int = CHANNELS, **more: Any) -> Value:
    """A 1x1 convolution with zeros enough, stored sparse."""
    return g.conv2d(x, channels, **{"zeros": 0.9, "storage": "sparse", **more})


def trunk(g: GraphBuilder, size: tuple[int, int] = SIZE, storage: str = "sparse") -> Value:
    """An entry, a depthwise and a sparse 1x1 convolution."""
    x = g.depthwise(entry(g, size), name="depthwise")
    return g.conv2d(x, CHANNELS, zeros=ZEROS, storage=storage, name="pointwise")


def head(g: GraphBuilder, x: Value) -> Value:
    """MEAN over height and width and a classifier."""
    return g.fully_connected(g.mean(x), 4, name="classifier")


def through(block: Block) -> Net:
    """A trunk, a block, a second 1x1 convolution, a head."""
    return lambda g: head(g, pointwise(g, block(g, trunk(g))))
