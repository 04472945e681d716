"""Latencies: a bar for each model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.html.svg.bars import time_bar
from tflite_sparse.report.html.views.bars import Bar, ticks
from tflite_sparse.report.text.bench import display_names
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from tflite_sparse.runtime.bench import Bench, BenchedModel

__all__ = ["BenchView", "bench_view"]


class BenchView(msgspec.Struct, frozen=True):
    """What was measured.

    Attributes:
        conditions: what ran the models, and how.
        bars: a bar for each model.
        scale: what stands under them.
    """

    conditions: str
    bars: tuple[Bar, ...]
    scale: tuple[str, ...]


def bench_view(bench: Bench) -> BenchView:
    """The results of a benchmark."""
    most = max((m.p90_ms or m.median_ms or 0.0 for m in bench.models), default=0.0) or 1.0
    names = display_names(bench)
    return BenchView(
        f"{readable(bench.runtime)}, {count_of(bench.threads, 'thread')},"
        f" {readable(bench.processor)}. Median of {count_of(bench.runs, 'run')} of each model"
        " in turn; the thin line goes from the 10th to the 90th percentile, and the share of the"
        " first is that of the 10th, which other work on the machine disturbs least.",
        tuple(
            _bar(readable(name), model, most, first=place == 0)
            for place, (name, model) in enumerate(zip(names, bench.models, strict=True))
        ),
        ticks(most, lambda ms: f"{ms:.3g} ms"),
    )


def _bar(name: str, model: BenchedModel, most: float, *, first: bool) -> Bar:
    if not model.ok or model.median_ms is None:
        return Bar(name, None, f"{model.status.replace('-', ' ')}: {readable(model.detail)}")
    value = f"{model.median_ms:.3g} ms"
    if model.ratio is not None and not first:
        value += f", {model.ratio:.2f} of the first"
    spread = (
        model.median_ms if model.p10_ms is None else model.p10_ms,
        model.median_ms if model.p90_ms is None else model.p90_ms,
    )
    kind = "b-first" if first else "b-other"
    return Bar(name, time_bar(kind, model.median_ms, spread, most, f"{name}: {value}"), value, name)
