"""LiteRT's benchmark_model: how it is called, and what it prints.

Source: the tool's README and tensorflow/lite/profiling/profile_summarizer.cc, which makes the table
of operators.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, cast

from tflite_sparse.errors import UsageError
from tflite_sparse.runtime.observations import ExecutedOperator
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.runtime.adb.device import Answer
    from tflite_sparse.runtime.inputs import InputSpec
    from tflite_sparse.runtime.observations import Status

__all__ = ["Run", "arguments", "executed", "run_of"]

_SUMMARY = re.compile(r"Inference timings in us:.*\bInference \(avg\): (?P<average>[\d.e+]+)")
_OPERATORS = "Operator-wise Profiling Info for Regular Benchmark Runs"
_ORDER = re.compile(r"=+ Run Order =+")
_LOADING = re.compile(
    r"Failed to (?:load|mmap|construct|allocate|build|apply|initialize)", re.IGNORECASE
)
_COLUMNS = frozenset({"[node type]", "[avg ms]", "[Name]"})
_DELEGATED = re.compile(r"Delegate/(?P<name>.*):(?P<index>\d+)$")
_IN_SUBGRAPH = re.compile(r":(?P<index>\d+)$")
# A line that a log puts in front of.
_SEVERITY = re.compile(r"^(?:INFO|WARNING|ERROR|VERBOSE): ?")
_SIGNALS = 128


class Run(NamedTuple):
    """What one call of the tool measured.

    Attributes:
        status: how the model fared.
        detail: what went wrong; "" for nothing.
        milliseconds: the mean time of its counted runs; None where it did not run.
    """

    status: Status
    detail: str
    milliseconds: float | None


def arguments(
    graph: str,
    *,
    runs: int,
    warmup: int,
    threads: int,
    seconds: float,
    resized: Sequence[tuple[str, InputSpec]] = (),
    operators: bool = False,
) -> list[str]:
    """The arguments of a call that makes so many runs and no more.

    Args:
        graph: the model, on the device.
        runs: counted runs.
        warmup: runs before those.
        threads: how many threads.
        seconds: after which the tool stops by itself.
        resized: the inputs with their names in the file, where the model leaves sizes open.
        operators: whether to time every operator too.

    Raises:
        UsageError: the tool cannot be told of an input with such a name.
    """
    given = [
        f"--graph={graph}",
        f"--num_threads={threads}",
        f"--num_runs={runs}",
        f"--warmup_runs={warmup}",
        # It goes on until some time has passed, unless told not to.
        "--min_secs=0",
        "--warmup_min_secs=0",
        f"--max_secs={seconds:g}",
    ]
    if resized:
        for name, spec in resized:
            if "," in name or not name:
                raise UsageError(
                    f"benchmark_model cannot be told of an input called {readable(spec.name)}",
                    hint="fix its sizes first: optimize --input-shape",
                )
        shapes = [",".join(map(str, spec.shape)) for _, spec in resized]
        given.append(f"--input_layer={','.join(name for name, _ in resized)}")
        given.append(f"--input_layer_shape={':'.join(shapes)}")
    if operators:
        given.append("--enable_op_profiling=true")
    return given


def run_of(answer: Answer, seconds: float) -> Run:
    """What a call measured.

    Args:
        answer: what came of it.
        seconds: how long it was waited for.
    """
    if answer.code is None:
        return Run("timed-out", f"not done after {seconds:g} s", None)
    summary = _SUMMARY.search(answer.text)
    if answer.code == 0 and summary is not None:
        return Run("ok", "", float(summary["average"]) / 1000)
    detail = _reason(answer.text)
    if answer.code > _SIGNALS:
        signal = f"signal {answer.code - _SIGNALS}"
        return Run("crashed", f"{signal}: {detail}" if detail else signal, None)
    status = "load-failure" if _LOADING.search(answer.text) else "run-failure"
    return Run(cast("Status", status), detail or f"exit code {answer.code}", None)


def _reason(text: str) -> str:
    """The line of the output that says most of what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    chosen = (errors or lines or [""])[-1]
    return readable(_SEVERITY.sub("", chosen))


def executed(text: str) -> tuple[ExecutedOperator, ...]:
    """The operators with their mean times, in the order of their runs.

    Args:
        text: what the tool printed when it was asked for them.

    Returns:
        Nothing where it printed no table of them.
    """
    _, heading, rest = text.partition(_OPERATORS)
    order = _ORDER.search(rest)
    if not heading or order is None:
        return ()
    lines = [_SEVERITY.sub("", line) for line in rest[order.end() :].split("\n")]
    rows: list[dict[str, str]] = []
    columns: list[str] = []
    for line in lines:
        cells = [cell.strip() for cell in line.split("\t") if cell.strip()]
        if _COLUMNS.issubset(cells):
            columns = cells
        elif len(cells) == len(columns) and columns:
            rows.append(dict(zip(columns, cells, strict=True)))
        elif rows:
            break
    return _operators(rows)


def _operators(rows: list[dict[str, str]]) -> tuple[ExecutedOperator, ...]:
    operators: list[ExecutedOperator] = []
    inside = any(_DELEGATED.match(row["[Name]"]) for row in rows)
    partition = -1
    previous: int | None = None
    for row in rows:
        delegated = _DELEGATED.match(row["[Name]"])
        microseconds = float(row["[avg ms]"]) * 1000
        if delegated is not None:
            index = int(delegated["index"])
            if previous is None or index <= previous:
                partition += 1
            previous = index
            operators.append(
                ExecutedOperator(readable(delegated["name"]), microseconds, True, index, partition)
            )
            continue
        if inside and row["[node type]"].startswith("TfLiteXNNPackDelegate"):
            # Its time is that of the operators in it, which are there one by one.
            previous = None
            continue
        previous = None
        number = _IN_SUBGRAPH.search(row["[Name]"])
        operators.append(
            ExecutedOperator(
                readable(row["[node type]"]),
                microseconds,
                False,
                int(number["index"]) if number else len(operators),
                None,
            )
        )
    return tuple(operators)
