"""What a model is told that has nothing worth pruning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build, head
from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.pruning.options import PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.words.addresses import DOCS

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


def test_zeros_in_quantized_filters_win_nothing() -> None:
    filters = np.random.default_rng(0).integers(-99, 99, (32, 1, 1, 32), np.int8)
    model = build(
        lambda g: g.conv2d(
            g.input((1, 8, 8, 32), "INT8", scale=0.05), 32, filters=filters, bias=False
        )
    )
    with pytest.raises(UsageError, match="stored as INT8; only fp32 and fp16") as refused:
        prune(Model.read(model), PruneOptions(zeros=0.8))
    assert f"{DOCS}/recipes/int8-or-sparse.md" in str(refused.value.hint)


def test_filters_in_floats_that_would_run_dense_are_told_why() -> None:
    model = build(lambda g: g.conv2d(g.input((1, 8, 8, 32)), 32))
    with pytest.raises(UsageError, match="no filter of the model would run sparse") as refused:
        prune(Model.read(model), PruneOptions(zeros=0.8))
    assert "--dry-run" in str(refused.value.hint)


@pytest.mark.parametrize("dense", [16, 128])
def test_what_little_an_optimized_model_has_left_is_not_pruned_in_place_of_the_rest(dense: int):
    def net(g: GraphBuilder) -> Value:
        x = g.conv2d(g.pad_spatial(g.input((1, 128, 128, 3))), 32, 3, 2, "VALID")
        x = g.conv2d(g.depthwise(x), 64, zeros=0.8, storage="sparse")
        return head(g, g.conv2d(g.depthwise(x), dense))

    model, options = Model.read(build(net)), PruneOptions(zeros=0.9)
    if dense > 32:
        assert prune(model, options).report.filters
        return
    with pytest.raises(UsageError, match="stored sparse already") as refused:
        prune(model, options)
    assert "densify" in str(refused.value.hint)
