"""Whether two models mean the same: their weights bit for bit, their outputs on the runtime."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from tflite_sparse.comparison.adapted_pair import rounded_to
from tflite_sparse.comparison.model_diff import diff
from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.files.remote import name_of, require_files
from tflite_sparse.model import Model
from tflite_sparse.model.sizes.sized import resize_as
from tflite_sparse.runtime.compare_outputs import (
    ROUNDED,
    ROUNDING,
    Bound,
    OutputComparison,
    Tolerance,
    compare_output,
    paired,
)
from tflite_sparse.runtime.entries import Entry, Feeding, entries
from tflite_sparse.runtime.inputs import differ
from tflite_sparse.runtime.litert.driver import Backend, Job, run_jobs
from tflite_sparse.runtime.litert.processor import emulation, native_target
from tflite_sparse.runtime.noise import jittered, spread
from tflite_sparse.runtime.verification import BackendComparison, Verification, WeightComparison
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from tflite_sparse.comparison.diff_types import ModelDiff, WeightDiff
    from tflite_sparse.runtime.litert.processor import Emulation
    from tflite_sparse.runtime.observations import RunResult, Status

__all__ = [
    "BackendComparison",
    "OutputComparison",
    "Tolerance",
    "Verification",
    "WeightComparison",
    "verify",
]

BACKENDS: tuple[Backend, ...] = ("xnnpack", "reference")
"""The sets of kernels that models are run on."""

_QUANTIZED = Tolerance(range=1 / 32)
"""How far XNNPACK may lie from the reference kernels where they quantize on the way: some steps."""

_EIGHT_BITS = frozenset({"INT8", "UINT8"})


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
    backends: Sequence[Backend] = BACKENDS,
    emulate: bool | Emulation = False,
    timeout: float = 120.0,
    weights: bool = True,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    repaired: bool = False,
) -> Verification:
    """Compares two models: their weights, and what they compute on the runtime.

    The main subgraph is run, and every signature that names anything else.

    Args:
        a: the first model.
        b: the second model.
        trials: how many sets of random inputs.
        seed: seed of the random inputs.
        inputs: an .npz file with inputs instead of random ones.
        signature: the one signature to run; None for all.
        batch: size of the first dimension of inputs where that is dynamic.
        tolerance: how far outputs may lie apart; None asks for the same numbers, but on a processor
            that runs sparse kernels allows for another order of summation, and of weights that were
            rounded for a share of the range, see `compare_outputs.ROUNDED`.
        backends: on which kernels to run them; () compares the weights only, without LiteRT.
        emulate: the processor to emulate; True for one without AVX.
        timeout: seconds after which a model is given up.
        weights: whether to compare weights and graphs too, which adapted models do not share.
        input_shapes: shapes of inputs that the first model leaves open, by name, "" for the only
            one; None for those that it is looked at with.
        repaired: whether XNNPACK gets the first model wrong: then the second must compute with it
            what the reference kernels make of the first.

    Raises:
        UsageError: there is no such input, no model of such a size, or no file.
        RuntimeUnavailableError: LiteRT or the emulator is not installed.
        TfliteSparseError: a model or the inputs cannot be read.
    """
    require_files("verify", a, b)
    asked = emulation(emulate)
    first, second = Model.read(a), Model.read(b)
    difference = diff(first, second) if weights else None
    adapted = difference is not None and difference.adapted
    rounded = None
    if difference is not None and difference.rounded:
        rounded = rounded_to(first, second)
    todo: list[Entry] = []
    unreached: tuple[str, ...] = ()
    compared: list[BackendComparison] = []
    sizes = None
    if backends:
        if not input_shapes and batch is None:
            resize_as(first, second)
        feeding = Feeding(trials, seed, inputs, batch, input_shapes)
        todo, unreached = entries(first, second, signature, feeding)
        if inputs is None and first.input_shapes is not None and first.input_shapes.inputs:
            sizes = first.input_shapes
        runs = _Runs(a, b, emulate=emulate, timeout=timeout)
        runnable = [entry for entry in todo if not entry.problem]
        runs.run(runnable, BACKENDS if repaired else backends)
        for entry in todo:
            for backend in () if entry.problem and not entry.missing else backends:
                allowed = tolerance or _default_tolerance(backend, emulate=emulate)
                if adapted and tolerance is None:
                    # Adapted operators add up in another order.
                    allowed = ROUNDING
                elif rounded is not None and tolerance is None:
                    allowed = Tolerance(range=ROUNDED[rounded])
                if repaired and backend == "xnnpack":
                    allowed = _of_repair(first, allowed)
                compared.append(_compare(runs, entry, backend, allowed, repaired=repaired))
    return Verification(
        name_of(a),
        name_of(b),
        tuple(_weight(w) for w in difference.weights if not w.equal) if difference else (),
        difference.same_weights + sum(w.equal for w in difference.weights) if difference else 0,
        _graph(difference) if difference else (),
        len(todo[0].feeds) if todo else 0,
        None if inputs is not None else seed,
        asked is not None,
        tuple(compared),
        tuple(
            f"signature {readable(entry.signature or '')!r} could not be run: {entry.problem}"
            for entry in todo
            if entry.problem and not entry.missing
        ),
        unreached,
        sizes,
        adapted,
        "" if asked is None else asked.title,
        rounded,
        0 if difference is None else difference.zeroed,
    )


def _default_tolerance(backend: Backend, *, emulate: bool | Emulation) -> Tolerance:
    sparse = bool(emulate) or native_target() != "x86-avx"
    return ROUNDING if backend == "xnnpack" and sparse else Tolerance()


def _of_repair(model: Model, allowed: Tolerance) -> Tolerance:
    """What is allowed between two sets of kernels; the noise between them is not known."""
    if any(tensor.type in _EIGHT_BITS for graph in model.subgraphs for tensor in graph.tensors):
        return _QUANTIZED
    return msgspec.structs.replace(ROUNDING if allowed.exact else allowed, noise=0.0)


def _graph(difference: ModelDiff) -> tuple[str, ...]:
    return (*difference.graph, *difference.signatures)


def _weight(weight: WeightDiff) -> WeightComparison:
    side = weight.before or weight.after
    missing: Literal["a", "b", ""] = (
        "a" if weight.before is None else "b" if weight.after is None else ""
    )
    name = side.name if side else ""
    return WeightComparison(name, weight.operator, missing, weight.differing, weight.largest)


class _Runs:
    """The runs of both models, each made once."""

    def __init__(
        self,
        a: str | os.PathLike[str],
        b: str | os.PathLike[str],
        *,
        emulate: bool | Emulation,
        timeout: float,
    ) -> None:
        self._first = a
        self._models: dict[str, str | os.PathLike[str] | bytes] = {"a": a, "b": b}
        self._emulate = emulate
        self._timeout = timeout
        self._results: dict[tuple[str, Backend, str | None], RunResult] = {}

    def run(self, todo: Sequence[Entry], backends: Sequence[Backend]) -> None:
        """Runs both models on everything."""
        self._run([("a", b, e) for e in todo for b in backends])
        self._run([("b", b, e) for e in todo for b in backends])

    def of(self, side: str, backend: Backend, entry: Entry) -> RunResult:
        """What came of "a", of "b", or of "jittered", which is the first with other weights."""
        key = (side, backend, entry.signature)
        if key not in self._results:
            if side not in self._models:
                self._models[side] = jittered(self._first)
            self._run([(side, backend, entry)])
        return self._results[key]

    def _run(self, todo: Sequence[tuple[str, Backend, Entry]]) -> None:
        jobs = [Job(self._models[s], e.feeds, b, e.signature) for s, b, e in todo]
        results = run_jobs(jobs, emulate=self._emulate, timeout=self._timeout)
        for (side, backend, entry), result in zip(todo, results, strict=True):
            self._results[side, backend, entry.signature] = result


def _compare(
    runs: _Runs, entry: Entry, backend: Backend, allowed: Tolerance, *, repaired: bool
) -> BackendComparison:
    if entry.missing:
        first: Status = "load-failure" if entry.missing == "a" else "ok"
        second: Status = "load-failure" if entry.missing == "b" else "ok"
        return BackendComparison(
            backend, first, "", second, "", allowed, (), entry.problem, entry.signature
        )
    measure: Backend | None = "reference" if repaired and backend != "reference" else None
    a = runs.of("a", measure or backend, entry)
    b = runs.of("b", backend, entry)
    outputs: tuple[OutputComparison, ...] = ()
    problem = ""
    if a.ok and b.ok:
        pairs, problem = paired(a.trials, b.trials)
        outputs = tuple(compare_output(name, left, right, allowed) for name, left, right in pairs)
        if not differ(entry.feeds):
            outputs = tuple(msgspec.structs.replace(o, constant=False) for o in outputs)
        outputs = _against_noise(runs, entry, backend, outputs, allowed)
    return BackendComparison(
        backend, a.status, a.detail, b.status, b.detail, allowed, outputs, problem,
        entry.signature, measure,
    )  # fmt: skip


def _against_noise(
    runs: _Runs,
    entry: Entry,
    backend: Backend,
    outputs: tuple[OutputComparison, ...],
    allowed: Tolerance,
) -> tuple[OutputComparison, ...]:
    """Holds outputs that are off against how far the first model lies from itself."""
    other: Backend = "reference" if backend == "xnnpack" else "xnnpack"
    for bound, side, kernels in (
        (Bound.KERNELS, "a", other),
        (Bound.WEIGHTS, "jittered", backend),
    ):
        if not allowed.noise or all(output.within for output in outputs):
            break
        try:
            again = runs.of(side, kernels, entry)
        except TfliteSparseError:
            break  # A model that cannot be written has no twin to measure by.
        noises = spread(runs.of("a", backend, entry), again)
        outputs = tuple(
            output
            if output.within
            else output.against_noise(noises.get(output.name, math.inf), bound, allowed)
            for output in outputs
        )
    return outputs
