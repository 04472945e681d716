"""Which weights keep their numbers, and which stay dense or sparse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build, head, trunk
from tests.unit.rewrite.storage.values import (
    FP16,
    INT8,
    convolution,
    kinds,
    stored,
    written,
)
from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import decoded
from tflite_sparse.model.weights import find_weights
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.storage.store_values import sparsify_pass, store_values
from tflite_sparse.storage.options import SparsifyOptions, WeightSelection
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions
from tflite_sparse.xnnpack.plan import plan

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.rewrite.changes import Rewrite


def refusals(result: Rewrite) -> set[str]:
    return {left.code for left in result.left}


def test_fp32_values_are_asked_of_nobody() -> None:
    assert isinstance(sparsify_pass(values=ValuesOptions(StoredValues.FP32)), type(sparsify_pass()))
    result = store_values(Model.read(build(convolution())), ValuesOptions(StoredValues.FP32))
    assert not result.changed


def test_values_that_the_numbers_have_not() -> None:
    filters = np.full((64, 1, 1, 64), 1e6, np.float32)
    data = build(lambda g: g.conv2d(g.input((1, 8, 8, 64)), 64, filters=filters))
    assert refusals(store_values(Model.read(data), FP16)) == {"range"}
    assert store_values(Model.read(data), INT8).weights
    filters[3, 0, 0, 3] = np.nan
    data = build(lambda g: g.conv2d(g.input((1, 8, 8, 64)), 64, filters=filters))
    assert refusals(store_values(Model.read(data), INT8)) == {"range"}


def test_a_weight_that_another_kind_of_operator_reads() -> None:
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        table = g.constant(g.rng.standard_normal((64, 64)).astype(np.float32))
        rows = g.op("GATHER", [table, g.input((3,), "INT32")], [((3, 64), "FLOAT32")])[0]
        return g.fully_connected(rows, 64, filters=table), rows

    result = store_values(Model.read(build(net)))
    assert not result.changed
    assert refusals(result) == {"reader"}


def test_an_int8_operator_keeps_its_weights() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.input((1, 8, 8, 64), "INT8", scale=0.05)
        return g.conv2d(x, 64, storage="int8")

    assert refusals(store_values(Model.read(build(net)))) == {"values-already"}


def test_what_was_not_asked_for() -> None:
    selection = WeightSelection(exclude=("conv*",))
    data = build(convolution())
    result = store_values(Model.read(data), INT8, SparsifyOptions(selection=selection))
    assert refusals(result) == {"not-asked"}
    result = store_values(Model.read(data), INT8, SparsifyOptions(min_saving=10**6))
    assert refusals(result) == {"saves-too-little"}


def test_a_weight_that_rounding_changes_more_than_asked_for() -> None:
    data = build(convolution(zeros=0.0))
    ratio = stored(data)[1].weights[0].rounding
    assert ratio is not None
    assert ratio.snr is not None
    for least, left in ((ratio.snr - 1, set()), (ratio.snr + 1, {"snr"})):
        options = ValuesOptions(StoredValues.INT8, min_snr=least)
        assert refusals(store_values(Model.read(data), options)) == left
    with pytest.raises(UsageError, match="ratio in dB"):
        ValuesOptions(min_snr=-1)


def test_a_weight_whose_reader_xnnpack_does_not_take_is_stored_dense() -> None:
    # Behind DENSIFY and DEQUANTIZE it would compute with nothing.
    model, result = stored(build(convolution(activation="TANH", zeros=0.5)))
    assert [change.after for change in result.weights] == ["dense"]
    assert kinds(model) == [("DEQUANTIZE", 5), ("CONV_2D", 1)]


def test_a_weight_of_a_partition_that_runs_sparse_stays_sparse() -> None:
    # With 20 % zeros int8 is smaller dense, and nothing else makes the runtime look for zeros.
    def net(g: GraphBuilder) -> Value:
        x = g.pad_spatial(g.input((1, 40, 40, 3)), 1)
        x = g.conv2d(x, 64, 3, 2, "VALID", zeros=0.2, storage="sparse")
        return head(g, g.conv2d(x, 64, zeros=0.9))

    result = store_values(Model.read(build(net)))
    model = Model.read(written(result))
    assert [t.shape for t in model.main.tensors if t.sparsity is not None] == [(64, 3, 3, 3)]
    assert plan(model.main, "arm64").outcome.value == "sparse"


def test_no_weight_stays_sparse_for_nothing() -> None:
    # At 40 % zeros, sparse int8 is larger than dense int8, and nothing runs sparse.
    model, _ = stored(build(convolution(zeros=0.4)))
    weight = find_weights(model)[0].tensor
    assert (weight.type, weight.sparsity) == ("INT8", None)


def test_the_plan_stays_what_it_was() -> None:
    data = build(lambda g: head(g, trunk(g, storage="dense")))
    sparse = sparsify(Model.read(data)).model
    model, _ = stored(data, ValuesOptions(StoredValues.INT8, keep_nonzero=True))
    for target in ("arm64", "wasm", "x86-noavx"):
        before, after = (plan(m.main, target) for m in (sparse, model))
        assert before.outcome == after.outcome
        assert [c.zeros for c in before.clusters] == [c.zeros for c in after.clusters]


def test_values_do_not_become_zero_where_the_runtime_would_do_worse() -> None:
    # 60 % zeros, and as many values that round to zero that the cluster would go sparse; what
    # follows would read it wrong.
    def net(g: GraphBuilder) -> Value:
        filters = np.full((16, 1, 1, 16), 1e-6, np.float32)
        filters[..., 1:10] = 0
        filters[..., 0] = 1
        x = g.depthwise(g.conv2d(g.pad_spatial(g.input((1, 40, 40, 3)), 1), 16, 3, 2, "VALID"))
        x = g.conv2d(x, 16, filters=filters, storage="sparse")
        return head(g, g.conv2d(g.max_pool(x), 16, zeros=0.9))

    data = build(net)
    result = store_values(Model.read(data))
    roundings = [change.rounding for change in result.weights if change.rounding is not None]
    assert sum(rounding.raised for rounding in roundings) > 0
    assert not any(rounding.lost for rounding in roundings)
    assert any("no value became zero" in note for note in result.notes)


def test_a_value_may_become_zero_unless_it_must_not() -> None:
    filters = np.full((64, 1, 1, 64), 1e-6, np.float32)
    filters[..., 0] = 1
    data = build(lambda g: g.conv2d(g.input((1, 8, 8, 64)), 64, filters=filters))
    for keep, zeros in ((False, 64 * 63), (True, 0)):
        model, result = stored(data, ValuesOptions(StoredValues.INT8, keep))
        assert result.weights[0].zeros == zeros
        whole = decoded(find_weights(model)[0].tensor)
        assert whole is not None
        assert int((whole == 0).sum()) == zeros


@pytest.mark.parametrize("shape", [(4, 16), (64,), ()])
def test_a_filter_of_too_few_dimensions(shape: tuple[int, ...]) -> None:
    def net(g: GraphBuilder) -> Value:
        return g.depthwise(g.input((1, 8, 8, 64)), kernel=1)

    model = Model.read(build(net))
    weight = model.main.operators[0].inputs[1]
    assert weight is not None
    weight.table["shape"] = np.array(shape, np.int32)
    result = store_values(Model.read(model.to_bytes()), INT8)
    assert not result.weights
