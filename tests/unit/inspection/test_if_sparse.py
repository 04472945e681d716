"""What `inspect` promises of sparse storage is what `sparsify` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.if_sparse import NETS, disagreements
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from tflite_sparse.inspection.weights.weight_types import WeightFacts

SHAPE = (32, 1, 1, 32)


def weights_of(name: str) -> tuple[WeightFacts, ...]:
    return inspect(Model.read(NETS[name]())).weights


@pytest.mark.parametrize("name", sorted(NETS))
def test_inspect_promises_what_sparsify_does(name: str) -> None:
    assert disagreements(NETS[name]()) == []


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("dynamic range", "reader", "refuses to load an int8 CONV_2D filter behind DENSIFY"),
        ("grouped", None, None),
        ("output", "graph-end", "it is an input or output of the graph"),
        ("dangerous", "runtime-wrong_numbers", "the runtime would compute wrong numbers"),
        ("few zeros", "not-smaller", "it would not shrink"),
        ("vector", "rank", "it is a vector"),
        ("type", "type", "DENSIFY does not unpack INT32"),
        ("zero point", "zero-point", "its zero point is not 0, which DENSIFY cannot fill in"),
        (
            "nothing but zeros",
            "all-zero",
            "it has no value but zero",
        ),
    ],
)
def test_a_weight_that_stays_dense_says_why(name: str, code: str | None, words: str | None) -> None:
    weight = weights_of(name)[-1]
    assert weight.cannot_code == code
    assert weight.smaller == (code is None)
    if words is None:
        assert weight.cannot is None
        return
    assert weight.cannot is not None
    assert words in weight.cannot
    assert weight.saving == 0
    assert weight.bytes_sparse is None


def test_a_weight_with_some_zeros_says_how_large_it_would_be() -> None:
    weight = weights_of("some zeros")[0]
    assert (weight.smaller, weight.cannot_code) == (False, "not-smaller")
    assert weight.bytes_sparse is not None
    assert weight.bytes_sparse > weight.bytes_now


def test_nothing_is_promised_of_a_model_that_cannot_be_written() -> None:
    data = NETS["plain"]()
    model = Model.read(data)
    assert inspect(model).weights[0].smaller
    builder = ModelBuilder()
    g = builder.graph()
    x = g.conv2d(g.input((1, 4, 4, 32)), 32, zeros=0.9, storage="sparse")
    g.output(g.conv2d(x, 32, zeros=0.9))
    sparse = next(tensor for tensor in g.table.tensors if tensor.sparsity is not None)
    sparse.sparsity.dimMetadata[3].arrayIndices.values[0] = 200
    found = inspect(Model.read(builder.build()))
    assert [weight.smaller for weight in found.weights] == [False, False]
    assert found.totals.bytes_sparse == found.totals.bytes_now
    assert np.prod(SHAPE) == found.weights[1].elements
