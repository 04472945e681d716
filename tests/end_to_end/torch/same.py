"""Holds a module against LiteRT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from tests.support.litert import invoke
from tests.support.nets.builder import ModelBuilder
from tflite_sparse.model import Model
from tflite_sparse.torch import from_tflite

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["assert_same_as_litert", "built", "distance", "inputs_of", "outputs_of"]

_NEAR = 1e-5


def built(make, shape=(1, 5, 6, 4)):
    """A model of what `make` makes of an input, as bytes."""
    model = ModelBuilder()
    graph = model.graph()
    made = make(graph, graph.input(shape))
    graph.output(*(made if isinstance(made, tuple) else (made,)))
    return model.build()


def inputs_of(
    data: bytes, low: float = -1.0, high: float = 1.0, times: int = 1
) -> dict[str, np.ndarray]:
    """Random inputs of a model, by their names."""
    rng = np.random.default_rng(3)
    return {
        tensor.name: rng.uniform(low, high, (times * tensor.shape[0], *tensor.shape[1:])).astype(
            np.float32
        )
        for tensor in Model.read(data).main.inputs
    }


def outputs_of(module: torch.nn.Module, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """What a module makes of inputs."""
    with torch.no_grad():
        made = module(*(torch.from_numpy(value) for value in inputs.values()))
    return [value.numpy() for value in ((made,) if isinstance(made, torch.Tensor) else made)]


def distance(left: np.ndarray, right: np.ndarray) -> float:
    """The largest difference of two outputs, in the larger of range and magnitude of the first."""
    assert left.shape == right.shape
    scale = max(float(np.ptp(left)), float(np.abs(left).max()), 1e-30)
    return float(np.abs(left.astype(np.float64) - right).max()) / scale


def assert_same_as_litert(
    data: bytes,
    inputs: Mapping[str, np.ndarray] | None = None,
    *,
    resolvers: tuple[bool, ...] = (False, True),
    near: float = _NEAR,
) -> None:
    """Fails where a module and LiteRT, without XNNPACK and with it, differ.

    What LiteRT's two sets of kernels differ by is granted to the module too.
    """
    inputs = inputs or inputs_of(data)
    made = outputs_of(from_tflite(data), inputs)
    runs = [list(invoke(data, inputs, xnnpack=xnnpack).values()) for xnnpack in resolvers]
    for index, output in enumerate(made):
        kernels = [run[index] for run in runs]
        apart = max(distance(kernels[0], other) for other in kernels)
        for other in kernels:
            assert distance(other, output) <= max(near, 2 * apart)
