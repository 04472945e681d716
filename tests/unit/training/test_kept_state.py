"""The state of masks in a file."""

from __future__ import annotations

import numpy as np
import pytest

from tflite_sparse.errors import FileError, UsageError
from tflite_sparse.training.kept_state import read_state, write_state

TRAINING = {"block": 1, "shares": {"a": 0.5}}
STATE = {"kept": {"a": np.eye(8) > 0, "b/c": np.ones(300) > 0}, "first": {"a": 0.0}, "complete": 4}


def test_a_state_comes_back(tmp_path):
    write_state(tmp_path / "state", TRAINING, 7, STATE)
    step, state = read_state(tmp_path / "state", TRAINING)
    assert (step, state["first"], state["complete"]) == (7, {"a": 0.0}, 4)
    assert [*state["kept"]] == ["a", "b/c"]
    assert all(np.array_equal(state["kept"][name], mask) for name, mask in STATE["kept"].items())
    with pytest.raises(UsageError, match="another training: block"):
        read_state(tmp_path / "state", {**TRAINING, "block": 2})


def test_what_is_no_state_or_was_cut_short_is_told_so(tmp_path):
    path = tmp_path / "state"
    with pytest.raises(FileError, match="no such file"):
        read_state(path, TRAINING)
    write_state(path, TRAINING, 7, STATE)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[60:90] = bytes(30)
    for content in (b"", whole[: len(whole) // 2], bytes(flipped), b"words"):
        path.write_bytes(content)
        with pytest.raises(FileError, match=r"state: no readable \.npz file"):
            read_state(path, TRAINING)
    for arrays in ({}, {"about": np.zeros(3, np.uint8)}):
        with path.open("wb") as file:
            np.savez(file, **arrays)
        with pytest.raises(FileError, match="holds no state of masks"):
            read_state(path, TRAINING)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(FileError, match="holds no state of masks"):
        read_state(path, TRAINING)
