"""The targets that options name."""

from __future__ import annotations

from tflite_sparse.cli.targets import targets_of


def test_a_target_that_is_named_twice_counts_once():
    assert [target.name for target in targets_of(["wasm", "wasm"], None) or ()] == ["wasm"]
