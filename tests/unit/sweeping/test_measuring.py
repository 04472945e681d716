"""Files of a sweep are run a few at a time, each beside the dense one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from tests.support.reports.sweeps import made_up_sweep
from tflite_sparse.sweeping import measuring
from tflite_sparse.sweeping.result import Rival, RivalKind


@pytest.mark.parametrize(
    ("where", "groups", "runs"),
    [("web", [5, 4], True), ("web", [5, 4], False)],
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


def test_instructions_are_kept_and_not_counted_again_and_said_while_they_are(monkeypatch, tmp_path):
    asked, told = [], []

    def bench(paths, **_):
        if len(asked) == stop:
            raise KeyboardInterrupt
        names = [path.rpartition("/")[2] for path in paths]
        asked.append(names)
        models = [
            SimpleNamespace(instructions=1000 // n, detail="" if fails not in path else "no")
            for n, path in enumerate(names, 1)
        ]
        return SimpleNamespace(models=models)

    monkeypatch.setattr(measuring, "bench", bench)
    sweep = made_up_sweep(data=False)
    dense = replace(sweep.rivals[0], kind=RivalKind.DENSE_FP32)
    own = Rival(RivalKind.FILE, "mine", "mine.tflite", 1000, 900)
    rivals = (own, *sweep.rivals[:2], dense)

    def measured():
        asked.clear()
        told.clear()
        return measuring.measured(
            "folder", sweep.points, rivals, "emulated", str(tmp_path), lambda *t: told.append(t)
        )

    stop, fails = 1, "int8"
    with pytest.raises(KeyboardInterrupt):
        measured()
    (first,) = asked
    assert first[0] == "rival-dense-fp32.tflite"
    assert len(first) == 3
    stop = None
    points, others, how = measured()
    ran = [name for group in asked for name in group]
    assert len(ran) == len(set(ran)) == len(sweep.points) + len(rivals) - 2
    assert "rival-dense-fp32.tflite" not in ran
    assert others[-1].measured.gain == 1.0
    gains = [each.measured.gain * each.measured.instructions for each in (*points, *others)]
    assert gains == pytest.approx([1000] * len(gains))
    assert (how.where, how.runs) == ("emulated", 1)
    total = len(sweep.points) + len(rivals)
    assert told[0] == (2, total, "counting instructions")
    assert told[-1] == (total, total, "counting instructions")
    # A file of the user's may be another, and what failed may run now.
    measured()
    assert asked == [["mine.tflite", "rival-weights-int8.tflite"]]
