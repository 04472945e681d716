"""`tflite-sparse optimize` on a real model, held against what LiteRT executes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.end_to_end.adapted.subjects import masked
from tests.support.command import call
from tests.support.emulator import needs_emulator
from tests.support.outputs import outputs
from tests.support.real_models import real_model
from tflite_sparse.runtime.litert.driver import profile_many

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def hand(tmp_path_factory) -> Path:
    """The real hand landmark model with 80 % of its 1x1 weights zero."""
    path = tmp_path_factory.mktemp("hand") / "hand.tflite"
    path.write_bytes(masked(real_model("hand_landmark_full").read_bytes()))
    return path


@needs_emulator
def test_a_real_model_becomes_small_and_sparse_and_computes_the_same(hand, tmp_path):
    fast = tmp_path / "fast.tflite"
    done = call("optimize", hand, "-o", fast, "--json")
    assert done.code == 0
    told = done.document("rewrite")
    assert told["kind"] == "optimize"
    assert told["adaptation"]["done"]
    assert told["sizes"]["after"] <= told["sizes"]["before"] / 2
    (arm,) = (view for view in told["adaptation"]["outlook"] if view["target"] == "arm64")
    assert (arm["before"], arm["after"]) == ("dense", "sparse")
    (profile,) = profile_many([fast.read_bytes()], emulate=True)
    assert sum(op.sparse for op in profile.operators) == arm["sparse_after"] == arm["pointwise"]
    before, after = outputs(hand.read_bytes(), fast.read_bytes(), emulated=True)
    for a, b in zip(before, after, strict=True):
        assert np.abs(a - b).max() <= 1e-5 * np.abs(a).max()
    assert (
        call("verify", hand, fast, "--outputs-only", "--rtol", "1e-4", "--atol", "1e-4").code == 0
    )
    # Weights are others, which the whole comparison says.
    assert call("verify", hand, fast, "--weights-only").code == 1
