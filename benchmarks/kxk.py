"""Measures the sparse forms of KxK convolutions in a real browser, beside what their prices say.

usage: python -m benchmarks.kxk [--measure | --missing]

With --measure, small nets of four equal convolutions run in headless Chromium on LiteRT.js, one
thread, dense and in each form, in turn; the times go to benchmarks/kxk.json. With --missing only
those are run that have no times yet. Either way the table of docs/kxk.md is made anew. It fails
where what is taken is much slower than another form, or than the dense net.

A time is one that only a tenth of the runs were faster than: a browser on a busy machine is slow in
bursts.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.nets.small_nets import build, entry, head
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.context import Context
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.kxk.build import build_by_taps, build_separable
from tflite_sparse.rewrite.adapt.kxk.lines import build_by_lines
from tflite_sparse.rewrite.adapt.kxk.price import KxkForm, kxk_price, separable_windows
from tflite_sparse.rewrite.adapt.kxk.taps import taps_of
from tflite_sparse.rewrite.adapt.passes.registry import PASSES
from tflite_sparse.rewrite.adapt.window import AS_IT_IS
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.runtime.bench import bench

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.model import Operator

TIMES = Path(__file__).with_name("kxk.json")
PAGE = Path(__file__).parents[1] / "docs" / "kxk.md"
BEGIN, END = "<!-- grid: python -m benchmarks.kxk -->", "<!-- end of grid -->"
COUNT = 4
RUNS = 20
# How much slower the form that is taken may be than the other.
SLOWER = 1.2
# (height and width of the map, channels, kernel, stride, share of zeros)
GRID = [
    *((56, 64, 3, 1, zeros) for zeros in (0.7, 0.8, 0.9)),
    *((28, 128, 3, 1, zeros) for zeros in (0.7, 0.8, 0.9)),
    *((14, 256, 3, 1, zeros) for zeros in (0.7, 0.8, 0.9)),
    *((7, 512, 3, 1, zeros) for zeros in (0.7, 0.8, 0.9)),
    *((28, 128, 5, 1, zeros) for zeros in (0.8, 0.9)),
    *((28, 128, 3, 2, zeros) for zeros in (0.8, 0.9)),
    # Maps that do not stay in the cache, beside those that just do.
    *((size, 64, 3, 1, 0.8) for size in (112, 128, 144)),
    *((size, 32, 3, 1, 0.8) for size in (112, 224)),
    (80, 128, 3, 1, 0.8),
]
_POINT = ("size", "channels", "kernel", "stride", "zeros")
BUILDERS = {
    KxkForm.TAPS: build_by_taps,
    KxkForm.LINES: build_by_lines,
    KxkForm.SEPARABLE: build_separable,
}


def net(size: int, channels: int, kernel: int, stride: int, zeros: float) -> bytes:
    """A stem and four equal convolutions; with a stride they read the same map and share shifts."""

    def make(graph: GraphBuilder) -> Value:
        x = entry(graph, (2 * size, 2 * size), channels)
        if stride == 1:
            for _ in range(COUNT):
                x = graph.conv2d(x, channels, kernel, zeros=zeros)
            return head(graph, x)
        x = graph.pad_spatial(x, (kernel // 2, kernel // 2))
        options: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": "VALID"}
        options["zeros"] = zeros
        total = graph.conv2d(x, channels, **options)
        for _ in range(COUNT - 1):
            total = graph.binary("ADD", total, graph.conv2d(x, channels, **options))
        return head(graph, total)

    return build(make)


def wide(model: Model, kernel: int) -> list[Operator]:
    """The convolutions that are measured: all with the kernel but the stem."""
    shapes = ((op, op.inputs[1]) for op in model.operators() if op.name == "CONV_2D")
    return [op for op, filt in shapes if filt and filt.shape[1] == kernel and filt.shape[3] > 3]


def formed(data: bytes, kernel: int, form: KxkForm) -> bytes | None:
    """A net with its convolutions in a form, stored sparse; None where that does not fit."""
    model = Model.read(data)
    editor = Editor(model.main)
    context = Context(editor, AS_IT_IS, frozenset(PASSES))
    for operator in wide(model, kernel):
        taps = taps_of(operator, AS_IT_IS)
        if form is KxkForm.SEPARABLE and separable_windows(taps) is None:
            return None
        if form is KxkForm.LINES and taps[0].rows.stride != 1:
            return None
        BUILDERS[form](operator, context)
    editor.sweep()
    return sparsify(model).model.to_bytes()


def measured(folder: Path, grid: list[tuple[int, int, int, int, float]]) -> list[dict[str, Any]]:
    """Runs a grid; one row for each point."""
    rows = []
    for size, channels, kernel, stride, zeros in grid:
        data = net(size, channels, kernel, stride, zeros)
        files = {"dense": data}
        files |= {
            form.value: result
            for form in KxkForm
            if (result := formed(data, kernel, form)) is not None
        }
        paths = []
        for name, content in files.items():
            paths.append(folder / f"{name}.tflite")
            paths[-1].write_bytes(content)
        benched = bench([str(path) for path in paths], where="web", runs=RUNS, timeout=600)
        times = {m.path.rpartition("/")[2][:-7]: m.p10_ms for m in benched.models}
        largest = max(m.max_difference or 0.0 for m in benched.models)
        row = {"size": size, "channels": channels, "kernel": kernel, "stride": stride}
        rows.append({**row, "zeros": zeros, "ms": times, "difference": largest})
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def table(rows: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The table as Markdown, and the rows whose form is the slower one by far."""
    forms = " | ".join(form.value for form in KxkForm)
    lines = [
        f"| kernel, stride | map | zeros | dense, ms | {forms} | taken |",
        f"|---|---|---:|---:|{'---:|' * len(KxkForm)}---|",
    ]
    wrong = []
    for row in rows:
        data = net(row["size"], row["channels"], row["kernel"], row["stride"], row["zeros"])
        price = kxk_price(wide(Model.read(data), row["kernel"])[0], AS_IT_IS)
        taken = "dense"
        if price is not None and price.cost < price.dense_cost:
            taken = price.form.value
        dense = row["ms"]["dense"]
        ratios = {name: ms / dense for name, ms in row["ms"].items() if name != "dense"}
        size, channels = row["size"], row["channels"]
        cells = (f"{ratios[f.value]:.2f}" if f.value in ratios else "" for f in KxkForm)
        lines.append(
            f"| {row['kernel']}x{row['kernel']}, {row['stride']} | {size}x{size}x{channels}"
            f" | {100 * row['zeros']:.0f} % | {dense:.1f} | {' | '.join(cells)} | {taken} |"
        )
        if taken in ratios and ratios[taken] > min(1.0, SLOWER * min(ratios.values())):
            wrong.append(lines[-1])
    return "\n".join(lines), wrong


def main() -> None:
    """Measures if asked to, writes the table, and fails where the price is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--measure", action="store_true", help="run the grid in a browser")
    parser.add_argument("--missing", action="store_true", help="run what has no times yet")
    asked = parser.parse_args()
    if asked.measure or asked.missing:
        rows = json.loads(TIMES.read_text("utf-8")) if asked.missing else []
        known = {tuple(row[key] for key in _POINT) for row in rows}
        with tempfile.TemporaryDirectory() as folder:
            rows += measured(Path(folder), [point for point in GRID if point not in known])
        TIMES.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    text, wrong = table(json.loads(TIMES.read_text("utf-8")))
    page = PAGE.read_text("utf-8")
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")
    if wrong:
        raise SystemExit(
            "what is taken is much slower than another form or the dense net:\n" + "\n".join(wrong)
        )


if __name__ == "__main__":
    main()
