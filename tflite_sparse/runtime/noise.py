"""How far a model's outputs lie from themselves: what no comparison with another can go below.

The same model computed by other kernels, or with each weight moved by one unit in the last place,
gives other numbers, as every sum rounds otherwise. In deep nets with wide outputs that is more than
any fixed tolerance allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.model import Model
from tflite_sparse.runtime.compare_outputs import Bound
from tflite_sparse.runtime.litert.driver import Job, run_jobs
from tflite_sparse.storage.values.unpacked import dequantizes, fp32_source

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tflite_sparse.model.tensor import Buffer
    from tflite_sparse.runtime.observations import Outputs, RunResult

__all__ = ["jittered", "own_noise", "spread"]

_FLOAT = 4


def spread(one: RunResult, other: RunResult) -> dict[str, float]:
    """How far two runs of a model on the same inputs lie apart, by the name of the output.

    It is infinite for outputs that are not floats, or that are not finite in both.

    Args:
        one: a run.
        other: the same on other kernels, or with other weights.
    """
    noise: dict[str, float] = {}
    if not (one.ok and other.ok):
        return noise
    for left, right in zip(one.trials, other.trials, strict=True):
        for name, values in left.items():
            others = right.get(name)
            largest = np.inf
            if others is not None and others.shape == values.shape and values.dtype.kind == "f":
                with np.errstate(invalid="ignore"):
                    apart = np.abs(values.astype(np.float64) - others.astype(np.float64))
                largest = float(apart.max(initial=0.0))
            # No number is no measure either.
            noise[name] = max(noise.get(name, 0.0), np.inf if np.isnan(largest) else largest)
    return noise


def own_noise(
    path: str | os.PathLike[str], feeds: Outputs, *, timeout: float
) -> Iterator[tuple[Bound, list[float]]]:
    """How far a model lies from itself on this machine's LiteRT: by other kernels, other weights.

    Nothing where LiteRT is not installed, or the model cannot be written.

    Args:
        path: the model.
        feeds: its inputs.
        timeout: seconds after which a run is given up.

    Yields:
        How it was measured, and the noise of each output by its position.
    """
    try:
        one, other, moved = run_jobs(
            [
                Job(path, [feeds]),
                Job(path, [feeds], "reference"),
                Job(jittered(path), [feeds]),
            ],
            timeout=timeout,
        )
    except TfliteSparseError:
        return
    yield Bound.KERNELS, list(spread(one, other).values())
    yield Bound.WEIGHTS, list(spread(one, moved).values())


def jittered(path: str | os.PathLike[str], seed: int = 0) -> bytes:
    """A model in which every weight that is not zero is moved by one unit in the last place.

    That is of the fp32 that operators compute with, also where a DEQUANTIZE makes it of fewer bits.

    Args:
        path: the model.
        seed: chooses which are moved up and which down.

    Raises:
        RewriteError: the model cannot be written without loss.
        TfliteSparseError: it cannot be read.
    """
    model = Model.read(path)
    _unpack(model)
    rng = np.random.default_rng(seed)
    for buffer in _floats(model):
        values: NDArray[Any] = buffer.data.view("<f4").copy()
        up = np.where(rng.integers(0, 2, values.size, dtype=np.uint8), np.inf, -np.inf)
        moved = np.nextafter(values, up.astype(np.float32))
        fixed = (values == 0) | ~np.isfinite(values) | ~np.isfinite(moved)
        buffer.data = np.where(fixed, values, moved)
    return model.to_bytes()


def _unpack(model: Model) -> None:
    """Stores what DEQUANTIZE makes of constants in place of the operator."""
    for subgraph in model.subgraphs:
        idle = []
        for operator in subgraph.operators:
            if operator.name != "DEQUANTIZE" or operator.inputs[0] is None:
                continue
            densify = subgraph.producer(operator.inputs[0])
            sparse = densify is not None and densify.name == "DENSIFY"
            constant = densify.inputs[0] if densify is not None and sparse else operator.inputs[0]
            if constant is None or not constant.is_constant or not dequantizes(operator, constant):
                continue
            operator.outputs[0].store_in(model.add_buffer(fp32_source(constant)()))
            idle.append(operator)
        subgraph.remove(idle)
    model.drop_unused_codes()


def _floats(model: Model) -> list[Buffer]:
    """The buffers that hold nothing but fp32 constants."""
    types: dict[Buffer, set[str]] = {}
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.buffer.nbytes:
                types.setdefault(tensor.buffer, set()).add(tensor.type)
    for entry in model.metadata:
        types.pop(entry.buffer, None)
    return [
        buffer
        for buffer, kinds in types.items()
        if kinds == {"FLOAT32"} and buffer.nbytes % _FLOAT == 0
    ]
