"""Benchmarks read back from their documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tflite_sparse.errors import FileError
from tflite_sparse.report.json.bench import BenchReport, read_bench
from tflite_sparse.report.json.documents import document as document_of
from tflite_sparse.runtime.bench import Bench, BenchedModel


def result(**changes: Any) -> Bench:
    fine = BenchedModel(
        "a.tflite", 10, "ok", "", 1.5, 1.25, 2.0, 1.0, 0.0, True, "", (1.25, 1.5, 2.0)
    )
    failed = BenchedModel(
        "b.tflite", 10, "crashed", "gone", None, None, None, None, None, None, "it failed", ()
    )
    fields = {
        "where": "web",
        "runtime": "LiteRT.js",
        "processor": "a processor",
        "threads": 1,
        "runs": 3,
        "warmup": 0,
        "seed": 0,
        "models": (fine, failed),
    }
    return Bench(**{**fields, **changes})


def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(document_of(BenchReport(result()))))
    return made


def test_what_was_written_is_read() -> None:
    assert read_bench(json.dumps(document()), "bench.json") == result()


def broken(change: str) -> str:
    made = document()
    bench = made["bench"]
    changes: dict[str, Any] = {
        "no version": lambda: made.pop("schema_version"),
        "another version": lambda: made.update(schema_version=2),
        "no bench": lambda: made.pop("bench"),
        "a list": lambda: made.update(bench=[]),
        "no runs": lambda: bench.pop("runs"),
        "runs as text": lambda: bench.update(runs="3"),
        "runs as truth": lambda: bench.update(runs=True),
        "models as text": lambda: bench.update(models="ab"),
        "a model as text": lambda: bench["models"].append("a"),
        "a time as text": lambda: bench["models"][0].update(median_ms="1"),
        "a negative time": lambda: bench["models"][0].update(p10_ms=-1),
        "a run as text": lambda: bench["models"][0].update(milliseconds=["1"]),
        "a status of its own": lambda: bench["models"][0].update(status="fine"),
        "a path as number": lambda: bench["models"][0].update(path=1),
    }
    changes[change]()
    return json.dumps(made)


@pytest.mark.parametrize(
    "change",
    [
        "no version",
        "another version",
        "no bench",
        "a list",
        "no runs",
        "runs as text",
        "runs as truth",
        "models as text",
        "a model as text",
        "a time as text",
        "a negative time",
        "a run as text",
        "a status of its own",
        "a path as number",
    ],
)
def test_what_is_no_benchmark_is_refused_with_the_file_and_a_way_on(change: str) -> None:
    with pytest.raises(FileError, match=r"^bench\.json: no result of a benchmark: .*bench --json"):
        read_bench(broken(change), "bench.json")


@pytest.mark.parametrize(
    "text", ["", "nothing", "[1]", "null", "[" * 100_000, '{"bench": {"models": [NaN]}}']
)
def test_what_is_no_document_at_all_is_refused_too(text: str) -> None:
    with pytest.raises(FileError, match="no result of a benchmark"):
        read_bench(text, "bench.json")


def test_an_infinite_time_is_no_time() -> None:
    text = json.dumps(document()).replace("1.25", "Infinity")
    with pytest.raises(FileError, match="no result of a benchmark"):
        read_bench(text, "bench.json")
