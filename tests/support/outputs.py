"""Outputs of models on the real LiteRT for the same inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model import Model
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import run_many

if TYPE_CHECKING:
    import numpy as np

__all__ = ["outputs"]

_SEED = 7
_TIMEOUT = 300


def outputs(
    *models: bytes, emulated: bool = False, delegate: bool = True
) -> list[list[np.ndarray] | None]:
    """The outputs of models for the same inputs, which depend on shapes and types alone.

    Args:
        models: the models.
        emulated: whether to run where XNNPACK takes the sparse path.
        delegate: whether to use XNNPACK at all.

    Returns:
        The outputs of the second of two runs of each; None for one that does not load or crashes.
    """
    feeds = [random_inputs(input_specs(Model.read(model)), 1, _SEED) * 2 for model in models]
    results = run_many(
        zip(models, feeds, strict=True),
        backend="xnnpack" if delegate else "builtin",
        emulate=emulated,
        timeout=_TIMEOUT,
    )
    return [list(result.trials[-1].values()) if result.ok else None for result in results]
