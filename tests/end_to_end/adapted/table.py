"""The table of adapted models: a JSON file with a row a model, and Markdown made from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tflite_sparse.words.numbers import rounded_percent

__all__ = ["JSON", "MARKDOWN", "gain", "markdown", "read", "write"]

JSON = Path(__file__).with_name("recorded.json")
MARKDOWN = Path(__file__).parents[3] / "docs" / "adapted-models.md"

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
    """Writes both files."""
    rows = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in recorded["models"].items()
    )
    runtime = json.dumps(recorded["runtime"])
    JSON.write_text(f'{{\n  "runtime": {runtime},\n  "models": {{\n{rows}\n  }}\n}}\n', "utf-8")
    MARKDOWN.write_text(markdown(recorded), "utf-8")


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
