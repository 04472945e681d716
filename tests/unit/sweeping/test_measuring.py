"""Files of a sweep are run a few at a time, each beside the dense one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from tests.support.reports.sweeps import made_up_sweep
from tflite_sparse.sweeping import measuring
from tflite_sparse.sweeping.result import RivalKind


@pytest.mark.parametrize(
    ("where", "groups", "runs"),
    [("web", [5, 4], True), ("web", [5, 4], False), ("emulated", [8], True)],
)
def test_a_few_files_at_a_time_run_beside_the_dense_one(monkeypatch, where, groups, runs):
    asked = []

    def bench(paths, **_):
        asked.append([path.rpartition("/")[2] for path in paths])
        # The machine is slower while the first of them run.
        pace = 13.0 if len(asked) == 1 and where == "web" else 10.0
        models = [
            SimpleNamespace(
                p10_ms=pace / n, instructions=None, ratio=1 / n if runs else None, detail=path
            )
            for n, path in enumerate(paths, 1)
        ]
        return SimpleNamespace(models=models, runtime="LiteRT.js", processor="x86-64", runs=30)

    monkeypatch.setattr(measuring, "bench", bench)
    monkeypatch.setattr(measuring, "_processor", lambda _: None)
    sweep = made_up_sweep(data=False)
    dense = replace(sweep.rivals[0], kind=RivalKind.DENSE_FP32)
    rivals = (*sweep.rivals, dense)
    points, measured, how = measuring.measured("folder", sweep.points, rivals, where)
    assert [len(group) for group in asked] == groups
    assert {group[0] for group in asked} == {"rival-dense-fp32.tflite"}
    files = [path for group in asked for path in group[1:]]
    assert len(files) == len(set(files)) == len(sweep.points) + 2
    for each in points:
        name = "own" if each.asked is None else f"{each.asked:.6f}"
        assert each.measured.detail == f"folder/{name}.tflite"
    # What could not be made is not run; the dense one is the measure.
    assert [each.measured is None for each in measured] == [False, False, True, False]
    assert measured[-1].measured.gain == (1.0 if runs else None)
    # Times of all groups are those beside one time of the dense model.
    dense = measured[-1].measured.ms
    assert dense == 10.0
    for each in (*points, *measured[:2]):
        ran = each.measured
        assert ran.ms * ran.gain == pytest.approx(dense) if runs else ran.gain is None
    assert how.where == where
