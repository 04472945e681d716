"""The plan names the operators that LiteRT executes for every real model of the tests."""

from __future__ import annotations

import pytest

from tests.support.emulator import needs_emulator
from tests.support.real_models import all_real_models, real_model
from tflite_sparse.model import Model
from tflite_sparse.runtime.litert.driver import profile
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

# Has custom operators that LiteRT does not come with.
UNRUNNABLE = {"face_landmark_with_attention"}
SPARSE = {
    "face_detection_full_range_sparse": (48, 48),
    "face_detection_full_range_sparse_mediapipe": (48, 48),
    "pose_detection": (38, 44),
}


@needs_emulator
@pytest.mark.parametrize("name", sorted(set(all_real_models()) - UNRUNNABLE))
def test_executed_operators_are_those_predicted(name: str) -> None:
    path = real_model(name)
    made = plan(Model.read(path).subgraphs[0], "x86-noavx")
    found = profile(path, runs=1, emulate=True, timeout=300)
    assert found.ok, found.detail
    assert found.delegated == made.executed
    assert made.outcome is (Outcome.SPARSE if name in SPARSE else Outcome.DENSE)


@pytest.mark.parametrize(("name", "counts"), SPARSE.items())
def test_sparse_convolutions_of_the_models_that_google_has_published(
    name: str, counts: tuple[int, int]
) -> None:
    verdict = plan(Model.read(real_model(name)).subgraphs[0], "arm64").verdict
    assert (verdict.sparse_pointwise, verdict.pointwise) == counts


@pytest.mark.parametrize("name", all_real_models())
def test_every_real_model_can_be_planned_for_avx(name: str) -> None:
    made = plan(Model.read(real_model(name)).subgraphs[0], "x86-avx")
    # An app brings the custom operators of some of them.
    assert made.verdict.elsewhere is Outcome.DENSE
    assert not any("NCHW" in operator for operator in made.executed)
