"""A net that learns from scratch with zeros runs sparse, as was said while it learnt."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

import tflite_sparse
from tests.support.command import call
from tests.support.emulator import needs_emulator
from tests.support.litert import invoke
from tests.support.training.from_scratch import SHAPE, accuracy, learnt, split
from tests.support.training.nets import chain
from tests.support.training.sequential import converted
from tflite_sparse.errors import UsageError
from tflite_sparse.sweeping import sweep as engine
from tflite_sparse.training import MaskOptions

TABLE = Path(__file__).with_name("table.md")


@pytest.mark.slow
@needs_emulator
def test_what_was_learnt_with_zeros_runs_sparse_as_predicted(tmp_path):
    net, masks = learnt(MaskOptions(zeros=0.8, steps=100, every=10), 100, 0)
    report = masks.report()
    assert report.zeros == pytest.approx(0.8, abs=0.002)
    stripped = copy.deepcopy(masks.strip())
    assert accuracy(stripped, 0) > 0.5
    dense = converted(stripped, SHAPE)
    small = tflite_sparse.optimize(tflite_sparse.read(dense)).model
    for speed in report.speed:
        planned = tflite_sparse.plan(small.main, speed.target)
        assert planned.verdict.sparse_pointwise == speed.sparse == 4
    _, _, pictures, _ = split(0)
    feed = {small.main.inputs[0].name: pictures[:1].permute(0, 2, 3, 1).numpy()}
    (made,) = invoke(small.to_bytes(), feed).values()
    with torch.no_grad():
        np.testing.assert_allclose(made, net(pictures[:1]).numpy(), atol=1e-4)
    small.write(tmp_path / "small.tflite")
    done = call("profile", tmp_path / "small.tflite", "--emulate", "--against-plan", "--json")
    assert done.code == 0, done.err
    executed = done.document("profile")["profile"]
    assert executed["plan"]["agree"]
    assert sum(operator["sparse"] for operator in executed["operators"]) == 4


def test_the_recipe_of_a_sweep_goes_through_training_into_the_file_that_it_told_of(
    tmp_path, monkeypatch
):
    # From which share on it would pay is another question, which takes longer.
    monkeypatch.setattr(engine, "thresholds", lambda *_: ())
    swept = tflite_sparse.sweep(converted(chain(16).eval(), SHAPE), shares=(0.75,), resume=False)
    recipe = tmp_path / "recipe.json"
    swept.recipe(0.75).write(recipe)
    with pytest.raises(UsageError, match=r"0\.8 is no share that was looked at"):
        swept.recipe(0.8)
    net, _ = learnt(MaskOptions(recipe=str(recipe), steps=4, every=2), 4, 0)
    made = tflite_sparse.optimize(tflite_sparse.read(converted(net, SHAPE))).model
    for time in swept.points[1].times:
        planned = tflite_sparse.plan(made.main, time.target)
        assert planned.verdict.sparse_pointwise == time.sparse == 4
    assert len(made.to_bytes()) == pytest.approx(swept.points[1].sizes[0].bytes, rel=0.01)


def test_the_table_says_that_rigl_is_not_worse_than_fixed_masks():
    rows = {
        cells[0].strip(): [float(cell.split()[0]) for cell in cells[1:] if cell.strip()]
        for line in TABLE.read_text("utf-8").splitlines()
        if line.startswith("| ") and len(cells := line.strip("| \n").split("|")) > 2
        if "zeros" not in line
    }
    for fixed, moved in zip(rows["fixed masks"], rows["RigL"], strict=True):
        assert moved >= fixed
