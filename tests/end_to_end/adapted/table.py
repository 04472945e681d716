"""The table of adapted models: a JSON file with a row a model, and Markdown made from it.

    python -m tests.end_to_end.adapted.table

makes the page, and the table of the README, from the JSON file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tflite_sparse.words.numbers import rounded_percent

__all__ = ["JSON", "MARKDOWN", "README", "gain", "markdown", "read", "with_gains", "write"]

JSON = Path(__file__).with_name("recorded.json")
MARKDOWN = Path(__file__).parents[3] / "docs" / "adapted-models.md"
README = Path(__file__).parents[3] / "README.md"
_IN_README = {
    "MobileNetV1 1.0 224": "mobilenet_v1",
    "MobileNetV2 1.0 224": "mobilenet_v2",
    "MobileNetV3 Large 224": "mobilenet_v3_large",
    "EfficientNetB0 224": "efficientnet_b0",
    "SSD 256, six heads": "ssd",
    "DeepLab 224": "deeplab",
    "MediaPipe hand landmark, full": "hand_landmark_full",
    "MediaPipe pose landmark, heavy": "pose_landmark_heavy",
}

_HEAD = """# Adapted models, measured

Each model has zeros in 80 % of its 1x1 and fully connected weights, those of least magnitude, and
Google's own sparse ones those that they were trained with. *Before* is the model with sparse
weights and nothing else changed, *after* the same after `adapt`. Times are medians in milliseconds
in headless Chromium, one thread; the three take turns run by run. Differences are the largest of
any output, as a share of that output's largest value: on the dense path of a processor with AVX,
and on the sparse path, emulated. The gain is the median over the turns, in either order.
*1x1 sparse* counts 1x1 convolutions that run sparse, before and after, and how many the model had:
56 of 48 is no slip, for `adapt` writes some operators without a sparse form, such as a PAD of
channels, as 1x1 convolutions.

{runtime}

| model | outcome | sparse share of multiplications | 1x1 sparse | file | dense | sparse | adapted \
| gain | difference dense, sparse | why |
|---|---|---|---|---|---|---|---|---|---|---|
"""
_OUTCOMES = "wasm"


def read() -> dict[str, Any]:
    """What was recorded: "runtime", and "models" by name."""
    found: dict[str, Any] = {"runtime": "", "models": {}}
    if JSON.exists():
        found = json.loads(JSON.read_text("utf-8"))
    return found


def write(recorded: dict[str, Any]) -> None:
    """Writes both files, and what the README shows of them."""
    rows = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in recorded["models"].items()
    )
    runtime = json.dumps(recorded["runtime"])
    JSON.write_text(f'{{\n  "runtime": {runtime},\n  "models": {{\n{rows}\n  }}\n}}\n', "utf-8")
    MARKDOWN.write_text(markdown(recorded), "utf-8")
    README.write_text(with_gains(README.read_text("utf-8"), recorded), "utf-8")


def with_gains(text: str, recorded: dict[str, Any]) -> str:
    """The README with the times that are recorded.

    Raises:
        ValueError: it has no row, or several, for one of the models that it shows.
    """
    for label, name in _IN_README.items():
        times = recorded["models"][name]["web_ms"]
        row = f"| {label} | {times['dense']:.1f} | {times['adapted']:.1f} | {times['gain']:.1f} x |"
        text, rows = re.subn(rf"^\| {re.escape(label)} \| .* x \|$", row, text, flags=re.MULTILINE)
        if rows != 1:
            raise ValueError(f"{rows} rows of the README about {label}")
    return text


def gain(row: dict[str, Any]) -> float | None:
    """How many times faster than its dense twin the adapted model is in a browser."""
    found: float | None = row.get("web_ms", {}).get("gain")
    return found


def markdown(recorded: dict[str, Any]) -> str:
    """The table for people."""
    lines = [_line(name, row) for name, row in recorded["models"].items()]
    return _HEAD.format(runtime=recorded["runtime"]) + "\n".join(lines) + "\n"


def _line(name: str, row: dict[str, Any]) -> str:
    outcome, share, counts = row["outcome"][_OUTCOMES], row["sparse_macs"], row["sparse_pointwise"]
    times, difference, made = row.get("web_ms", {}), row.get("difference", {}), gain(row)
    cells = [
        name,
        f"{outcome['before']} → {outcome['after']}",
        f"{rounded_percent(share['before'])} → {rounded_percent(share['after'])}",
        f"{counts['before']} → {counts['after']} of {counts['of']}",
        rounded_percent(row["bytes"]["adapted"] / row["bytes"]["dense"]),
        *(_number(times.get(key)) for key in ("dense", "sparse", "adapted")),
        "-" if made is None else f"{made:.2f}",
        ", ".join(_number(difference.get(key)) for key in ("dense", "sparse")),
        row.get("failure") or row["why"],
    ]
    return "| " + " | ".join(cells) + " |"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


if __name__ == "__main__":
    write(read())
