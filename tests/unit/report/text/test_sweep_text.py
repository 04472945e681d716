"""A sweep, and what zeros would win, as text: small numbers stay numbers, and no size is lost."""

from __future__ import annotations

from msgspec.structs import replace

from tests.support.reports.sweeps import made_up_sweep
from tflite_sparse.inspection.if_pruned_types import IfPruned
from tflite_sparse.report.sweep.text import _measured, _table
from tflite_sparse.report.text.zeros.if_pruned import _filters
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.sweeping.result import MeasuredTime, StoredSize


def test_times_of_small_models_have_digits() -> None:
    assert _measured(MeasuredTime(0.0421, None, 1.2, "")) == "0.0421 (1.20)"
    assert _measured(MeasuredTime(12.34, None, None, "")) == "12.3"


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
