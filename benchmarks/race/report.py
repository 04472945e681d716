"""The results of the race as Markdown."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from benchmarks.race.parts import LEAST, OURS, PEER
from benchmarks.race.results import (
    BEFORE,
    FLOOR,
    IMPORTS,
    LARGE,
    SMALL,
    Results,
    mib,
    seconds,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["render"]

FLOORS, FASTER = 1.8, 25


def render(found: Results) -> str:
    """The page."""
    parts = [_head(found)]
    if found.sparsify:
        parts += [_sparsify(found), _memory_and_size(found)]
        parts += [_before(found)] if found.revision else []
    optional = (
        (found.sizes, _unchanged),
        (found.inspect, _inspect),
        (found.libraries, _libraries),
        (found.browser, _browser),
    )
    parts += [section(found) for measured, section in optional if measured]
    return "\n".join(parts)


def _head(found: Results) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    return f"""# The race

Made by `python -m benchmarks.race`. {found.machine}.
{versions}.

Every ratio stands on runs that took turns, round by round, on the same machine; times are medians,
with the fastest and the slowest run in brackets. The load of the machine was
{" and ".join(found.loads)} at the start and at the end (1.0 is one busy core); what others do on it
lengthens wall times on both sides. Processor time is that of all threads.
"""


def _sparsify(found: Results) -> str:
    rows = []
    for name, runs in found.sparsify.items():
        ours, peer = runs[OURS], runs[PEER]
        rows.append(
            (
                name,
                seconds(ours.seconds),
                seconds(peer.seconds),
                f"{peer.median / ours.median:.1f} x",
                f"{min(peer.seconds) / min(ours.seconds):.1f} x",
                f"{peer.median_cpu / ours.median_cpu:.1f} x",
            )
        )
    floor = "; ".join(f"{name} {seconds(m.seconds)}" for name, m in found.floor.items())
    return f"""## sparsify, from the shell

`tflite-sparse sparsify MODEL -o OUT` against `tensorflow.lite.python.convert.mlir_sparsify`, the
path of the TensorFlow wheel from file to file, in a Python process of its own that does nothing
else. Goals: {SMALL} in at most {FLOORS} times the time in which Python starts and imports
{FLOOR}; {LARGE} {FASTER} times faster than TensorFlow.

{
        table(
            (
                "model",
                "tflite-sparse",
                "TensorFlow",
                "faster (medians)",
                "faster (fastest runs)",
                "less processor time",
            ),
            rows,
        )
    }
Starting Python and importing what the tool cannot do without takes, in turns of their own:
{floor}.
{_reached(found)}
"""


def _reached(found: Results) -> str:
    """A line for each goal that was measured: what it is and what was reached."""
    lines = []
    if SMALL in found.sparsify and FLOOR in found.floor:
        floors = found.sparsify[SMALL][OURS].median / found.floor[FLOOR].median
        lines.append(f"- {SMALL}: {floors:.1f} times that start (goal: at most {FLOORS}).")
        if IMPORTS in found.floor:
            share = found.floor[IMPORTS].median / found.floor[FLOOR].median
            lines.append(
                f"  With {IMPORTS} imported and nothing run it is {share:.1f} times already."
            )
    if LARGE in found.sparsify:
        faster = found.sparsify[LARGE][PEER].median / found.sparsify[LARGE][OURS].median
        lines.append(f"- {LARGE}: {faster:.1f} times faster (goal: at least {FASTER}).")
        if LEAST in found.least:
            most = found.sparsify[LARGE][PEER].median / found.least[LEAST].median
            lines.append(
                f"  {LEAST.capitalize()}, which finds what is not zero, writes it with its column"
                f" and proves nothing, takes {seconds(found.least[LEAST].seconds)}:"
                f" {most:.1f} times faster."
            )
    return "\n".join(["", *lines]) if lines else ""


def _memory_and_size(found: Results) -> str:
    rows = []
    for name, runs in found.sparsify.items():
        ours, peer = runs[OURS], runs[PEER]
        rows.append(
            (
                name,
                mib(ours.peak),
                mib(peer.peak),
                f"1/{peer.peak / ours.peak:.1f}",
                f"{ours.size:,}",
                f"{peer.size:,}",
                f"{100 * (ours.size - peer.size) / peer.size:+.1f} %",
            )
        )
    columns = (
        "model",
        "tflite-sparse, MiB",
        "TensorFlow, MiB",
        "memory",
        "file, bytes",
        "TensorFlow's file",
        "size",
    )
    return f"""### Peak memory and size

Memory is the largest resident set of the process, as the system counts it, mapped files included.
Goals: an eighth of the memory, never a larger file, and 3 % less where index width allows it.

