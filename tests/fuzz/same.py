"""Whether a rewrite of a model, however damaged, computes on LiteRT what the model does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tflite_sparse.encoding import validate
from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import encoding_of
from tflite_sparse.runtime.compare_outputs import ROUNDING, Tolerance, figures
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import run, run_many
from tflite_sparse.xnnpack.forecast import forecast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.fuzz.targets import Rewritten
    from tflite_sparse.model import Tensor
    from tflite_sparse.runtime.observations import Outputs, RunResult

__all__ = ["problems"]

_TIMEOUT = 60.0
_FILLINGS = ("1", "85", "200")
_LARGEST_INPUT = 1 << 22
_LARGEST_VALUE = 1 << 26
_WITHIN_REASON = 1e12


def problems(rewritten: Iterable[Rewritten]) -> Iterator[str | None]:
    """For each rewrite what is wrong with it: "" for nothing, None where it cannot be told.

    A model that LiteRT does not run tells nothing, nor does one that computes something else each
    time, since its damage makes it read memory that nobody has written, or what chance has put
    behind a weight.
    """
    pairs = [(item, _inputs(item.before)) for item in rewritten]
    jobs = [
        (model, feeds)
        for item, feeds in pairs
        if feeds is not None
        for model in (item.before, item.after)
    ]
    results = iter(run_many(jobs, timeout=_TIMEOUT)) if jobs else iter(())
    for item, feeds in pairs:
        if feeds is None:
            yield None
            continue
        problem = _compared(next(results), next(results), exact=item.exact)
        told = not problem or (_settled(item.before, feeds) and not _misread(item.before))
        yield problem if told else None


def _misread(data: bytes) -> bool:
    """Whether a model takes packed values for dense ones, or has an encoding with too few of them.

    It then reads on in the file behind them, where a rewrite may put something else.
    """
    model = Model.read(data)
    for subgraph in model.subgraphs:
        reasons = forecast(subgraph, "x86-avx").reasons
        if any(reason.rule == "filter-packed" for reason in reasons):
            return True
        for tensor in subgraph.tensors:
            if tensor.sparsity is not None and not _sound(tensor):
                return True
    return False


def _sound(tensor: Tensor) -> bool:
    try:
        validate(encoding_of(tensor))
    except TfliteSparseError:
        return False
    return True


def _settled(model: bytes, feeds: tuple[Outputs, ...]) -> bool:
    """Whether a model computes the same whatever the memory held that it is given."""
    found = []
    for filling in _FILLINGS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MALLOC_PERTURB_", filling)
            found.append(run(model, feeds, timeout=_TIMEOUT))
    return all(result.ok and _agree(found[0], result, Tolerance()) for result in found)


def _inputs(data: bytes) -> tuple[Outputs, ...] | None:
    try:
        model = Model.read(data)
        specs = input_specs(model)
        if any(_elements(spec.shape) > _LARGEST_INPUT for spec in specs):
            return None
        # The runtime may ask for that memory, or not, as the operators are spread.
        if any(_elements(t.shape) > _LARGEST_VALUE for g in model.subgraphs for t in g.tensors):
            return None
        return random_inputs(specs, 1)
    except TfliteSparseError:
        return None


def _elements(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _compared(before: RunResult, after: RunResult, *, exact: bool) -> str | None:
    if not before.ok:
        return None
    if not after.ok:
        return f"it ran before, and ends now with {after.status}: {after.detail}"
    if not exact and _largest(before) > _WITHIN_REASON:
        # Where sums are about to overflow, their order decides.
        return None
    tolerance = Tolerance()
    if not exact:
        tolerance = Tolerance(ROUNDING.atol + ROUNDING.rtol * _largest(before), ROUNDING.rtol)
    return "" if _agree(before, after, tolerance) else "it computes something else than before"


def _largest(found: RunResult) -> float:
    """The largest magnitude among the outputs; infinite where one is no number."""
    # What is no number may have any bits.
    with np.errstate(invalid="ignore"):
        values = [np.abs(v.astype(np.float64)) for v in found.trials[0].values() if v.size]
    largest = max((float(v.max()) for v in values), default=0.0)
    return largest if np.isfinite(largest) else np.inf


def _agree(a: RunResult, b: RunResult, tolerance: Tolerance) -> bool:
    first, second = a.trials[0], b.trials[0]
    return len(first) == len(second) and all(
        x.shape == y.shape and x.dtype == y.dtype and figures(x, y, tolerance).within
        for x, y in zip(first.values(), second.values(), strict=True)
    )
