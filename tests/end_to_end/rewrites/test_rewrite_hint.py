"""Nothing that sparsify writes fails or computes something else where the sparse path is on.

The nets are those with which today's runtime refuses to load, aborts or returns wrong numbers as
soon as one weight is stored sparse, and random ones. They run emulated, without AVX.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.emulator import needs_emulator
from tests.support.nets.random_nets import random_net
from tests.support.nets.small_nets import build, head, trunk
from tests.support.outputs import outputs
from tests.unit.xnnpack.test_outcomes import ABORT, DENSE, LOAD, RIGHT, WRONG
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.storage.options import SparsifyOptions, WeightSelection

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Net
    from tflite_sparse.rewrite.changes import Rewrite


BATCH = 20
COUNT = int(os.environ.get("TFLITE_SPARSE_RANDOM_NETS", "60"))
TOLERANCE = 1e-4


def _dense(data: bytes) -> bytes:
    model = Model.read(data)
    densify(model)
    return model.to_bytes()


def _net(net: Net) -> bytes:
    return _dense(build(net))


def _sparsified(dense: bytes) -> tuple[Rewrite, bytes]:
    model = Model.read(dense)
    result = sparsify(model)
    return result, model.to_bytes()


def _unlike(dense: list[np.ndarray] | None, sparse: list[np.ndarray] | None) -> str | None:
    assert dense is not None, "the dense net itself does not run"
    if sparse is None:
        return "does not run"
    for a, b in zip(dense, sparse, strict=True):
        if a.shape != b.shape:
            return f"shape {b.shape} where {a.shape} was"
        gap = float(np.abs(a - b).max(initial=0))
        if not gap <= TOLERANCE * (1e-3 + float(np.abs(a).max(initial=0))):
            return f"differs by {gap}"
    return None


@needs_emulator
def test_weights_stay_dense_where_the_hint_would_do_harm() -> None:
    nets = {**WRONG, **LOAD, **ABORT}
    dense = [_net(net) for net in nets.values()]
    results = [_sparsified(data) for data in dense]
    for name, (result, _) in zip(nets, results, strict=True):
        assert any(left.code.startswith("runtime-") for left in result.left), name
    found = outputs(*dense, *(data for _, data in results), emulated=True)
    half = len(nets)
    wrong = {
        name: why
        for name, a, b in zip(nets, found[:half], found[half:], strict=True)
        if (why := _unlike(a, b)) is not None
    }
    assert wrong == {}


@needs_emulator
def test_weights_are_stored_sparse_where_that_is_right() -> None:
    nets = {**RIGHT, **DENSE}
    dense = [_net(net) for net in nets.values()]
    results = [_sparsified(data) for data in dense]
    for name, (result, _) in zip(nets, results, strict=True):
        assert result.weights, name
    found = outputs(*dense, *(data for _, data in results), emulated=True)
    half = len(nets)
    wrong = {
        name: why
        for name, a, b in zip(nets, found[:half], found[half:], strict=True)
        if (why := _unlike(a, b)) is not None
    }
    assert wrong == {}


@needs_emulator
@pytest.mark.parametrize("first", range(0, COUNT, BATCH))
def test_random_nets_compute_the_same_after_sparsify(first: int) -> None:
    nets = [random_net(number) for number in range(first, first + BATCH)]
    dense = [_dense(data) for data, _ in nets]
    results = [_sparsified(data) for data in dense]
    found = outputs(*dense, *(data for _, data in results), emulated=True)
    wrong = [
        (number, nets[number - first][1], why)
        for number, a, b in zip(
            range(first, first + BATCH), found[:BATCH], found[BATCH:], strict=True
        )
        if (why := _unlike(a, b)) is not None
    ]
    assert wrong == []
    assert any(result.weights for result, _ in results)


def test_partitions_that_are_safe_are_stored_sparse_all_the_same() -> None:
    def net(g: GraphBuilder) -> Value:
        # A custom operator cuts the graph; only the second part would go wrong.
        x = head(g, trunk(g))
        (y,) = g.op("Cut", [x], [((1, 32, 32, 3), "FLOAT32")], custom_options=b"")
        y = g.conv2d(g.pad_spatial(y, 1), 32, kernel=3, stride=2, padding="VALID", name="stem2")
        y = g.conv2d(y, 32, zeros=0.9, storage="sparse", name="pointwise2")
        return g.softmax(g.mean(y, keep_dims=True))

    result, _ = _sparsified(_net(net))
    assert [change.weight.name for change in result.weights] == ["pointwise/filter"]
    left = {entry.weight.name: entry.code for entry in result.left}
    assert left["pointwise2/filter"] == "runtime-wrong_numbers"


def test_what_is_left_by_the_user_does_not_count_as_sparse() -> None:
    dense = _net(WRONG["MEAN and SOFTMAX"])
    model = Model.read(dense)
    result = sparsify(model, SparsifyOptions(selection=WeightSelection(exclude=("*",))))
    assert not result.changed
    assert {left.code for left in result.left} == {"not-asked"}
