"""A sweep, and what zeros would win, as text: small numbers stay numbers, and no size is lost."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from tests.support.reports.sweeps import made_up_sweep
from tflite_sparse.inspection.if_pruned_types import IfPruned
from tflite_sparse.pruning.measures import Quality, quality
from tflite_sparse.report.sweep.text import _measured, _table, sweep_lines
from tflite_sparse.report.text.zeros.if_pruned import _filters
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.sweeping.result import MeasuredTime, StoredSize


def test_times_of_small_models_have_digits() -> None:
    assert _measured(MeasuredTime(0.0421, None, 1.2, "")) == "0.0421 ms (1.20)"
    assert _measured(MeasuredTime(12.34, None, None, "")) == "12.3 ms"
    assert _measured(MeasuredTime(None, 1_234_567, 1.5, "")) == "1.23 M (1.50)"
    assert _measured(MeasuredTime(None, 1_234_567_890, None, "")) == "1235 M"


def test_a_rival_keeps_its_size_beside_points_of_one_size() -> None:
    sweep = made_up_sweep()
    sizes = tuple(StoredSize(values, 2**20, 2**19) for values in StoredValues)
    sweep = replace(sweep, points=tuple(replace(p, sizes=sizes) for p in sweep.points))
    columns, rows = _table(sweep)
    place = [column.title for column in columns].index("fp16")
    assert next(row for row in rows if row[0] == "dense fp16")[place] == "2.0 MiB"


def test_filters_that_are_worked_out_are_not_all_1x1() -> None:
    point = IfPruned(0.8, "wasm", 1.1, 1000, 52, as_it_is=False)
    assert _filters(point) == "52 1x1 filters"
    assert _filters(replace(point, worked_out=True)) == "52 filters"


def test_a_quality_that_proves_nothing_is_not_shown_as_one() -> None:
    sweep = made_up_sweep()
    assert any(row[-1].endswith("%") for row in _table(sweep)[1])
    doubted = Quality(8, (), warning="output 'out' is the same for every input")
    points = tuple(replace(point, quality=doubted) for point in sweep.points)
    sweep = replace(sweep, points=points)
    assert {row[-1] for row in _table(sweep)[1][: len(points)]} == {"?"}
    text = " ".join(" ".join(str(line).split()) for line in sweep_lines(sweep, 80))
    assert "Warning output 'out' is the same for every input" in text


def test_a_sweep_says_how_sure_its_agreement_is_and_where_that_is_rough() -> None:
    sweep = made_up_sweep()
    few = quality(*[[{"classes": np.array([[0.2, 0.8]], np.float32)}] * 99] * 2)
    enough = quality(*[[{"classes": np.array([[0.2, 0.8]], np.float32)}] * 100] * 2)
    for judged, rough in ((few, True), (enough, False)):
        points = tuple(replace(point, quality=judged) for point in sweep.points)
        lines = sweep_lines(replace(sweep, points=points, rivals=()), 80)
        text = " ".join(" ".join(str(line).split()) for line in lines)
        assert "answer; ±3.7 points at most (95 % margin)" in text
        assert ("99 inputs held out give a rough figure of quality" in text) is rough


def test_instructions_are_shown_where_no_target_has_times() -> None:
    sweep = made_up_sweep()
    assert "wasm ms" in [column.title for column in _table(sweep)[0]]
    counted = replace(sweep.dense.time("arm64"), dense_instructions=3e6, instructions=2e6)
    only = tuple(replace(point, times=(counted,)) for point in sweep.points)
    columns, rows = _table(replace(sweep, points=only, rivals=(), targets=("arm64",)))
    titles = [column.title for column in columns]
    place = titles.index("fewer")
    assert titles[place - 1] == "arm64 M"
    assert rows[0][place - 1 : place + 1] == ["2", "1.50"]
