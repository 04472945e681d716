"""Latencies on the page: a bar for each model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.html.markup import Markup, el, svg_number
from tflite_sparse.report.text.bench import display_names
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from tflite_sparse.runtime.bench import Bench, BenchedModel

__all__ = ["bench_section"]

_WIDE = 1000


def bench_section(bench: Bench) -> Markup:
    """The section with the results of a benchmark."""
    most = max((m.p90_ms or m.median_ms or 0.0 for m in bench.models), default=0.0) or 1.0
    names = display_names(bench)
    return el(
        "section",
        el("h2", "Measured", id="bench"),
        el(
            "p",
            f"{readable(bench.runtime)}, {count_of(bench.threads, 'thread')},"
            f" {readable(bench.processor)}. Median of {count_of(bench.runs, 'run')} of each model"
            " in turn; the thin line goes from the 10th to the 90th percentile.",
            class_="faint",
        ),
        el(
            "div",
            [
                _row(readable(name), model, most, first=place == 0)
                for place, (name, model) in enumerate(zip(names, bench.models, strict=True))
            ],
            class_="bars wide",
        ),
        class_="card",
        aria_labelledby="bench",
    )


def _row(name: str, model: BenchedModel, most: float, *, first: bool) -> Markup:
    if not model.ok or model.median_ms is None:
        value = f"{model.status.replace('-', ' ')}: {readable(model.detail)}"
        return el(
            "div",
            el("span", name, class_="bar-name"),
            el("span", value, class_="bar-value bad"),
            class_="bar-row failed",
        )
    value = f"{model.median_ms:.3g} ms"
    if model.ratio is not None and not first:
        value += f", {model.ratio:.2f} of the first"
    low, high = (
        _WIDE * (found if found is not None else model.median_ms) / most
        for found in (model.p10_ms, model.p90_ms)
    )
    width = svg_number(_WIDE * model.median_ms / most)
    return el(
        "div",
        el("span", name, class_="bar-name", title=name),
        el(
            "svg",
            el("rect", width=width, height=16, class_="b-first" if first else "b-other"),
            el(
                "rect",
                x=svg_number(low),
                y=7,
                width=svg_number(max(high - low, 1)),
                height=2,
                class_="spread",
            ),
            viewBox=f"0 0 {_WIDE} 16",
            preserveAspectRatio="none",
            class_="stack thin",
            role="img",
            aria_label=f"{name}: {value}",
        ),
        el("span", value, class_="bar-value"),
        class_="bar-row",
    )
