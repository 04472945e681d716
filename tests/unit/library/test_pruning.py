"""Pruning by keywords, of what can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

import tflite_sparse
from tflite_sparse.errors import UsageError

MODEL = Path(__file__).parents[3] / "testdata" / "mobilenet_tiny_80.tflite"


def test_a_path_and_a_share_are_enough_and_the_same_as_options() -> None:
    by_name = tflite_sparse.prune(str(MODEL), zeros=0.9)
    options = tflite_sparse.PruneOptions(zeros=0.9)
    by_options = tflite_sparse.prune(tflite_sparse.read(MODEL), options)
    assert by_name.report == by_options.report
    fewer = tflite_sparse.prune(MODEL, options, zeros=0.85).report
    assert fewer.zeros < by_name.report.zeros
    assert by_name.report.zeros >= round(0.9 * by_name.report.elements)


def test_a_mistyped_field_names_all_and_nothing_asked_says_what_to_ask() -> None:
    with pytest.raises(UsageError, match="PruneOptions has no field 'zeroes'"):
        tflite_sparse.prune(MODEL, zeroes=0.9)
    with pytest.raises(UsageError, match="how many weights become zero"):
        tflite_sparse.prune(MODEL)
