"""Counts instructions on emulated Arm processors, and fits the estimate of them.

usage: python -m benchmarks.arm64_estimate [--count]

With --count, nets run on LiteRT's build for 64-bit Arm under qemu (`tflite-sparse runtime install
arm64`), and the instructions of every operator go to benchmarks/arm64_estimate.json. Without it the
prices that fit best are printed beside those of `tflite_sparse.xnnpack.cost.instruction_prices`,
and the estimate of each net beside what was counted; it fails where half of them are further off
than 5 %. Prices are fitted to MobileNetV1; those of kernels that it does not have to MobileNetV2,
MobileNetV3 and EfficientNet; none to the hand landmark net. They are changed by hand.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections import Counter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.speed_model import fit, mobilenet
from tests.end_to_end.adapted.subjects import SUBJECTS
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.optimize import Optimize
from tflite_sparse.runtime.arm64.packages import LITERT
from tflite_sparse.runtime.arm64.processors import emulated
from tflite_sparse.runtime.litert.driver import profile_many
from tflite_sparse.xnnpack.cost.instruction_prices import PRICES
from tflite_sparse.xnnpack.cost.instructions import amounts, instructions
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Disposition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tflite_sparse.xnnpack.plan import Plan

COUNTS = Path(__file__).with_name("arm64_estimate.json")
PROCESSORS = ("cortex-a76", "cortex-a53")
FURTHEST = 0.05
# (width, size of the picture, share of zeros in the 1x1 filters, output channels a block of them)
FITTED = (
    *((1.0, 224, *rest) for rest in ((0.0, 1), (0.8, 1), (0.9, 1), (0.8, 2), (0.8, 4))),
    *((0.5, 192, *rest) for rest in ((0.0, 1), (0.7, 1), (0.9, 1), (0.9, 2), (0.9, 4))),
)
HELD_OUT = "hand_landmark_full"
OTHERS = ("mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", HELD_OUT)


def _optimized(name: str) -> bytes:
    dense = Model.read(SUBJECTS[name].dense())
    return Optimize(AdaptOptions()).run(dense).model.to_bytes()


def nets() -> dict[str, Callable[[], bytes]]:
    """What makes each net."""
    made: dict[str, Callable[[], bytes]] = {}
    for width, size, zeros, block in FITTED:
        name = f"mobilenet_v1 {width:g} {size}, {zeros:.0%} zeros"
        name += f", blocks of {block}" if block > 1 else ""
        made[name] = functools.partial(mobilenet, width, size, zeros, block)
    for name in OTHERS:
        made[f"{name}, dense"] = SUBJECTS[name].dense
        made[f"{name}, optimized"] = functools.partial(_optimized, name)
    return made


def count() -> dict[str, Any]:
    """The instructions of all nets: of a run, and of each operator of XNNPACK in order."""
    rows: dict[str, dict[str, Any]] = {}
    for processor in PROCESSORS:
        counting = emulated(processor, counting=True)
        for name, make in nets().items():
            (profile,) = profile_many([make()], emulate=counting, timeout=600)
            assert profile.ok, profile.detail
            operators = [op.instructions for op in profile.operators if op.delegated]
            row = {"instructions": profile.instructions, "operators": operators}
            rows.setdefault(processor, {})[name] = row
    return {"runtime": f"LiteRT {LITERT}", "processors": rows}


Work = tuple[dict[str, float], int]
"""What an operator does that has a price, and the instructions of it."""


def _work(made: Plan, model: Model, row: dict[str, Any]) -> Iterator[Work]:
    """What each operator of a net does, and what was counted for it."""
    counted = row["operators"]
    if None in counted:
        # Of some nets the whole run is counted, but no operator by itself.
        return
    assert sum(len(op.executed) for op in made.operators) == len(counted), "count anew"
    filters = {each.operator: each for each in made.filters}
    order = [op.index for op in made.operators for _ in op.executed]
    total: Counter[int] = Counter()
    for index, number in zip(order, counted, strict=True):
        total[index] += number
    # What XNNPACK does not run is not counted by itself.
    others = [op.index for op in made.operators if op.disposition is Disposition.TFLITE]
    if len(others) == 1:
        total[others[0]] = row["instructions"] - sum(counted)
    for op in made.operators:
        work = amounts(op, model.main.operators[op.index], filters.get(op.index))
        if total[op.index] and work:
            yield work, total[op.index]


def fitted(rows: dict[str, list[Work]]) -> dict[str, float]:
    """The prices that fit best, kind of operator by kind, to operators of MobileNetV1 if it can."""
    kinds: dict[frozenset[str], tuple[list[Work], list[Work]]] = {}
    for net, works in rows.items():
        if net.startswith(HELD_OUT):
            continue
        for work, counted in works:
            first, others = kinds.setdefault(frozenset(work), ([], []))
            (first if net.startswith("mobilenet_v1") else others).append((work, counted))
    prices: dict[str, float] = {}
    for kind, (first, others) in kinds.items():
        names, chosen = sorted(kind), first or others
        # Relative errors; columns of like size.
        left = np.array([[work[name] / counted for name in names] for work, counted in chosen])
        scale = left.max(axis=0)
        best = fit(left / scale, np.ones(len(chosen))) / scale
        prices |= {name: float(price) for name, price in zip(names, best, strict=True)}
    return prices


def report(counts: dict[str, Any]) -> float:
    """Prints the fit, and how well the package's own prices do.

    Returns:
        The median of the shares by which estimates miss what was counted.
    """
    models = {name: Model.read(make()) for name, make in nets().items()}
    plans = {name: plan(model.main, "arm64") for name, model in models.items()}
    errors = []
    for processor, rows in counts["processors"].items():
        works = {name: list(_work(plans[name], models[name], row)) for name, row in rows.items()}
        prices = PRICES.get(processor, {})
        print(f"{counts['runtime']}, {processor}\n\n{'price':24} {'fitted':>8} {'package':>8}")
        for name, price in sorted(fitted(works).items()):
            print(f"{name:24} {price:8.3f} {prices.get(name, 0.0):8.3f}")
        print(f"\n{'millions of instructions':46} {'counted':>8} {'estimate':>8} {'off by':>7}")
        for name, row in rows.items():
            counted = row["instructions"]
            _, planned = instructions(plans[name], models[name].main, prices)
            errors.append(planned / counted - 1)
            print(f"{name:46} {counted / 1e6:8.1f} {planned / 1e6:8.1f} {errors[-1]:+7.1%}")
        print()
    off: list[float] = [abs(error) for error in errors]
    print(
        f"half of the estimates are off by {median(off):.1%} or less, the furthest {max(off):.1%}"
    )
    return float(median(off))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="the estimate of instructions on Arm")
    parser.add_argument("--count", action="store_true", help="count anew")
    if parser.parse_args().count:
        COUNTS.write_text(json.dumps(count()) + "\n", "utf-8")
    sys.exit(report(json.loads(COUNTS.read_text("utf-8"))) > FURTHEST)
