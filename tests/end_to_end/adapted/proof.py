"""What becomes of a model when it is adapted, by the plan and on the runtime."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from statistics import geometric_mean, median
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.model import Model
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.runtime.bench import bench
from tflite_sparse.runtime.litert.driver import profile, run, run_many
from tflite_sparse.runtime.noise import jittered
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.releases.targets import targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.end_to_end.adapted.subjects import Subject
    from tflite_sparse.rewrite.adapt.options import AdaptOptions
    from tflite_sparse.runtime.observations import Outputs, Profile, RunResult
    from tflite_sparse.xnnpack.plan import Plan

__all__ = [
    "ROUNDING",
    "adapted",
    "as_planned",
    "facts",
    "in_browser",
    "largest_difference",
    "on_litert",
    "sparse_as_it_is",
]

ROUNDING = 1e-5
"""What another order of sums makes of outputs, as a share of the largest value, in most nets."""

_WAYS = 8
_EMULATED = "x86-noavx"
_SHARES = "wasm"
_TIMEOUT = 900.0


def sparse_as_it_is(data: bytes) -> bytes:
    """The model with its weights stored sparse and nothing else changed."""
    model = Model.read(data)
    sparsify(model)
    return model.to_bytes()


def adapted(data: bytes, options: AdaptOptions | None = None) -> tuple[bytes, str]:
    """The model adapted and with sparse weights, and why it was not adapted, if it was not."""
    rewrite = adapt(Model.read(data), options)
    assert rewrite.adaptation is not None
    sparsify(rewrite.model)
    return rewrite.model.to_bytes(), rewrite.adaptation.reason


def facts(dense: bytes, sparse: bytes, made: bytes) -> dict[str, Any]:
    """What the plan says of a model before and after, without a runtime.

    Args:
        dense: its dense twin.
        sparse: the same, stored sparse as it is.
        made: the same, adapted and stored sparse.
    """
    before, after = _plans(sparse), _plans(made)
    executed = Counter(after[_EMULATED].executed)
    return {
        "bytes": {"dense": len(dense), "sparse": len(sparse), "adapted": len(made)},
        # With the custom operators that no stock runtime has; what could not be run says so.
        "outcome": {
            name: {
                "before": before[name].verdict.elsewhere.value,
                "after": after[name].verdict.elsewhere.value,
            }
            for name in before
        },
        "sparse_macs": {"before": _share(before[_SHARES]), "after": _share(after[_SHARES])},
        "sparse_pointwise": {
            "of": before[_SHARES].verdict.pointwise,
            "before": before[_SHARES].verdict.sparse_pointwise,
            "after": after[_SHARES].verdict.sparse_pointwise,
        },
        "executed": dict(sorted(executed.items())),
    }


def _plans(data: bytes) -> dict[str, Plan]:
    subgraph, zeros = Model.read(data).subgraphs[0], ZeroCounts()
    return {target.name: plan(subgraph, target, zeros=zeros) for target in targets()}


def _share(made: Plan) -> float:
    verdict = made.verdict
    return round(verdict.sparse_macs / verdict.macs, 4) if verdict.macs else 0.0


def on_litert(subject: Subject, dense: bytes, made: bytes) -> dict[str, Any]:
    """What LiteRT executes, and how far its numbers are from those of the dense twin.

    Args:
        subject: the model, for its inputs.
        dense: its dense twin.
        made: the same, adapted and stored sparse.

    Raises:
        RuntimeUnavailableError: LiteRT or the emulator is not installed.
    """
    feeds = subject.feeds()
    wanted = run(dense, feeds, timeout=_TIMEOUT)
    if not wanted.ok:
        return {"failure": wanted.detail}
    seen = profile(made, runs=1, emulate=True, timeout=_TIMEOUT)
    native = run(made, feeds, timeout=_TIMEOUT)
    emulated = run(made, feeds, emulate=True, timeout=_TIMEOUT)
    difference = {
        "dense": largest_difference(wanted, native),
        "sparse": largest_difference(wanted, emulated),
    }
    proven = {"executed_as_planned": as_planned(made, seen), "difference": difference}
    if max(value or 0.0 for value in difference.values()) >= ROUNDING:
        proven["noise"] = _own_noise(dense, feeds, wanted)
    return proven


def _own_noise(dense: bytes, feeds: Sequence[Outputs], wanted: RunResult) -> float:
    """The largest difference that one unit in the last place of each weight makes, in some ways."""
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(dense)
        file.flush()
        moved = [(jittered(file.name, seed), feeds) for seed in range(_WAYS)]
    differences = [largest_difference(wanted, found) for found in run_many(moved, timeout=_TIMEOUT)]
    return max(value or 0.0 for value in differences)


def as_planned(made: bytes, seen: Profile) -> bool:
    """Whether the emulated processor executed the operators that the plan names."""
    subgraph = Model.read(made).subgraphs[0]
    return seen.ok and seen.delegated == plan(subgraph, _EMULATED).executed


def largest_difference(wanted: RunResult, found: RunResult) -> float | None:
    """Largest difference of any output, as a share of the largest value of that output.

    Outputs go by their names. None where the model did not run, or gave other names or shapes, or
    values that are not finite.
    """
    if not (wanted.ok and found.ok):
        return None
    worst = 0.0
    for right, made in zip(wanted.trials, found.trials, strict=True):
        if list(right) != list(made):
            return None
        for name, value in right.items():
            difference = _difference(value, made[name])
            if difference is None:
                return None
            worst = max(worst, difference)
    return float(f"{worst:.1e}")


def _difference(right: Any, made: Any) -> float | None:
    if right.shape != made.shape or not np.isfinite(made).all():
        return None
    gap = np.abs(right.astype(np.float64) - made.astype(np.float64)).max(initial=0.0)
    return float(gap / max(float(np.abs(right).max(initial=0.0)), 1e-30))


def in_browser(models: dict[str, bytes], runs: int) -> dict[str, float | None]:
    """Times in a browser, of models that take turns run by run.

    Args:
        models: the models by name; the first is the one that the others are compared with. Those
            that are the same, byte for byte, run as one.
        runs: counted runs of each.

    Returns:
        Median milliseconds by name, and under "gain" how many times faster than the first the last
        one is: the median over the turns, which all see the same machine. None for what did not
        run.

    Raises:
        RuntimeUnavailableError: the browser or what runs in it is not installed.
    """
    unlike = list(dict.fromkeys(models.values()))
    # In both orders: what runs first in a turn is up to 5 % faster than the same model run last.
    orders = (_times(unlike, runs // 2), _times(unlike[::-1], runs // 2))
    first, *_, last = models.values()
    halves = [
        median(a / b for a, b in zip(order[first], order[last], strict=True))
        for order in orders
        if order[first] and order[last]
    ]
    return {
        **{name: _median([t for order in orders for t in order[d]]) for name, d in models.items()},
        "gain": round(geometric_mean(halves), 3) if len(halves) == len(orders) else None,
    }


def _times(models: Sequence[bytes], runs: int) -> dict[bytes, tuple[float, ...]]:
    """Milliseconds of models that take turns in this order."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.tflite") for number in range(len(models))]
        for path, data in zip(paths, models, strict=True):
            path.write_bytes(data)
        found = bench([str(path) for path in paths], where="web", runs=runs, timeout=_TIMEOUT)
    return {d: found.models[i].milliseconds for i, d in enumerate(models)}


def _median(times: Sequence[float]) -> float | None:
    return round(median(times), 2) if times else None
