"""Random small models in which weights are shared in every way that the format allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from tests.support.nets.builder import ModelBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value

__all__ = ["models", "sparse_filters"]


class Built(bytes):
    """The bytes of a model, which failures do not print in full."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<model of {len(self)} bytes>"


_CHANNELS = 32
_STORAGES = ("dense", "fp16", "int8")


def sparse_filters(
    rng: np.random.Generator, shape: tuple[int, ...], zeros: float, block: tuple[int, ...] = ()
) -> np.ndarray:
    """Filters with random zeros, in blocks over the first and the last dimension if asked for."""
    values = rng.standard_normal(shape).astype(np.float32)
    if block:
        coarse = (shape[0] // block[0], *shape[1:-1], shape[-1] // block[1])
        mask = np.repeat(rng.random(coarse) < zeros, block[0], axis=0)
        mask = np.repeat(mask, block[1], axis=-1)
    else:
        mask = rng.random(shape) < zeros
    values[mask] = 0
    return values


@st.composite
def models(draw: Callable[..., Any]) -> bytes:
    """A model of one to three subgraphs that share some of their weights."""
    builder = ModelBuilder(seed=draw(st.integers(0, 2**16)))
    shared = sparse_filters(builder.rng, (_CHANNELS, 1, 1, _CHANNELS), 0.85)
    buffer = builder.buffer(shared)
    for number in range(draw(st.integers(1, 3))):
        graph = builder.graph("main" if number == 0 else f"other_{number}")
        x = graph.input((1, 6, 6, _CHANNELS))
        reused: list[Value] = []
        for _ in range(draw(st.integers(1, 4))):
            x = _layer(draw, graph, x, buffer, reused)
        graph.output(x)
        if number:
            builder.signature(f"entry_{number}", graph, {}, {"y": x})
    if draw(st.booleans()):
        builder.min_runtime_version(draw(st.sampled_from(["1.14.0", "2.2.0", "2.10.0", ""])))
    return Built(builder.build(external=draw(st.booleans())))


def _layer(
    draw: Callable[..., Any], graph: GraphBuilder, x: Value, buffer: int, reused: list[Value]
) -> Value:
    kind = draw(
        st.sampled_from(["own", "own", "shared buffer", "shared tensor", "depthwise", "add"])
    )
    zeros = draw(st.sampled_from([0.0, 0.5, 0.8, 0.95, 1.0]))
    shape = (_CHANNELS, 1, 1, _CHANNELS)
    if kind == "depthwise":
        return graph.depthwise(x, zeros=zeros)
    if kind == "add":
        return graph.add(x, sparse_filters(graph.rng, (1, 6, 6, _CHANNELS), zeros))
    if kind == "shared buffer":
        values = np.zeros(shape, np.float32)
        tensor = graph.constant(values, name=f"shared_{len(graph.table.tensors)}", buffer=buffer)
        return graph.conv2d(x, _CHANNELS, filters=tensor)
    if kind == "shared tensor" and reused:
        return graph.conv2d(x, _CHANNELS, filters=reused[-1])
    block = draw(st.sampled_from([(), (), (4, 1), (1, 4), (2, 2)]))
    storage = draw(st.sampled_from(_STORAGES))
    filters = sparse_filters(graph.rng, shape, zeros, block)
    weight = graph.weight(filters, storage)
    reused.append(weight) if storage == "dense" else None
    return graph.conv2d(
        x,
        _CHANNELS,
        filters=weight,
        bias_storage="fp16" if storage == "fp16" else "dense",
        version=5 if storage == "int8" else 1,
    )
