"""Pass `fold`: what is computed from constants alone becomes a constant, stored as it was."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as litert_schema
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support.adapted import CHANNELS, adapted, head, trunk
from tests.support.nets.small_nets import build
from tests.support.nets.weights import with_zeros
from tests.support.outputs import outputs, same_numbers
from tests.support.real_models import all_real_models, real_model
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.passes.fold import FOLD
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

SHAPE = (CHANNELS, 1, 1, CHANNELS)
OIHW = (CHANNELS, CHANNELS, 1, 1)


def values(g, shape):
    return with_zeros(g.rng, g.rng.standard_normal(shape).astype(np.float32), 0.9)


def transposed(g, x, order=(0, 2, 3, 1)):
    shape = tuple(x.shape[axis] for axis in order)
    order = g.constant(np.array(order, np.int32))
    return g.op("TRANSPOSE", [x, order], [(shape, x.type)], litert_schema.TransposeOptionsT())[0]


def reshaped(g, x, shape):
    sizes = g.constant(np.array(shape, np.int32))
    return g.op("RESHAPE", [x, sizes], [(shape, x.type)], litert_schema.ReshapeOptionsT())[0]


def cast(g, x, kind):
    return g.op("CAST", [x], [(x.shape, kind)], litert_schema.CastOptionsT())[0]


def dequantized(g, x):
    return g.op("DEQUANTIZE", [x], [(x.shape, "FLOAT32")])[0]


def int8(g, shape, axis=0):
    """An int8 constant with a scale for each index of a dimension."""
    stored = np.rint(values(g, shape) * 30).astype(np.int8)
    count = shape[axis]
    return g.constant(stored, quantized=(np.linspace(0.01, 0.02, count), [0] * count, axis))


# Filters of a 1x1 convolution, as they are computed, and how many steps fold them.
CHAINS = {
    "TRANSPOSE": (lambda g: transposed(g, g.constant(values(g, OIHW))), 1),
    "RESHAPE": (lambda g: reshaped(g, g.constant(values(g, OIHW[:2])), SHAPE), 1),
    "TRANSPOSE, RESHAPE": (
        lambda g: reshaped(g, transposed(g, g.constant(values(g, OIHW[:2])), (1, 0)), SHAPE),
        2,
    ),
    "CAST of fp16": (lambda g: cast(g, g.constant(values(g, SHAPE).astype("f2")), "FLOAT32"), 1),
    "CAST of int8": (lambda g: cast(g, g.constant(values(g, SHAPE).astype("i1")), "FLOAT32"), 1),
    "DEQUANTIZE of fp16, TRANSPOSE": (
        lambda g: transposed(g, g.constant(values(g, OIHW), storage="fp16")),
        1,
    ),
    "TRANSPOSE, DEQUANTIZE of fp16": (
        lambda g: dequantized(g, transposed(g, g.constant(values(g, OIHW).astype(np.float16)))),
        1,
    ),
    "DEQUANTIZE of int8, TRANSPOSE": (lambda g: transposed(g, dequantized(g, int8(g, OIHW))), 1),
    "DEQUANTIZE of int8, TRANSPOSE, RESHAPE": (
        lambda g: reshaped(
            g, transposed(g, dequantized(g, int8(g, OIHW[:2], 1)), (1, 0)), SHAPE
        ),
        2,
    ),
}  # fmt: skip


def net(filters, seed=0):
    return build(
        lambda g: head(g, g.conv2d(trunk(g), CHANNELS, filters=filters(g), name="middle")),
        seed=seed,
    )


@pytest.mark.parametrize("name", CHAINS)
def test_filters_that_are_computed_from_constants_become_constants(name):
    filters, steps = CHAINS[name]
    result = adapted(net(filters))
    assert result.passes.count("fold") == steps
    assert not {"TRANSPOSE", "CAST"} & {*result.kinds}
    same_numbers(result)
    # In WebAssembly fp16 filters do not run sparse; elsewhere they do.
    sparse = sparsify(Model.read(result.after)).model
    assert plan(sparse.main, "x86-noavx").outcome is Outcome.SPARSE
    before, after = outputs(result.before, sparse.to_bytes(), emulated=True)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in CHAINS if "16" in name or "8" in name])
def test_what_is_stored_in_few_bytes_stays_so(name):
    result = adapted(net(CHAINS[name][0]), without=("entries",))
    assert len(result.after) <= len(result.before) + 512
    filters = next(op for op in Model.read(result.after).operators() if op.name == "DEQUANTIZE")
    constant = filters.inputs[0]
    assert constant.type in {"FLOAT16", "INT8"}
    # Older runtimes have versions that know nothing of a scale for each channel.
    per_channel = constant.type == "INT8" and constant.quantization["scale"].size > 1
    assert filters.version == (3 if constant.type == "FLOAT16" else 5 if per_channel else 2)


def test_a_dequantize_that_the_runtime_folds_stays():
    for storage in ("fp16", "fp16-sparse"):
        data = build(
            lambda g, s=storage: head(g, g.conv2d(trunk(g), CHANNELS, storage=s, zeros=0.9))
        )
        assert "fold" not in adapted(data).passes
    data = net(lambda g: dequantized(g, int8(g, SHAPE)))
    assert "fold" not in adapted(data).passes


def test_what_is_computed_from_inputs_and_what_the_caller_sees_stay():
    def chain(g):
        given = g.input(OIHW)
        seen = transposed(g, g.constant(values(g, OIHW)))
        x = g.conv2d(trunk(g), CHANNELS, filters=transposed(g, given))
        return head(g, g.conv2d(x, CHANNELS, filters=seen)), seen

    result = adapted(build(chain))
    assert "fold" not in result.passes
    assert result.kinds.count("TRANSPOSE") == 2


def test_a_constant_that_others_read_stays_and_so_does_the_result_of_each():
    def chain(g):
        shared = g.constant(values(g, OIHW[:2]))
        x = g.conv2d(trunk(g), CHANNELS, filters=reshaped(g, shared, SHAPE))
        x = g.conv2d(x, CHANNELS, filters=reshaped(g, shared, SHAPE))
        return g.fully_connected(g.mean(x), CHANNELS, filters=shared)

    result = adapted(build(chain))
    assert result.passes.count("fold") == 2
    same_numbers(result)


ODD = {
    "an order that is none": lambda g: transposed_by(g, [0, 0, 3, 1]),
    "an order that is computed": lambda g: transposed_by(g, None),
}


def transposed_by(g, order):
    x = g.constant(values(g, OIHW))
    order = g.input((4,), "INT32") if order is None else g.constant(np.array(order, np.int32))
    return g.op("TRANSPOSE", [x, order], [(SHAPE, "FLOAT32")], litert_schema.TransposeOptionsT())[0]


@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_told_stays(name):
    assert "fold" not in adapted(net(ODD[name])).passes


@settings(deadline=None, max_examples=15, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.data())
def test_chains_of_any_kind_compute_what_they_computed(data):
    """Values and scales along any dimension, through any chain, on LiteRT's reference kernels."""
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))

    def chain(g):
        kind = data.draw(st.sampled_from(["fp32", "fp16", "fp16 later", "int8"]))
        if kind == "int8":
            x = dequantized(g, int8(g, shape, data.draw(st.integers(0, len(shape) - 1))))
        elif kind == "fp16":
            x = g.constant(values(g, shape), storage="fp16")
        else:
            x = g.constant(values(g, shape).astype("f2" if "later" in kind else "f4"))
        for _ in range(data.draw(st.integers(1, 4))):
            if data.draw(st.booleans()):
                x = transposed(g, x, data.draw(st.permutations(range(len(x.shape)))))
            else:
                x = reshaped(g, x, data.draw(st.permutations(x.shape)))
        x = cast(g, x, "FLOAT32") if x.type == "FLOAT16" else x
        return g.add(x, g.input(x.shape))

    before = build(chain)
    model = Model.read(before)
    FOLD.run(Editor(model.main))
    if not any(op.name == "RESHAPE" for op in Model.read(before).operators()):
        # Reshaped scales may belong to no single dimension any more.
        assert {op.name for op in model.operators()} <= {"DEQUANTIZE", "ADD"}
    (first,), (second,) = outputs(before, model.to_bytes(), delegate=False)
    np.testing.assert_array_equal(first, second)


def test_real_models_have_nothing_to_fold():
    for name in all_real_models():
        for subgraph in Model.read(real_model(name)).subgraphs:
            assert FOLD.run(Editor(subgraph)) == (), name
