"""Functions of the library that take files say so where they are given anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

import tflite_sparse
from tflite_sparse.errors import UsageError

FILE = Path(__file__).parents[3] / "testdata" / "mobilenet_tiny_80.tflite"


@pytest.mark.parametrize(
    "call",
    [
        lambda model: tflite_sparse.verify(model, FILE),
        lambda _: tflite_sparse.verify(FILE, 3),
        lambda model: tflite_sparse.bench([model]),
        lambda _: tflite_sparse.bench(str(FILE)),
        tflite_sparse.bench,
        tflite_sparse.lint_models,
        lambda _: tflite_sparse.lint_models(None),
    ],
)
def test_a_model_in_place_of_a_file_is_an_error_that_says_so(call):
    with pytest.raises(UsageError, match=r"takes (files|a list of files)"):
        call(tflite_sparse.read(FILE))


def test_models_given_as_bytes_are_not_printed_with_a_verification():
    content = FILE.read_bytes()
    found = tflite_sparse.verify(content, content, backends=())
    assert (found.a, found.b) == ("a model in memory", "a model in memory")
