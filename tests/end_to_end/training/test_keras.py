"""Masks in Keras 3, on TensorFlow, in the environment of the peers."""

from __future__ import annotations

import pytest

from tests.support.peers.environments import ROOT, run_peer
from tests.support.training.examples import KERAS_STATE


@pytest.mark.slow
def test_zeros_hold_through_fit_and_the_example_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run_peer(ROOT / "tests" / "support" / "training" / "keras_example.py", tmp_path)
    assert (tmp_path / KERAS_STATE).exists()
