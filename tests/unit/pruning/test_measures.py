"""How near outputs are to those of the dense model, and when these are odd."""

from __future__ import annotations

import numpy as np
import pytest

from tflite_sparse.errors import UsageError
from tflite_sparse.pruning.judge import _named_alike, _numbers
from tflite_sparse.pruning.measures import degenerate, loss, margin_of, quality


def classes(*winners: int, of: int = 10):
    rows = np.full((len(winners), 1, of), 0.01, np.float32)
    rows[np.arange(len(winners)), 0, list(winners)] = 1
    rows /= rows.sum(axis=2, keepdims=True)
    return [{"classes": row} for row in rows]


def test_equal_outputs_agree_in_everything():
    runs = classes(1, 2, 3)
    found = quality(runs, runs)
    (output,) = found.outputs
    assert (output.top1, output.top5, output.kl, output.snr) == (1, 1, 0, None)
    assert output.cosine == pytest.approx(1)
    assert found.agreement == 1
    assert loss(runs, runs) == 0


def test_outputs_in_another_order_are_matched_by_their_names_and_renamed_ones_by_place():
    one, other = (np.full((1, 3), value, np.float32) for value in (1, 2))
    dense = [{"a": one, "b": other}]
    swapped, renamed = [{"b": other, "a": one}], [{"x": one, "y": other}]
    for pruned in (swapped, renamed):
        (run,) = _named_alike(dense, pruned)
        assert list(run) == ["a", "b"]
        assert run["a"] is one


def test_agreement_is_the_share_of_inputs_with_the_same_largest_value():
    found = quality(classes(1, 2, 3, 4), classes(1, 2, 3, 5))
    assert found.outputs[0].top1 == 0.75
    assert found.outputs[0].kl > 0
    assert loss(classes(1), classes(2)) > 1


def test_the_margin_of_an_agreement_is_wilsons_and_never_nothing():
    # 1.96 standard deviations: 210 of 250 lie between 78.95 and 88.03 %, 50 of 50 above 92.86 %.
    assert margin_of(210 / 250, 250) == pytest.approx(0.84 - 0.7895, abs=1e-3)
    assert margin_of(1, 50) == margin_of(0, 50) == pytest.approx(1 - 0.9286, abs=1e-3)
    assert margin_of(0.5, 10_000) == pytest.approx(0.0098, abs=1e-4)
    found = quality(classes(1, 2, 3, 4), classes(1, 2, 3, 5))
    assert found.margin == found.outputs[0].top1_margin == margin_of(0.75, 4)
    maps = [{"map": np.zeros((1, 8, 8, 3), np.float32)}]
    assert quality(maps, maps).margin is None


def test_fewer_than_a_hundred_inputs_give_a_rough_figure():
    for count, rough in ((99, True), (100, False)):
        runs = classes(*[1] * count)
        assert quality(runs, runs).is_rough is rough


def test_numbers_that_are_no_probabilities_are_made_some():
    logits = [{"logits": np.array([[3.0, -1.0, 0.5]], np.float32)}]
    shifted = [{"logits": logits[0]["logits"] + 7}]
    assert quality(logits, shifted).outputs[0].kl == pytest.approx(0, abs=1e-9)


def test_outputs_that_are_not_finite_are_numbers_that_json_has():
    runs = classes(1, 2)
    ruined = [runs[0], {"classes": np.full_like(runs[1]["classes"], np.nan)}]
    for dense, pruned in ((runs, ruined), (ruined, ruined)):
        assert quality(dense, pruned).outputs[0].cosine == pytest.approx(0.5)


def test_maps_have_no_classes():
    maps = [{"map": np.ones((1, 4, 4, 3), np.float32)}]
    output = quality(maps, [{"map": 2 * maps[0]["map"]}]).outputs[0]
    assert (output.top1, output.top5, output.kl) == (None, None, None)
    assert output.snr == pytest.approx(0)
    assert output.cosine == pytest.approx(1)
    assert quality(maps, maps).agreement is None


def test_probabilities_count_before_other_rows():
    dense = [{**run, "box": np.array([[1.0, 2.0]], np.float32)} for run in classes(1, 2)]
    pruned = [{**run, "box": np.array([[2.0, 1.0]], np.float32)} for run in classes(1, 2)]
    assert quality(dense, pruned).agreement == 1


def test_one_class_for_most_inputs_is_odd():
    assert degenerate(classes(*range(10), *range(10))) is None
    assert "puts 17 of 20 inputs into one class" in (degenerate(classes(*[1] * 17, 2, 3, 4)) or "")
    same = [{"map": np.zeros((1, 4, 4, 3), np.float32)}] * 3
    assert "the same for every input" in (degenerate(same) or "")
    bad = [{"map": np.full((1, 2), np.nan)}, {"map": np.zeros((1, 2))}]
    assert "not finite" in (degenerate(bad) or "")
    # Whether something is there has two classes, and may be so of all.
    assert degenerate(classes(*[1] * 19, 0, of=2)) is None


def test_a_metric_that_fails_is_told_as_the_users():
    def metric(outputs, inputs):
        raise KeyError("labels")

    with pytest.raises(UsageError, match="the metric fails: KeyError: 'labels'") as caught:
        _numbers(metric, [], [])
    assert "metric(outputs, inputs)" in str(caught.value)


def test_probabilities_that_are_not_finite_are_not_near():
    broken = [{"classes": np.full_like(run["classes"], np.nan)} for run in classes(1, 2)]
    assert loss(classes(1, 2), broken) == np.inf
