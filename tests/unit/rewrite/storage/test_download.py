"""`optimize` leaves int8 weights dense where the download would grow and nothing gets faster."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.inspection.next_step import next_step
from tflite_sparse.model import Model
from tflite_sparse.report.verdict import verdicts
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.storage.options import SparsifyOptions

if TYPE_CHECKING:
    from tflite_sparse.rewrite.changes import Rewrite


def int8_net(zeros: float, storage: str = "int8", *, channels: int = 128) -> bytes:
    """A pruned net of int8 throughout, or with int8 weights only ("int8" on float maps)."""
    builder = ModelBuilder(seed=1)
    g = builder.graph()
    x = g.conv2d(g.input((1, 64, 64, 3), "INT8", scale=0.05), 32, 3, 2, "SAME", storage="int8")
    for _ in range(3):
        x = g.depthwise(x, storage="int8")
        x = g.conv2d(x, channels, zeros=zeros, storage=storage)
    g.output(g.mean(x))
    return builder.build()


def packed(result: Rewrite) -> int:
    file = io.BytesIO()
    save(result, file)
    return len(gzip.compress(file.getvalue(), 6))


@pytest.mark.parametrize("zeros", [0.5, 0.7, 0.8, 0.9, 0.97])
def test_the_download_of_an_int8_model_does_not_grow(zeros: float) -> None:
    data = int8_net(zeros)
    result = optimize(Model.read(data))
    untouched = sparsify(Model.read(data), SparsifyOptions(min_sparsity=1.0))
    assert untouched.weights == ()
    assert packed(result) <= packed(untouched)
    if zeros > 0.5 and not result.changed:
        assert {left.code for left in result.left} >= {"download-grows"}


def test_sparsify_stores_int8_sparse_for_the_installed_size() -> None:
    result = sparsify(Model.read(int8_net(0.8)))
    assert len(result.weights) == 3
    assert result.bytes_after < result.bytes_before


def test_weights_that_compute_in_floats_are_not_kept_dense() -> None:
    builder = ModelBuilder(seed=1)
    g = builder.graph()
    x = g.conv2d(g.pad_spatial(g.input((1, 64, 64, 3))), 32, 3, 2, "VALID")
    values = np.where(g.rng.random((128, 1, 1, 32)) < 0.8, 0, 7).astype(np.int8)
    filters = g.dequantize(g.constant(values, quantized=([0.1], [0], 0)))
    g.output(g.mean(g.conv2d(x, 128, filters=filters)))
    result = optimize(Model.read(builder.build()))
    assert len(result.weights) == 1


def test_everybody_says_that_int8_never_runs_sparse() -> None:
    model = Model.read(int8_net(0.8))
    found = inspect(model)
    arm64 = next(words for words in verdicts(found.runtime) if not words.off_by_design)
    assert any("sparse kernels for floats only" in point for point in arm64.points)
    step = next_step(found)
    assert "int8" in step.why
    assert "80.0 % zeros save no time" in step.why
    assert "without quantization" in step.why
    assert step.command is None
    adaptation = optimize(model).adaptation
    assert adaptation is not None
    assert "3 of its 3 1x1 convolutions compute in int8" in adaptation.reason
