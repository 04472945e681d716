"""What is said of times: which model is how fast, and whether the machine was busy."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tflite_sparse.report.text.bench import bench_lines
from tflite_sparse.runtime.bench import Bench, BenchedModel

BUSY = "the machine was busy"


def timed(path: str, *times: float, dense: float | None = None) -> BenchedModel:
    ordered = sorted(times)
    low, middle, high = (ordered[round(q * (len(times) - 1))] for q in (0.1, 0.5, 0.9))
    ratio = low / (low if dense is None else dense)
    return BenchedModel(
        path, 10, "ok", "", middle, low, high, ratio, 0.0, True, "", tuple(times)
    )  # fmt: skip


def text(*models: BenchedModel, width: int = 100, pruned: bool = False) -> str:
    found = Bench("web", "LiteRT.js", "a processor", 1, len(models[0].milliseconds), 0, 0, models)
    lines = [str(line) for line in bench_lines(found, width, pruned=pruned)]
    assert max(map(len, lines)) <= width
    return " ".join(" ".join(lines).split())


def test_a_busy_machine_is_told_with_the_model_that_it_disturbed_most() -> None:
    dense = timed("dense.tflite", *[29.0] * 5, *[62.0] * 10, *[99.0] * 5)
    sparse = timed("sparse.tflite", *[8.5] * 17, *[18.0] * 3, dense=29.0)
    for width in (60, 100):
        said = text(dense, sparse, width=width)
        assert f"{BUSY}: p90 of dense.tflite is 3.4 times its p10. Repeat it at rest" in said
    assert "ratio of p10" in said
    # Of the fastest runs, where that of the medians would be 0.14.
    assert "0.29 same" in said


@pytest.mark.parametrize(
    "times",
    [
        [10.0] * 15 + [19.0] * 5,
        [0.2] * 10 + [0.9] * 10,  # runs of less than a millisecond are uneven by themselves
        [10.0, 30.0, 40.0],  # too few to tell
        [10.0] * 19 + [90.0],  # one that was late
    ],
)
def test_runs_that_are_only_uneven_are_no_busy_machine(times: list[float]) -> None:
    assert BUSY not in text(timed("dense.tflite", *times))


def test_a_difference_that_is_allowed_is_explained_where_there_is_one() -> None:
    dense = timed("dense.tflite", *[10.0] * 20)
    near = replace(timed("near.tflite", *[5.0] * 20, dense=10.0), max_difference=7.5e-9)
    said = text(dense, near)
    assert "~ 7.5e-09" in said
    assert "~: the largest difference of an output from the first model's" in said
    assert "~:" not in text(dense, replace(near, max_difference=0.0))
    assert "~:" not in text(dense, replace(near, within=False))


def test_a_pruned_model_is_no_alarm_and_another_is() -> None:
    dense = timed("dense.tflite", *[10.0] * 20)
    other = replace(
        timed("other.tflite", *[5.0] * 20, dense=10.0),
        max_difference=0.25, within=False, noise=1e-7,
    )  # fmt: skip
    said = text(dense, other)
    assert "DIFFER by 2.5e-01" in said
    assert "own outputs lie" in said
    meant = text(dense, other, pruned=True)
    assert "pruned, differ by 2.5e-01" in meant
    assert "own outputs lie" not in meant
