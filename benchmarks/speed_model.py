"""Measures what the estimate of speed rests on, in a real browser, and fits its prices to it.

usage: python -m benchmarks.speed_model [--measure]

With --measure, MobileNetV1 nets at several shares of zeros run in headless Chromium on LiteRT.js,
one thread, and the times go to benchmarks/speed_model.json. Without it the times that lie there are
used. Either way the prices that fit them best are printed beside those of
`tflite_sparse.xnnpack.cost.prices`, and the estimate of each net beside its time; it fails where an
estimated gain is far from the measured one.

Machines differ by a factor, which the estimate of a gain does not depend on: fitted prices are
those of a machine that takes as long as the estimate says. A browser on a busy machine is slow in
bursts, so that a time is one that only a tenth of the runs were faster than. The prices in the
package are changed by hand.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.weights import block_mask
from tflite_sparse.model import Model
from tflite_sparse.runtime.bench import bench
from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.cost.prices import COSTS
from tflite_sparse.xnnpack.plan import plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.support.nets.builder import Value
    from tflite_sparse.xnnpack.plan import Plan

TIMES = Path(__file__).with_name("speed_model.json")
TARGET = "wasm"
PRICES = ("dense", "depthwise", "sparse", "sparse_2", "sparse_4", "written")
FURTHEST = 0.25
# (width, size of the picture, share of zeros in the 1x1 filters, output channels a block of them)
NETS = [
    *((1.0, 224, zeros, 1) for zeros in (0.0, 0.7, 0.8, 0.9, 0.95)),
    *((0.5, 192, zeros, 1) for zeros in (0.0, 0.7, 0.8, 0.9, 0.95)),
    *((1.0, 224, zeros, block) for block in (2, 4) for zeros in (0.7, 0.8, 0.9)),
    *((0.5, 192, zeros, block) for block in (2, 4) for zeros in (0.7, 0.8, 0.9)),
]
# Channels and stride of each block of MobileNetV1.
BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)


def mobilenet(width: float, size: int, zeros: float, block: int = 1) -> bytes:
    """A MobileNetV1 that pads symmetrically and ends in MEAN, so that it can run sparse."""
    builder = ModelBuilder(seed=1)
    graph = builder.graph()

    def padded(x: Value, stride: int) -> tuple[Value, str]:
        return (graph.pad_spatial(x), "VALID") if stride > 1 else (x, "SAME")

    x, padding = padded(graph.input((1, size, size, 3)), 2)
    x = graph.conv2d(x, round(32 * width), 3, 2, padding, "RELU6")
    storage = "sparse" if zeros else "dense"
    for channels, stride in BLOCKS:
        x, padding = padded(x, stride)
        x = graph.depthwise(x, 3, stride, padding, "RELU6")
        outputs = round(channels * width)
        shape, blocks = (outputs, 1, 1, x.shape[3]), (block, 1, 1, 1)
        mask = None if block == 1 else block_mask(builder.rng, shape, blocks, zeros)
        x = graph.conv2d(x, outputs, zeros=zeros, mask=mask, storage=storage, activation="RELU6")
    graph.output(graph.fully_connected(graph.mean(x), 1000))
    return builder.build()


def measure(runs: int) -> dict[str, Any]:
    """Times all nets in turn."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, net in enumerate(NETS):
            path = Path(folder, f"{number}.tflite")
            path.write_bytes(mobilenet(*net))
            paths.append(str(path))
        found = bench(paths, where="web", runs=runs, warmup=5, timeout=600)
    rows = []
    for (width, size, zeros, block), model in zip(NETS, found.models, strict=True):
        assert model.ok, model.detail
        row: dict[str, float | None] = {"width": width, "size": size, "zeros": zeros}
        row["block"] = block
        row |= {"median_ms": model.median_ms, "p10_ms": model.p10_ms, "p90_ms": model.p90_ms}
        rows.append(row)
    return {
        "runtime": found.runtime,
        "processor": found.processor,
        "threads": found.threads,
        "runs": found.runs,
        "nets": rows,
    }


