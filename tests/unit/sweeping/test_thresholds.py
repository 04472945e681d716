"""From which share on something holds: on a line between points, or searched for."""

from __future__ import annotations

import math

import pytest

from tflite_sparse.cli.sweeping.asked import parse_shares
from tflite_sparse.sweeping.result import PredictedTime, SweepPoint
from tflite_sparse.sweeping.thresholds import thresholds
from tflite_sparse.xnnpack.plan_types import Outcome

DENSE = 10.0


def model(step: float, slope: float):
    """Predicts a net that runs sparse from a share on, and then loses time with every zero."""

    def look(share: float) -> SweepPoint:
        sparse = share >= step
        ms = DENSE * (1.6 - slope * share) if sparse else DENSE
        outcome = Outcome.SPARSE if sparse else Outcome.DENSE
        time = PredictedTime("wasm", outcome, 5, 5 * sparse, DENSE, ms, DENSE / ms)
        # Whole values become zero, so that there are a few more than were asked for.
        zeros = math.ceil(share * 3000 - 1e-9)
        return SweepPoint(share, zeros, 3000, sparse, None, (), (time,), ())

    return look


@pytest.mark.parametrize("step", [0.3, 0.6, 0.667, 0.7321, 0.9])
@pytest.mark.parametrize("slope", [0.5, 1.0, 1.5])
def test_thresholds_are_right_to_a_hundredth(step: float, slope: float) -> None:
    look = model(step, slope)
    asked = []

    def counted(share: float) -> SweepPoint:
        asked.append(share)
        assert len(asked) < 20
        return look(share)

    points = [look(share) for share in (0.0, 0.5, 0.67, 0.8, 0.95)]
    (found,) = thresholds(points, ["wasm"], 0.6671, counted)
    assert found.sparse_from == pytest.approx(step, abs=0.01)
    for gain, share in ((1.0, found.faster_from), (2.0, found.twice_from)):
        right = max(step, (1.6 - 1 / gain) / slope)
        if right >= 0.95:
            assert share is None
        else:
            assert share == pytest.approx(right, abs=0.01)
    assert len(asked) <= 14


def test_what_never_runs_sparse_has_no_thresholds() -> None:
    look = model(2.0, 1.0)
    points = [look(share) for share in (0.0, 0.9)]
    (found,) = thresholds(points, ["wasm"], 0.667, look)
    assert (found.sparse_from, found.faster_from, found.twice_from) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("70,80,90", (0.7, 0.8, 0.9)),
        ("0.7, 0.8", (0.7, 0.8)),
        ("70%", (0.7,)),
        ("60..80:10", (0.6, 0.7, 0.8)),
        ("0..10", (0.0, 0.05, 0.1)),
        ("90,80..90", (0.8, 0.85, 0.9)),
        ("99.5", (0.995,)),
    ],
)
def test_shares_as_people_write_them(text: str, shares: tuple[float, ...]) -> None:
    assert parse_shares(text) == shares
