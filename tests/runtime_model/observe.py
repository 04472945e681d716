"""What LiteRT does with models: operators, partitions, outcome, and how far the numbers are off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.model import Model
from tflite_sparse.model.sizes.sized import input_shapes_of
from tflite_sparse.runtime.litert.driver import profile_many, run_many
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.model import Tensor
    from tflite_sparse.runtime.observations import Outputs, Profile, RunResult

__all__ = [
    "Observation",
    "alike",
    "feed_shapes",
    "feeds_of",
    "observe",
    "reshaped",
    "rounding",
]

# Right nets differ by rounding; averages hide much of what is wrong, and may be close to zero.
_RELATIVE, _ABSOLUTE = 3e-5, 2e-6
# Kernels quantize on the way in their own manner: a step more or less.
_QUANTIZED = 1 / 64


@dataclass(frozen=True, slots=True)
class Observation:
    """What came of one model.

    Attributes:
        outcome: the outcome on the runtime.
        partitions: the operators that XNNPACK ran, in order, for each of its partitions; nothing
            where the model did not run.
        outside: the operators that ran outside XNNPACK.
        difference: largest difference from what LiteRT's own kernels compute, as a share of their
            largest output; None where the model did not run, or gave other shapes or no numbers.
        detail: what the runtime said.
    """

    outcome: Outcome
    partitions: tuple[tuple[str, ...], ...]
    outside: tuple[str, ...]
    difference: float | None
    detail: str

    @property
    def executed(self) -> tuple[str, ...]:
        """The operators that XNNPACK ran, in order."""
        return tuple(name for names in self.partitions for name in names)

    def to_dict(self) -> dict[str, Any]:
        """What a recording keeps: all but what the runtime says, which names addresses."""
        return {
            "outcome": self.outcome.value,
            "partitions": [list(names) for names in self.partitions],
            "outside": list(self.outside),
            "difference": None if self.difference is None else float(f"{self.difference:.1e}"),
        }


def observe(models: Sequence[bytes], *, emulate: bool) -> Iterator[Observation]:
    """Runs models on LiteRT with XNNPACK and without.

    Args:
        models: the models; one that leaves sizes open has the default ones.
        emulate: whether XNNPACK runs on a processor without AVX, where it goes sparse.

    Raises:
        RuntimeUnavailableError: LiteRT or the emulator is not installed.
    """
    jobs: list[tuple[bytes, list[Outputs]]] = [(model, feeds_of(model, 1)) for model in models]
    shapes = [feed_shapes(model) for model in models]
    profiles = profile_many(models, emulate=emulate, shapes=shapes)
    results = run_many(jobs, emulate=emulate)
    references = run_many(jobs, backend="builtin")
    for model, profile, result, reference in zip(
        models, profiles, results, references, strict=True
    ):
        assert reference.ok, reference.detail
        difference = _difference(result, reference)
        delegated = [op for op in profile.operators if op.partition is not None]
        count = max((op.partition or 0 for op in delegated), default=-1) + 1
        yield Observation(
            _outcome(profile, result, reference, rounding(model)),
            tuple(
                tuple(op.name for op in delegated if op.partition == number)
                for number in range(count)
            ),
            tuple(op.name for op in profile.operators if not op.delegated),
            difference,
            result.detail or profile.detail,
        )


def rounding(model: bytes) -> float:
    """By how much right outputs of a model may differ, as a share of the largest."""
    tensors = Model.read(model).subgraphs[0].tensors
    return _QUANTIZED if any(tensor.type == "INT8" for tensor in tensors) else _RELATIVE


def feed_shapes(model: bytes) -> list[tuple[int, ...]]:
    """The shapes that the inputs of a model run at."""
    return [value.shape for value in feeds_of(model, 1)[0].values()]


def feeds_of(model: bytes, count: int) -> list[Outputs]:
    """Some sets of random inputs for a model, the same each time."""
    rng = np.random.default_rng(7)
    opened = Model.read(model)
    input_shapes_of(opened)
    inputs = opened.subgraphs[0].inputs
    return [{tensor.name: _values(tensor, rng) for tensor in inputs} for _ in range(count)]


def _values(tensor: Tensor, rng: np.random.Generator) -> np.ndarray:
    if tensor.type in ("INT8", "INT32"):
        return rng.integers(-127, 128, tensor.shape, tensor.type.lower())
    return rng.standard_normal(tensor.shape).astype(np.float32)


def _outcome(profile: Profile, result: RunResult, reference: RunResult, relative: float) -> Outcome:
    if result.status == "load-failure":
        return Outcome.LOAD_FAILURE
    if "crashed" in (result.status, profile.status):
        return Outcome.PROCESS_ABORT
    if not result.ok or not alike(result.trials[0], reference.trials[0], relative):
        shaped = reshaped(result.trials[0], reference.trials[0]) if result.ok else None
        right = shaped is not None and alike(shaped, reference.trials[0], relative)
        return Outcome.OUTPUT_SHAPE if right else Outcome.WRONG_NUMBERS
    sparse = any(operator.sparse for operator in profile.operators)
    return Outcome.SPARSE if sparse else Outcome.DENSE


def alike(found: Outputs, wanted: Outputs, relative: float) -> bool:
    """Whether outputs differ by no more than a share of the largest that is wanted."""
    return all(
        found[name].shape == value.shape
        and np.allclose(
            found[name], value, rtol=0, atol=_ABSOLUTE + relative * float(np.abs(value).max())
        )
        for name, value in wanted.items()
    )


def reshaped(found: Outputs, wanted: Outputs) -> Outputs | None:
    """The outputs in the shapes that they should have; None where they do not fit into them."""
    if any(found[name].size != value.size for name, value in wanted.items()):
        return None
    return {name: found[name].reshape(value.shape) for name, value in wanted.items()}


def _difference(result: RunResult, reference: RunResult) -> float | None:
    if not result.ok:
        return None
    worst = 0.0
    for name, wanted in reference.trials[0].items():
        found = result.trials[0][name]
        if found.shape != wanted.shape or not np.isfinite(found).all():
            return None
        gap = np.abs(found.astype(np.float64) - wanted.astype(np.float64)).max(initial=0.0)
        worst = max(worst, float(gap) / max(float(np.abs(wanted).max(initial=0)), 1e-30))
    return worst