def features(made: Plan, model: Model) -> NDArray[np.float64]:
    """How much of each priced thing a net does: the columns of `PRICES`, then the fixed rest."""
    costs = COSTS[TARGET]
    counted = np.zeros(len(PRICES) + 1)
    zeros = {each.operator: each.zeros / (each.parameters or 1) for each in made.filters}
    for op in made.operators:
        if not op.executed:
            continue
        counted[-1] += costs.overhead
        outputs = model.subgraphs[0].operators[op.index].outputs
        elements = sum(math.prod(tensor.shape) for tensor in outputs)
        if op.kernel is not None:
            kernel = {2: "sparse_2", 4: "sparse_4"}.get(op.kernel, "sparse")
            counted[PRICES.index(kernel)] += op.macs * (1 - zeros.get(op.index, 0.0))
            counted[PRICES.index("written")] += elements
        elif op.name == "DEPTHWISE_CONV_2D":
            counted[PRICES.index("depthwise")] += op.macs
        elif op.macs:
            counted[PRICES.index("dense")] += op.macs
        else:
            counted[-1] += elements * costs.moved
    return counted


def fit(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least squares without negative prices: what would be negative costs nothing."""
    used = np.ones(left.shape[1], bool)
    while True:
        prices = np.zeros(left.shape[1])
        prices[used], *_ = np.linalg.lstsq(left[:, used], right, rcond=None)
        if (prices >= 0).all():
            return prices
        used &= prices > 0


def report(times: dict[str, Any]) -> float:
    """Prints the fit and how well the package's own prices do.

    Returns:
        The share by which the estimated gain that is furthest off misses the measured one.
    """
    rows, wanted, estimates = [], [], []
    for net in times["nets"]:
        model = Model.read(mobilenet(net["width"], net["size"], net["zeros"], net["block"]))
        made = plan(model.subgraphs[0], TARGET)
        rows.append(features(made, model))
        wanted.append(net["p10_ms"] * 1e6)
        estimated = estimate(made, model.subgraphs[0])
        assert estimated is not None
        estimates.append(estimated.planned_ms)
    counted, measured = np.array(rows), np.array(wanted)
    factor = float(np.median(measured / 1e6 / np.array(estimates)))
    measured /= factor
    # Relative errors, so that the small nets count as much as the large ones.
    left = counted[:, :-1] / measured[:, None]
    right = 1 - counted[:, -1] / measured
    fitted = fit(left, right)
    print(f"{times['runtime']}, {times['processor']}")
    print(f"this machine takes {factor:.2f} times the estimate\n")
    print(f"{'price, ns':12} {'fitted':>8} {'package':>8}")
    for name, value in zip(PRICES, fitted, strict=True):
        print(f"{name:12} {value:8.4f} {getattr(COSTS[TARGET], name):8.4f}")
    print(f"\n{'net':>14} {'zeros':>6} {'block':>6} {'ms':>8} {'gain':>6} {'estimated gain':>15}")
    dense: dict[tuple[float, int], tuple[float, float]] = {}
    worst = 0.0
    for net, estimated_ms in zip(times["nets"], estimates, strict=True):
        key = (net["width"], net["size"])
        base = dense.setdefault(key, (net["p10_ms"], estimated_ms))
        gain, estimated_gain = base[0] / net["p10_ms"], base[1] / estimated_ms
        worst = max(worst, gain / estimated_gain - 1, estimated_gain / gain - 1)
        print(
            f"{net['width']:>8} {net['size']:>5} {net['zeros']:6.0%} {net['block']:6}"
            f" {net['p10_ms']:8.2f} {gain:6.2f} {estimated_gain:15.2f}"
        )
    print(f"\nthe estimated gain that is furthest off misses by {worst:.0%}")
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--runs", type=int, default=30)
    chosen = parser.parse_args()
    if chosen.measure:
        TIMES.write_text(json.dumps(measure(chosen.runs), indent=1) + "\n", "utf-8")
    sys.exit(report(json.loads(TIMES.read_text("utf-8"))) > FURTHEST)
