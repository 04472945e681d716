"""Counts instructions on emulated Arm processors, and fits the estimate of them.

usage: python -m benchmarks.arm64.estimate [--count [NET ...]]

With --count, all nets or those of a name run on LiteRT's build for 64-bit Arm under qemu
(`tflite-sparse runtime install arm64`), and the instructions of every operator go to
benchmarks/arm64/estimate.json. Without it the prices that fit best are printed beside those of
`tflite_sparse.xnnpack.cost.instruction_prices`, and the estimate of each net beside what was
counted; it fails where half of them are further off than 5 %. Prices are fitted to MobileNetV1;
those of kernels that it does not have to MobileNetV2, MobileNetV3, EfficientNet, a narrow
MobileNetV1 and convolutions to a few channels; none to the hand landmark net and a narrow
MobileNetV2. They are changed by hand.
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
from tests.support.architectures import build
from tests.support.nets.builder import ModelBuilder
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
    from collections.abc import Callable, Iterator, Sequence

    from tflite_sparse.xnnpack.plan import Plan

COUNTS = Path(__file__).with_name("estimate.json")
PROCESSORS = ("cortex-a76", "cortex-a53")
FURTHEST = 0.05
# (width, size of the picture, share of zeros in the 1x1 filters, output channels a block of them)
FITTED = (
    *((1.0, 224, *rest) for rest in ((0.0, 1), (0.8, 1), (0.9, 1), (0.8, 2), (0.8, 4))),
    *((0.5, 192, *rest) for rest in ((0.0, 1), (0.7, 1), (0.9, 1), (0.9, 2), (0.9, 4))),
)
HELD_OUT = ("hand_landmark_full", "narrow mobilenet_v2")
OTHERS = ("mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", HELD_OUT[0])
# 0.35 times as many channels, most of them no multiple of 8, on 96 x 96 pixels.
NARROW = ("mobilenet_v1", "mobilenet_v2")
FEW = (1, 2, 3, 4, 7)
"""Output channels of the 3x3 convolutions in a net that has nothing else."""


def _optimized(dense: Callable[[], bytes]) -> bytes:
    return Optimize(AdaptOptions()).run(Model.read(dense())).model.to_bytes()


def _few_channels() -> bytes:
    """3x3 convolutions of one picture to a few channels each, in a window and in a large one."""
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    picture = graph.input((1, 24, 24, 16))
    for channels in FEW:
        graph.output(graph.conv2d(picture, channels, 3))
    for channels in (12, 13):
        # Depthwise, in windows larger than 3x3, of channels that are no multiple of 8.
        graph.output(graph.depthwise(graph.conv2d(picture, channels, 3), 5))
    return builder.build()


def nets() -> dict[str, Callable[[], bytes]]:
    """What makes each net."""
    made: dict[str, Callable[[], bytes]] = {}
    for width, size, zeros, block in FITTED:
        name = f"mobilenet_v1 {width:g} {size}, {zeros:.0%} zeros"
        name += f", blocks of {block}" if block > 1 else ""
        made[name] = functools.partial(mobilenet, width, size, zeros, block)
    others = {name: SUBJECTS[name].dense for name in OTHERS}
    narrow = {f"narrow {name}": functools.partial(build, name, small=True) for name in NARROW}
    for name, dense in (others | narrow).items():
        made[f"{name}, dense"] = dense
        made[f"{name}, optimized"] = functools.partial(_optimized, dense)
    made["convolutions to a few channels"] = _few_channels
    return made


def count(names: Sequence[str], rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The instructions of nets: of a run, and of each operator of XNNPACK in order.

    Args:
        names: words that the names of nets begin with; none for all nets.
        rows: what is known of the others, by processor.
    """
    for processor in PROCESSORS:
        counting = emulated(processor, counting=True)
        for name, make in nets().items():
            if names and not name.startswith(tuple(names)):
                continue
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
    """The prices that fit best, kind of operator by kind, to operators of MobileNetV1 if it can.

    What is left over of operators that do more than others has prices of its own.
    """
    kinds: dict[frozenset[str], tuple[list[Work], list[Work]]] = {}
    for net, works in rows.items():
        if net.startswith(HELD_OUT):
            continue
        for work, counted in works:
            first, others = kinds.setdefault(frozenset(work), ([], []))
            (first if net.startswith("mobilenet_v1") else others).append((work, counted))
    prices: dict[str, float] = {}
    for kind in sorted(kinds, key=len):
        first, others = kinds[kind]
        names, chosen = sorted(kind - prices.keys()), first or others
        if not names:
            continue
        # Relative errors; columns of like size.
        left = np.array([[work[name] / counted for name in names] for work, counted in chosen])
        rest = np.array(
            [
                1 - sum(work[name] * prices[name] for name in kind & prices.keys()) / counted
                for work, counted in chosen
            ]
        )
        scale = left.max(axis=0)
        best = fit(left / scale, rest) / scale
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
    parser.add_argument("--count", nargs="*", metavar="NET", help="count these anew, or all")
    asked = parser.parse_args().count
    if asked is not None:
        before = json.loads(COUNTS.read_text("utf-8"))["processors"] if asked else {}
        COUNTS.write_text(json.dumps(count(asked, before)) + "\n", "utf-8")
    sys.exit(report(json.loads(COUNTS.read_text("utf-8"))) > FURTHEST)
