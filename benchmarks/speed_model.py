"""Measures what the estimate of speed rests on, in a real browser, and fits its prices to it.

usage: python -m benchmarks.speed_model [--measure MACHINE]

With --measure, MobileNetV1 nets at several shares of zeros run in headless Chromium on LiteRT.js,
one thread, and the times go to benchmarks/speed_model.json, beside those of other machines: what
else this one does, such as "at rest", tells it from them, with its processor and the date. Without
it the times that lie there are used. Either way the prices that fit those of each machine best are
printed beside those of `tflite_sparse.xnnpack.cost.prices`, and the estimate of each net beside its
time, then how far estimated gains of whole nets are from those that sweeps and conversions have
measured; it fails where the median of a machine or of a kind of nets is far off.

Machines differ by a factor, which the estimate of a gain does not depend on: fitted prices are
those of a machine that takes as long as the estimate says. They differ by more than that: how much
sparse products win depends on the processor and on what else uses its cache, so that prices lie
between machines. A browser on a busy machine is slow in bursts, so that a time is one that only a
tenth of the runs were faster than. The prices in the package are changed by hand.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.sweeps import BUILT, REAL
from benchmarks.swept import read, tables
from tests.end_to_end.adapted import converted
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
FURTHEST = 0.12
"""How far off the median of estimated gains may be."""
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


def measure(machine: str, runs: int) -> dict[str, Any]:
    """Times all nets in turn, on a machine that does what is said of it."""
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
        "processor": found.processor,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": machine,
        "runtime": found.runtime,
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
    """Prints the fit to the times of a machine and how well the package's own prices do.

    Returns:
        The share by which estimated gains miss measured ones, in the median.
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
    print(f"{times['processor']}, {times['date']}, {times['machine']}: {times['runtime']}")
    print(f"this machine takes {factor:.2f} times the estimate\n")
    print(f"{'price, ns':12} {'fitted':>8} {'package':>8}")
    for name, value in zip(PRICES, fitted, strict=True):
        print(f"{name:12} {value:8.4f} {getattr(COSTS[TARGET], name):8.4f}")
    print(f"\n{'net':>14} {'zeros':>6} {'block':>6} {'ms':>8} {'gain':>6} {'estimated gain':>15}")
    dense: dict[tuple[float, int], tuple[float, float]] = {}
    off = []
    for net, estimated_ms in zip(times["nets"], estimates, strict=True):
        key = (net["width"], net["size"])
        base = dense.setdefault(key, (net["p10_ms"], estimated_ms))
        gain, estimated_gain = base[0] / net["p10_ms"], base[1] / estimated_ms
        if net["zeros"]:
            off.append(estimated_gain / gain - 1)
        print(
            f"{net['width']:>8} {net['size']:>5} {net['zeros']:6.0%} {net['block']:6}"
            f" {net['p10_ms']:8.2f} {gain:6.2f} {estimated_gain:15.2f}"
        )
    print()
    return told("estimated gains", off)


def whole_nets() -> float:
    """Prints how far off estimated gains of whole nets are, by kind; the largest median."""
    nets = {net: found for net in (*REAL, *BUILT) if (found := read(net)) is not None}
    rows = json.loads(converted.JSON.read_text("utf-8")).values()
    ratios = [row["gain"] / row["web_ms"]["gain"] - 1 for row in rows if "web_ms" in row]
    return max(told("sweeps", tables(nets)[1]["Chromium"]), told("nets of converters", ratios))


def told(what: str, off: list[float]) -> float:
    """Prints by which shares estimates are off; the median of their sizes."""
    median = statistics.median(map(abs, off))
    print(
        f"{what}: {median:.1%} off in the median of {len(off)}, {max(map(abs, off)):.0%} at most,"
        f" {statistics.median(off):+.1%} with their sign"
    )
    return median


def main() -> None:
    """Measures if asked to, tells of every machine, and fails where estimates are far off."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--measure", metavar="MACHINE", help="what else the machine does")
    parser.add_argument("--runs", type=int, default=30)
    asked = parser.parse_args()
    machines = json.loads(TIMES.read_text("utf-8"))
    if asked.measure:
        machines.append(measure(asked.measure, asked.runs))
        TIMES.write_text(json.dumps(machines, indent=1) + "\n", "utf-8")
    medians = []
    for times in machines:
        medians.append(report(times))
        print()
    medians.append(whole_nets())
    sys.exit(max(medians) > FURTHEST)


if __name__ == "__main__":
    main()
