"""Outputs of models on the real LiteRT for the same inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.model import Model
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import run_many

if TYPE_CHECKING:
    from tests.support.adapted import Adapted

__all__ = ["on_reference", "outputs", "same_numbers"]

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


def on_reference(model: Adapted) -> list[tuple[np.ndarray, np.ndarray]]:
    """The outputs before and after adapting, in pairs, on LiteRT's reference kernels."""
    before, after = outputs(model.before, model.after, delegate=False)
    assert before
    assert after
    return list(zip(before, after, strict=True))


def same_numbers(model: Adapted, steps: int = 0) -> None:
    """Holds that a model computes the same after adapting.

    Args:
        model: it, with what became of it.
        steps: how many steps of rounding, of the largest value, may lie between.

    Raises:
        AssertionError: it computes something else.
    """
    for before, after in on_reference(model):
        assert before.shape == after.shape
        assert np.abs(before - after).max() <= steps * 2**-23 * np.abs(before).max()
