"""Latencies for people."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from tflite_sparse.report.input_shapes import sizes_words
from tflite_sparse.report.names import constant_words, shorten
from tflite_sparse.report.signatures import left_out
from tflite_sparse.report.text.headings import labelled
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.runtime.compare_outputs import Bound
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import count_of, listing, size
from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from tflite_sparse.runtime.bench import Bench, BenchedModel

__all__ = ["bench_lines", "differing_words", "display_names"]


_NEAR = (
    "~: the largest difference of an output from the first model's, which adding up in another"
    " order explains"
)
_TIMES = ("median", "p10", "p90")
_INSTRUCTIONS = (
    "Instructions of one run, which are exact and are not time: memory and how many of them a"
    " processor does at once decide as well."
)


def display_names(bench: Bench) -> list[str]:
    """What to call the models: their file names, or their paths where file names repeat."""
    paths = [model.path for model in bench.models]
    names = [PurePath(path).name for path in paths]
    return names if len(set(names)) == len(names) else paths


def differing_words(bench: Bench) -> str:
    """Which models compute other numbers than the first, in a sentence; "" where none does."""
    names = [
        readable(n)
        for n, m in zip(display_names(bench), bench.models, strict=True)
        if m.within is False
    ]
    if not names:
        return ""
    verb = "computes" if len(names) == 1 else "compute"
    first = readable(display_names(bench)[0])
    return f"{listing(names)} {verb} other numbers than {first}"


def bench_lines(bench: Bench, width: int, *, pruned: bool = False) -> Iterator[Text | str]:
    """The lines of the report.

    Args:
        bench: what was measured.
        width: columns of the terminal.
        pruned: whether the other models are the first one with zeros, so that outputs may differ.
    """
    head = f"{bench.runtime}, {count_of(bench.threads, 'thread')}, {bench.processor}"
    yield from wrapped(head, width)
    counted = bench.where == "emulated"
    if counted:
        yield from wrapped(_INSTRUCTIONS, width)
    else:
        turns = (
            f"{count_of(bench.runs, 'run')} of each model in turn after {bench.warmup} to warm up"
        )
        yield from wrapped(f"{turns}; times in ms, ratio of p10", width)
    yield ""
    names = display_names(bench)
    columns = [
        Column("model", gives_way=True),
        Column("size", right=True),
        *(Column(name, right=True) for name in (("instructions",) if counted else _TIMES)),
        Column("ratio", right=True),
        Column("outputs"),
    ]
    rows = [
        [
            name,
            size(model.bytes),
            *([_millions(model)] if counted else _times(model)),
            "-" if model.ratio is None else f"{model.ratio:.2f}",
            _outputs(model, first=number == 0, constant=bool(bench.constant), pruned=pruned),
        ]
        for number, (model, name) in enumerate(zip(bench.models, names, strict=True))
    ]
    yield from table(columns, rows, width)
    if bench.constant and any(model.within for model in bench.models[1:]):
        yield ""
        yield from labelled("But", [constant_words(bench.constant)], width, style="yellow")
    if any(model.max_difference and model.within for model in bench.models[1:]):
        yield ""
        yield from wrapped(_NEAR, width, first="  ", rest="    ")
    yield from _busy(bench, names, width)
    notes = [
        (name, _note(model, pruned=pruned)) for model, name in zip(bench.models, names, strict=True)
    ]
    if any(note for _, note in notes):
        yield ""
    for name, note in notes:
        if note:
            line = f"{shorten(name, max(width // 2, 24))}: {note}"
            yield from wrapped(line, width, first="  ", rest="    ")


def _busy(bench: Bench, names: Sequence[str], width: int) -> Iterator[Text | str]:
    """That something else ran meanwhile, where times tell."""
    disturbed = [
        (name, model) for name, model in zip(names, bench.models, strict=True) if model.disturbed
    ]
    if not disturbed:
        return
    name, worst = max(disturbed, key=lambda each: (each[1].p90_ms or 0) / (each[1].p10_ms or 1))
    times = (worst.p90_ms or 0) / (worst.p10_ms or 1)
    yield ""
    called = shorten(readable(name), max(width // 2, 24))
    words = (
        f"the machine was busy: p90 of {called} is {times:.1f} times its p10. Repeat it at rest; of"
        " these times trust the ratio alone, which is that of the fastest runs"
    )
    yield from labelled("Note", [words], width, style="yellow")


def _note(model: BenchedModel, *, pruned: bool) -> str:
    """What there is to say about a model that failed, or that cannot be compared."""
    if not model.ok:
        return f"{model.status.replace('-', ' ')}: {model.detail}"
    noise = "" if pruned else _noise(model)
    return "; ".join(part for part in (model.comparison, noise, _how(model)) if part)


def _noise(model: BenchedModel) -> str:
    """How far the first model lies from itself, where that was measured."""
    if model.noise is None:
        return ""
    by = "on other kernels"
    if model.bound is not Bound.KERNELS:
        by = "with each weight moved by the smallest step that its numbers have"
    return f"the first model's own outputs lie {model.noise:.1e} apart {by}"


def _how(model: BenchedModel) -> str:
    """At which sizes it ran, and as what, where there is anything to say."""
    sizes = sizes_words(model.input_shapes, "run")
    parts = (sizes, model.note, left_out(model.untimed, "timed"))
    return "; ".join(part for part in parts if part)


def _millions(model: BenchedModel) -> str:
    return "-" if model.instructions is None else f"{model.instructions / 1e6:.1f} M"


def _times(model: BenchedModel) -> list[str]:
    return [_time(time) for time in (model.median_ms, model.p10_ms, model.p90_ms)]


def _time(milliseconds: float | None) -> str:
    """A time with three digits or so."""
    if milliseconds is None:
        return "-"
    return f"{milliseconds:.{1 if milliseconds >= 100 else 2 if milliseconds >= 10 else 3}f}"  # noqa: PLR2004 - digits


def _outputs(model: BenchedModel, *, first: bool, constant: bool, pruned: bool) -> str:
    """How its outputs lie to those of the first model."""
    if not model.ok:
        return "failed"
    if first:
        return ""
    if model.max_difference is None:
        return "not compared"
    if model.max_difference == 0:
        return "same, see below" if constant else "same"
    differ = "pruned, differ by" if pruned else "DIFFER by"
    sign = "~" if model.within else differ
    return f"{sign} {model.max_difference:.1e}"
