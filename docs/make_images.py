"""Makes the pictures of the documentation: python docs/make_images.py.

Each is the real output of a command, drawn as a terminal.
"""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from tflite_sparse.inspection.graph_edges import graph_edges
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.inspection.next_step import next_step
from tflite_sparse.model import Model
from tflite_sparse.report.text.inspection import graph_report_lines, summary_lines
from tflite_sparse.xnnpack.releases.targets import target

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 80


def picture(name: str, command: str, model: str, *, graph: bool = False) -> None:
    """Draws what `tflite-sparse inspect` says of a model, or its graph."""
    opened = Model.read((ROOT / model).read_bytes(), Path(model).name)
    inspection = inspect(opened, targets=[target("arm64")])
    lines = (
        graph_report_lines(inspection, graph_edges(opened), WIDTH)
        if graph
        else summary_lines(inspection, next_step(inspection), WIDTH)
    )
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False, markup=False)
    console.print(f"$ {command}", style="bold")
    for line in lines:
        console.print(line, overflow="ignore", no_wrap=True, crop=False)
    svg = console.export_svg(title="tflite-sparse", theme=MONOKAI, unique_id=name)
    # Fonts are those of the reader: nothing is fetched from the network.
    start, end = svg.index("@font-face"), svg.rindex("@font-face")
    end = svg.index("}", end) + 1
    target_file = ROOT / "docs" / "images" / f"{name}.svg"
    target_file.parent.mkdir(exist_ok=True)
    target_file.write_text(svg[:start] + svg[end:], "utf-8")


if __name__ == "__main__":
    picture(
        "inspect",
        "tflite-sparse inspect mobilenet_tiny_80_same.tflite --target arm64",
        "testdata/mobilenet_tiny_80_same.tflite",
    )
    picture(
        "graph",
        "tflite-sparse inspect --graph mobilenet_tiny_80_same.tflite --target arm64",
        "testdata/mobilenet_tiny_80_same.tflite",
        graph=True,
    )
