"""Maps that are enlarged in the sparse layout: to the nearest, and by transposed convolutions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.adapted import adapted, head, stock, through
from tests.support.architectures.net import Net
from tests.support.nets.small_nets import build
from tests.support.outputs import outputs, same_numbers
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.context import Context
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.forms.table import form_of
from tflite_sparse.rewrite.adapt.forms.transposed import make_transposed
from tflite_sparse.rewrite.adapt.forms.upsampling import make_nearest
from tflite_sparse.rewrite.adapt.passes.registry import PASSES
from tflite_sparse.rewrite.adapt.window import AS_IT_IS
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

STEPS = 32
MAKE = {"RESIZE_NEAREST_NEIGHBOR": make_nearest, "TRANSPOSE_CONV": make_transposed}


@st.composite
def enlarging(draw):
    """A model of one operator that makes a map twice as large."""
    size = draw(st.tuples(st.integers(2, 7), st.integers(2, 7)))
    channels, batch = draw(st.integers(1, 5)), draw(st.sampled_from((1, 2)))
    if draw(st.booleans()):
        return build(
            lambda g: g.resize_nearest(
                g.input((batch, *size, channels)), [2 * length for length in size]
            )
        )
    kernel = draw(st.tuples(st.integers(2, 6), st.integers(2, 6)))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    filters = rng.standard_normal((draw(st.integers(1, 5)), *kernel, channels)).astype("f4")
    filters[rng.random(filters.shape) < 0.4] = 0
    # Whole cells of the window without a value.
    filters[:, rng.random(kernel) < 0.3] = 0
    options = {
        "activation": draw(st.sampled_from(("NONE", "RELU", "RELU6"))),
        "bias": draw(st.booleans()),
        "storage": draw(st.sampled_from(("dense", "fp16", "int8-values"))),
        "padding": "VALID" if kernel == (2, 2) else "SAME",
    }
    return build(
        lambda g: g.transpose_conv(
            g.input((batch, *size, channels)), len(filters), kernel, filters=filters, **options
        )
    )


@given(enlarging())
@settings(max_examples=25, deadline=None)
def test_the_form_computes_what_the_operator_does(data):
    model = Model.read(data)
    editor = Editor(model.main)
    operator = next(op for op in model.operators() if op.name in MAKE)
    context = Context(editor, AS_IT_IS, frozenset(PASSES))
    refusal = form_of(operator).refusal(operator, context)
    assert refusal is None or "too few zeros" in refusal
    MAKE[operator.name](operator, context)
    editor.sweep()
    (before,), (after,) = outputs(data, model.to_bytes(), delegate=False)
    largest = np.abs(before[0]).max()
    np.testing.assert_allclose(after[0], before[0], rtol=0, atol=STEPS * 2**-24 * largest)
    assert not MAKE.keys() & {op.name for op in model.operators()}


def net(g, x, block):
    x = block(g, g.conv2d(x, 192, zeros=0.9))
    return g.conv2d(x, 64, zeros=0.9)


BLOCKS = {
    "nearest": lambda g, x: g.resize_nearest(x, (2 * x.shape[1], 2 * x.shape[2])),
    "transposed": lambda g, x: g.transpose_conv(x, 32, 3, zeros=0.9),
    "transposed, two by two": lambda g, x: g.transpose_conv(x, 32, 2, padding="VALID", zeros=0.9),
}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("reverse", [False, True])
def test_enlarged_maps_run_sparse_as_planned(name, reverse):
    def block(g, x):
        return net(g, x, BLOCKS[name])

    size = (48, 48)
    result = adapted(
        build(lambda g: head(g, block(g, stock(g, size)))) if reverse else through(block, size)
    )
    assert result.done
    assert result.blocked == {}
    assert ("REVERSE_V2" in result.kinds) == reverse
    same_numbers(result, STEPS)
    stored = sparsify(Model.read(result.after)).model
    planned = plan(stored.main, "arm64").verdict
    assert planned.outcome is Outcome.SPARSE
    assert planned.sparse_pointwise == planned.pointwise > 2
    (before,), (after,) = outputs(result.before), outputs(stored.to_bytes(), emulated=True)
    np.testing.assert_allclose(after[0], before[0], atol=1e-5)


def test_a_map_comes_in_again_where_xnnpack_takes_all_between():
    def block(g, x, between):
        x = g.conv2d(x, 128, zeros=0.9)
        y = g.conv2d(between(g, x), 128, zeros=0.9)
        return g.conv2d(g.add(x, y), 128, zeros=0.9)

    size = (64, 64)
    pooled = adapted(
        through(lambda g, x: block(g, x, lambda g, x: g.pool(x, "MAX_POOL_2D", 3, 1, "SAME")), size)
    )
    assert "entries" in pooled.passes
    # What XNNPACK does not take would cut the part in two.
    cut = adapted(through(lambda g, x: block(g, x, lambda g, x: g.unary("SIN", x)), size))
    assert "entries" not in cut.passes
    for result in (pooled, cut):
        outcomes = {view.target: view.after for view in result.rewrite.adaptation.outlook}
        assert set(outcomes.values()) == {Outcome.SPARSE}
        same_numbers(result, STEPS)


def test_filters_that_are_unpacked_are_no_maps_to_bring_in():
    # The converter puts what unpacks them first.
    net = Net("net", storage="fp16")
    x = net.conv(net.image(32), 48, 7)
    for _ in range(8):
        x = net.conv(net.depthwise(x), 48)
    result = adapted(net.softmax_of(net.dense(net.mean(x), 5)))
    assert "entries" in result.passes
    assert {view.after for view in result.rewrite.adaptation.outlook} == {Outcome.SPARSE}
