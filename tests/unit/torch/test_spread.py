"""What an error in an output counts while a model is trained."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("torch")

import torch

from tflite_sparse.torch.training.spread import error, spreads

BOXES, SCORES, OTHERS = 1, 2, 3
PEAKS = torch.zeros(32, 50, 1, dtype=torch.bool)
PEAKS[torch.arange(32), torch.arange(32) % 50] = True


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def spread_of(outputs):
    dense = SimpleNamespace(run=lambda _, numbers: {n: outputs[n] for n in numbers})
    first = next(iter(outputs.values()))
    return spreads(dense, [*outputs], lambda: [(first,)])


def error_of(number, got, outputs):
    return float(error(number, got, outputs, spread_of(outputs)))


def detector():
    """Boxes and scores of 50 places, one of which has something in each sample."""
    scores = noise(32, 50, 1) - 6
    scores[PEAKS] += 8
    return {BOXES: 10 * noise(32, 50, 4, seed=1), SCORES: scores}


@pytest.mark.parametrize("constant", [100.0, 0.0])
def test_that_an_output_varies_counts_beside_a_large_constant_as_without(constant):
    wanted = {BOXES: constant + noise(64, 8)}
    halfway = constant + 0.5 * noise(64, 8)
    without = error_of(BOXES, torch.full((64, 8), constant), wanted)
    least = 0.45 if constant else 0.85
    assert least < without < 1
    assert error_of(BOXES, halfway, wanted) == pytest.approx(without / 4, rel=0.01)


def test_an_output_that_never_varies_has_a_finite_error():
    wanted = {BOXES: torch.ones(64, 8)}
    assert error_of(BOXES, torch.ones(64, 8), wanted) == 0
    assert 0 < error_of(BOXES, 1 + 0.01 * noise(64, 8), wanted) < 2
    assert error_of(BOXES, torch.zeros(64), {BOXES: torch.zeros(64)}) == 0


def test_an_error_where_a_score_is_unlike_the_others_counts_more_than_elsewhere():
    outputs = detector()
    there = error_of(SCORES, outputs[SCORES] - 4.0 * PEAKS, outputs)
    elsewhere = error_of(SCORES, outputs[SCORES] - 4.0 * PEAKS.roll(1, 1), outputs)
    assert there > 20 * elsewhere


def test_places_that_are_all_of_a_kind_count_about_alike():
    outputs = {SCORES: noise(32, 50, 1) - 6}
    there = error_of(SCORES, outputs[SCORES] - 4.0 * PEAKS, outputs)
    elsewhere = error_of(SCORES, outputs[SCORES] - 4.0 * PEAKS.roll(1, 1), outputs)
    assert there == pytest.approx(elsewhere, rel=0.5)


def test_boxes_count_by_the_scores_of_the_same_places():
    outputs = detector()
    there = error_of(BOXES, outputs[BOXES] + 4.0 * PEAKS, outputs)
    elsewhere = error_of(BOXES, outputs[BOXES] + 4.0 * PEAKS.roll(1, 1), outputs)
    assert there > 20 * elsewhere


def test_outputs_of_other_places_do_not_count_by_them():
    outputs = detector() | {OTHERS: noise(32, 49, 4, seed=2)}
    spread = spread_of(outputs)
    assert [spread[number].counted_by for number in outputs] == [SCORES, SCORES, OTHERS]


def test_an_output_without_places_counts_all_samples_alike():
    spread = spread_of({BOXES: noise(64, 8), SCORES: noise(64, 1, 8)})
    assert [spread[number].counted_by for number in spread] == [None, None]


def test_the_error_does_not_depend_on_the_unit_of_an_output():
    outputs = detector()
    in_other_units = {number: 1000 * values for number, values in outputs.items()}
    off = noise(32, 50, 1, seed=3)
    one = error_of(SCORES, outputs[SCORES] + off, outputs)
    other = error_of(SCORES, in_other_units[SCORES] + 1000 * off, in_other_units)
    assert one == pytest.approx(other, rel=1e-3)
