"""Which buffers tensors could share, so that the weights can still be stored otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build
from tflite_sparse.lint.equal_buffers import equal_buffers
from tflite_sparse.lint.fixers.cleanup import share_buffers
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import Densify
from tflite_sparse.rewrite.storage.store_values import store_values
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value

SHAPE = (32, 1, 1, 32)


def striped(start: int) -> np.ndarray:
    """Ones in every third column, from one on: as many for 0 as for 1."""
    filters = np.zeros(SHAPE, np.float32)
    filters[..., start::3] = 1
    return filters


def two(first: np.ndarray, second: np.ndarray, storage: str = "dense") -> Model:
    """Two 1x1 convolutions."""

    def net(g: GraphBuilder) -> Value:
        x = g.conv2d(g.input((1, 4, 4, first.shape[3])), len(first), filters=first, storage=storage)
        return g.conv2d(x, len(second), filters=second, storage=storage)

    return Model.read(build(net))


@pytest.mark.parametrize("storage", ["dense", "sparse"])
def test_equal_weights_stored_alike_could_share_a_buffer(storage) -> None:
    (group,) = equal_buffers(two(striped(0), striped(0), storage))
    assert len(group) == 2


def test_weights_with_equal_values_in_other_places_keep_buffers_of_their_own() -> None:
    model = two(striped(0), striped(1), "sparse")
    first, second = (t.buffer for t in model.main.tensors if t.sparsity is not None)
    assert bytes(first.data) == bytes(second.data)
    assert equal_buffers(model) == []


def test_what_shares_a_buffer_can_still_be_stored_dense() -> None:
    model = two(striped(0), striped(0), "sparse")
    assert share_buffers.apply(model, ()) is not None
    dense = Densify().apply(model)
    assert dense.left == ()


def test_equal_bytes_of_another_shape_keep_a_buffer_of_their_own() -> None:
    first, second = np.ones((32, 1, 1, 16), np.float32), np.ones((16, 1, 1, 32), np.float32)
    assert equal_buffers(two(first, second)) == []


def test_equal_integers_with_other_scales_keep_buffers_of_their_own() -> None:
    drawn = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    for factor, groups in ((1, 1), (2, 0)):
        model = store_values(two(drawn, factor * drawn), ValuesOptions(StoredValues.INT8)).model
        filters = [t for t in model.main.tensors if t.type == "INT8"]
        assert bytes(filters[0].buffer.data) == bytes(filters[1].buffer.data)
        assert len(equal_buffers(model)) == groups
