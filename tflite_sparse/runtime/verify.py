"""Whether two models mean the same: their weights bit for bit, their outputs on the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from tflite_sparse.comparison.model_diff import diff
from tflite_sparse.errors import RewriteError
from tflite_sparse.model import Model
from tflite_sparse.model.sizes.sized import InputShapes
from tflite_sparse.records import Amount, Count, Record
from tflite_sparse.runtime.compare_outputs import (
    OutputComparison,
    Tolerance,
    compare_output,
    paired,
)
from tflite_sparse.runtime.inputs import input_specs, load_inputs, random_inputs
from tflite_sparse.runtime.litert.driver import Backend, run_many
from tflite_sparse.runtime.litert.processor import native_target
from tflite_sparse.runtime.observations import Status

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from tflite_sparse.comparison.diff_types import ModelDiff, WeightDiff
    from tflite_sparse.runtime.observations import RunResult

__all__ = [
    "BackendComparison",
    "OutputComparison",
    "Tolerance",
    "Verification",
    "WeightComparison",
    "verify",
    "verify_files",
]

SPARSE_ATOL, SPARSE_RTOL = 1e-5, 1e-4
"""Tolerances where sparse kernels may run: they add up in another order than dense ones."""


class WeightComparison(Record, frozen=True):
    """A weight that is not the same in both models.

    Attributes:
        name: its name.
        operator: kind of the operator that reads it.
        missing: the model that does not have it; "" where both have it.
        differing: how many values differ; None where shapes or types do.
        largest: the largest difference of two values; None where it is not known.
    """

    name: str
    operator: str
    missing: Literal["a", "b", ""]
    differing: Count | None
    largest: Amount | None


class BackendComparison(Record, frozen=True):
    """What both models did with the same inputs on one set of kernels.

    Attributes:
        backend: XNNPACK, or the reference kernels of the runtime.
        status_a: how the first model fared.
        detail_a: what the runtime said of it.
        status_b: how the second model fared.
        detail_b: what the runtime said of it.
        tolerance: how far outputs may lie apart.
        outputs: the outputs; empty where one of the models did not run.
        problem: why outputs cannot be compared although both ran; "" for none.
    """

    backend: Backend
    status_a: Status
    detail_a: str
    status_b: Status
    detail_b: str
    tolerance: Tolerance
    outputs: tuple[OutputComparison, ...]
    problem: str = ""

    derived = ("agree",)

    @property
    def compared(self) -> bool:
        """Whether there were numbers to compare."""
        return self.status_a == self.status_b == "ok"

    @property
    def agree(self) -> bool:
        """Whether nothing speaks against the models being the same.

        A model that fails agrees with one that fails in the same way.
        """
        if not self.compared:
            return self.status_a == self.status_b
        return not self.problem and all(output.within for output in self.outputs)


class Verification(Record, frozen=True):
    """The comparison of two models.

    Attributes:
        a: the first model.
        b: the second model.
        weights: weights that are not the same; -0.0 and 0.0 are.
        weights_equal: number of weights that are the same.
        graph: differences of the graphs, one sentence each.
        trials: number of sets of inputs.
        seed: seed of random inputs; None for given ones.
        emulated: whether the processor was emulated.
        backends: outputs on each set of kernels; empty where they were not asked for.
        input_shapes: the sizes that they were run at; None where the first model leaves none open.
    """

    a: str
    b: str
    weights: tuple[WeightComparison, ...]
    weights_equal: Count
    graph: tuple[str, ...]
    trials: Count
    seed: Count | None
    emulated: bool
    backends: tuple[BackendComparison, ...]
    input_shapes: InputShapes | None = None

    derived = ("equal",)

    @property
    def equal(self) -> bool:
        """Whether weights and outputs are the same."""
        return not self.weights and all(backend.agree for backend in self.backends)


def verify(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    *,
    trials: int = 3,
    seed: int = 0,
    inputs: str | None = None,
    signature: str | None = None,
    batch: int | None = None,
    tolerance: Tolerance | None = None,
    backends: Sequence[Backend] = ("xnnpack", "reference"),
    emulate: bool = False,
    timeout: float = 120.0,
    weights: bool = True,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
) -> Verification:
    """Compares two models.

    Args:
        a: the first model.
        b: the second model.
        trials: how many sets of random inputs.
        seed: seed of the random inputs.
        inputs: an .npz file with inputs instead of random ones.
        signature: which signature to run; None for the main subgraph.
        batch: size of the first dimension of inputs where that is dynamic.
        tolerance: how far outputs may lie apart; None asks for the same numbers, but on a processor
            that runs sparse kernels allows for another order of summation.
        backends: on which kernels to run them; () compares the weights only, without LiteRT.
        emulate: whether to run on an emulated processor without AVX.
        timeout: seconds after which a model is given up.
        weights: whether to compare weights and graphs too, which adapted models do not share.
        input_shapes: shapes of inputs that the first model leaves open, by name, "" for the only
            one; None for those that it is looked at with.

    Raises:
        UsageError: there is no such input, or no model of such a size.
        RuntimeUnavailableError: LiteRT or the emulator is not installed.
        TfliteSparseError: a model or the inputs cannot be read.
    """
    first, second = Model.read(a), Model.read(b)
    found = diff(first, second) if weights else None
    compared: list[BackendComparison] = []
    count = 0
    sizes = None
    if backends:
        specs = input_specs(first, signature, batch, input_shapes)
        given = random_inputs(specs, trials, seed) if inputs is None else load_inputs(inputs, specs)
        count = len(given)
        if inputs is None and first.input_shapes is not None and first.input_shapes.inputs:
            sizes = first.input_shapes
        options: dict[str, Any] = {"signature": signature, "emulate": emulate, "timeout": timeout}
        for backend in backends:
            jobs = [(path, given) for path in (a, b)]
            results = list(run_many(jobs, backend=backend, **options))
            allowed = tolerance or _default_tolerance(backend, emulate=emulate)
            compared.append(_compare(backend, results[0], results[1], allowed))
    return Verification(
        str(a),
        str(b),
        tuple(_weight(w) for w in found.weights if not w.equal) if found else (),
        found.same_weights + sum(w.equal for w in found.weights) if found else 0,
        _graph(found) if found else (),
        count,
        None if inputs is not None else seed,
        emulate,
        tuple(compared),
        sizes,
    )


def verify_files(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    *,
    tolerance: Tolerance | None = None,
    weights: bool = True,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
) -> Verification:
    """Checks what a rewrite wrote against what it read.

    Args:
        before: the model that was read.
        after: the model that was written.
        tolerance: how far outputs may lie apart, see `verify`.
        weights: whether the weights must be the same too.
        input_shapes: see `verify`.
        batch: see `verify`.

    Raises:
        RewriteError: weights or outputs differ.
        RuntimeUnavailableError: LiteRT is not installed.
    """
    found = verify(
        before,
        after,
        tolerance=tolerance,
        weights=weights,
        input_shapes=input_shapes,
        batch=batch,
    )
    if found.equal:
        return found
    if found.weights:
        worst = found.weights[0]
        raise RewriteError(
            f"the written model differs: {len(found.weights)} weights, first {worst.name!r}"
        )
    backend = next(entry for entry in found.backends if not entry.agree)
    if backend.status_a != backend.status_b:
        raise RewriteError(
            f"the written model fares differently on {backend.backend}: {backend.status_b}"
            f" ({backend.detail_b}), the original {backend.status_a}"
        )
    off = next((output for output in backend.outputs if not output.within), None)
    reason = backend.problem if off is None else f"output {off.name!r} by up to {off.max_abs:g}"
    raise RewriteError(f"the written model computes something else on {backend.backend}: {reason}")


def _default_tolerance(backend: Backend, *, emulate: bool) -> Tolerance:
    sparse = emulate or native_target() != "x86-avx"
    if backend == "xnnpack" and sparse:
        return Tolerance(SPARSE_ATOL, SPARSE_RTOL)
    return Tolerance()


def _graph(found: ModelDiff) -> tuple[str, ...]:
    return (*found.graph, *found.signatures)


def _weight(weight: WeightDiff) -> WeightComparison:
    side = weight.before or weight.after
    missing: Literal["a", "b", ""] = (
        "a" if weight.before is None else "b" if weight.after is None else ""
    )
    name = side.name if side else ""
    return WeightComparison(name, weight.operator, missing, weight.differing, weight.largest)


def _compare(backend: Backend, a: RunResult, b: RunResult, allowed: Tolerance) -> BackendComparison:
    outputs: tuple[OutputComparison, ...] = ()
    problem = ""
    if a.ok and b.ok:
        pairs, problem = paired(a.trials, b.trials)
        outputs = tuple(compare_output(name, left, right, allowed) for name, left, right in pairs)
    return BackendComparison(
        backend, a.status, a.detail, b.status, b.detail, allowed, outputs, problem
    )