{table(columns, rows)}"""


def _before(found: Results) -> str:
    rows = [
        (
            name,
            seconds(runs[BEFORE].seconds),
            seconds(runs[OURS].seconds),
            f"{runs[BEFORE].median_cpu:.2f} s",
            f"{runs[OURS].median_cpu:.2f} s",
            mib(runs[BEFORE].peak),
            mib(runs[OURS].peak),
        )
        for name, runs in found.sparsify.items()
        if BEFORE in runs
    ]
    columns = (
        "model",
        "before",
        "now",
        "processor time before",
        "now",
        "memory before, MiB",
        "now",
    )
    return f"""### Before and after

Against revision {found.revision}, in the same turns. Since then: a command imports no module that
only others need, and makes its data classes in a third of the time; the process ends without taking
the interpreter down, and starts no threads for matrices; whether the result is right is asked
without a whole plan; the result is laid out once instead of twice; weights are read once less;
blocks that smaller ones rule out are not counted; the next large weight is encoded while one is
written, two are proved at a time, and small files are compressed meanwhile; pages of mapped files
are let go. The bytes written are the same.

{table(columns, rows)}"""


def _unchanged(found: Results) -> str:
    rows = [
        (
            entry.name,
            f"{entry.before:,}",
            f"{entry.ours:,}",
            f"{entry.peer:,}",
            f"{entry.peer - entry.before:+,}",
        )
        for entry in found.sizes
    ]
    return f"""### Where there is nothing to store sparse

`sparsify` leaves such a file as it is, byte for byte. `mlir_sparsify` writes it anew in any case:
it renumbers tensors, gives each a buffer of its own, merges equal constants, adds metadata, and
loses files that were appended to the model (the zip of TFLite Metadata). Its result is larger or
smaller by what that makes.

{
        table(
            ("model", "bytes", "tflite-sparse", "TensorFlow", "TensorFlow against before"),
            rows,
        )
    }"""


def _inspect(found: Results) -> str:
    rows = []
    for name, runs in found.inspect.items():
        ours = runs[OURS]
        for peer, measured in runs.items():
            if peer in {OURS, BEFORE}:
                continue
            rows.append(
                (
                    name,
                    peer,
                    seconds(ours.seconds),
                    seconds(measured.seconds),
                    f"{measured.median / ours.median:.1f} x",
                    f"1/{measured.peak / ours.peak:.1f}",
                )
            )
    columns = ("model", "peer", "tflite-sparse", "the peer", "faster", "memory")
    return f"""## inspect, from the shell

`tflite-sparse inspect MODEL` counts all zeros, prices encodings, and says what XNNPACK will do on
six kinds of processors. Nearest to it are `tf.lite.experimental.Analyzer`, which lists operators
and tensors and counts no zeros, and a script that counts zeros through TensorFlow's interpreter.

{table(columns, rows)}"""


def _libraries(found: Results) -> str:
    rows = []
    for work, times in found.libraries["codec"].items():
        ours = times[OURS]
        rows += [
            (work, peer, seconds(ours), seconds(theirs), _ratio(theirs, ours))
            for peer, theirs in times.items()
            if peer != OURS
        ]
    for model, works in found.libraries["files"].items():
        rows += [
            (
                f"{work} {model}",
                "object API",
                seconds(times[OURS]),
                seconds(times["object API"]),
                _ratio(times["object API"], times[OURS]),
            )
            for work, times in works.items()
        ]
    columns = ("work", "peer", "tflite-sparse", "the peer", "faster")
    return f"""## The library, in one process

Encoding and decoding a matrix ({found.libraries["matrix"]}) against scipy and the format converter
in the LiteRT wheel, which gives its result as lists of Python numbers and cannot be given a sparse
tensor from Python; reading and writing files against the flatbuffers object API of that wheel,
which reads no data outside the flatbuffer and takes no notice of appended files.

{table(columns, rows)}"""


def _ratio(theirs: Sequence[float], ours: Sequence[float]) -> str:
    return f"{statistics.median(theirs) / statistics.median(ours):.1f} x"


def _browser(found: Results) -> str:
    rows: list[tuple[str, ...]] = []
    runtime = ""
    for name, bench in found.browser.items():
        runtime = bench.runtime
        dense = bench.models[0]
        for form, model in zip(("dense", "tflite-sparse", "TensorFlow"), bench.models, strict=True):
            if model.median_ms is None or dense.median_ms is None:
                rows.append((name, form, f"{model.bytes:,}", model.status, "", ""))
                continue
            rows.append(
                (
                    name,
                    form,
                    f"{model.bytes:,}",
                    f"{model.median_ms:.1f} ms ({model.p10_ms:.1f}-{model.p90_ms:.1f})",
                    f"{dense.median_ms / model.median_ms:.2f} x",
                    f"{model.max_difference:.1e}",
                )
            )
    columns = ("model", "stored", "bytes", "latency", "faster than dense", "largest difference")
    return f"""## Speed in the browser

`tflite-sparse bench DENSE OURS THEIRS --on web`, one thread, models in turn, on
{runtime}.
The brackets hold the tenth of the runs that was fastest and the tenth that was slowest.

{table(columns, rows)}"""
