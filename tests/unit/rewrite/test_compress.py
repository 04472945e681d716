"""`compress`: every weight in its smallest form, and the graph as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tflite_sparse
from tests.support.nets.small_nets import build, head
from tests.unit.rewrite.storage.values import FP16, INT8, written
from tflite_sparse.comparison.model_diff import diff
from tflite_sparse.model import Model
from tflite_sparse.model.uses import UNPACKING
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.storage.store_values import SparsifyValues
from tflite_sparse.storage.options import SparsifyOptions

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.storage.values.options import ValuesOptions


def net(g: GraphBuilder) -> Value:
    """Weights with zeros and without."""
    x = g.conv2d(g.input((1, 16, 16, 3)), 32, kernel=3, stride=2)
    x = g.depthwise(x)
    x = g.conv2d(x, 64, zeros=0.8)
    x = g.conv2d(x, 64, zeros=0.85)
    return head(g, g.conv2d(x, 64, zeros=0.1))


def operators(model: Model) -> list[str]:
    return [op.name for op in model.main.operators if op.name not in UNPACKING]


@pytest.mark.parametrize("values", [None, FP16, INT8], ids=["fp32", "fp16", "int8"])
def test_no_other_way_is_smaller_and_the_graph_stays(values: ValuesOptions | None) -> None:
    model = Model.read(build(net))
    plain = Model.read(build(net))
    others = SparsifyValues(values).run(plain) if values else sparsify(plain)
    result = tflite_sparse.compress(model, values=values)
    data = written(result)
    assert len(data) <= len(written(others))
    assert operators(Model.read(data)) == operators(model)
    assert model.to_bytes() == Model.read(build(net)).to_bytes()
    assert all(change.bytes_after < change.bytes_before for change in result.weights)
    assert not tflite_sparse.compress(Model.read(data), values=values).changed


def test_without_other_numbers_nothing_is_lost() -> None:
    """What is sparse already is stored anew where its encoding was larger than it need be."""
    blocks = SparsifyOptions(block=(4, 1))
    before = Model.read(written(sparsify(Model.read(build(net)), blocks)))
    data = written(tflite_sparse.compress(before))
    assert diff(before, Model.read(data)).equal
    assert len(data) < len(written(sparsify(before)))
    assert len(data) == len(written(tflite_sparse.compress(Model.read(build(net)))))
