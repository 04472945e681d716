"""Pass `kxk`: convolutions wider than 1x1 run sparse where that pays, and compute the same."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.adapted import CHANNELS, adapted, head, stock, through, trunk
from tests.support.nets.small_nets import build
from tests.support.outputs import outputs, same_numbers
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.context import Context
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.kxk.build import build_by_taps, build_separable
from tflite_sparse.rewrite.adapt.kxk.lines import build_by_lines
from tflite_sparse.rewrite.adapt.kxk.price import KxkForm, kxk_price, separable_windows
from tflite_sparse.rewrite.adapt.kxk.shifts import shift_of
from tflite_sparse.rewrite.adapt.kxk.taps import taps_of
from tflite_sparse.rewrite.adapt.passes.registry import PASSES
from tflite_sparse.rewrite.adapt.window import AS_IT_IS
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

STEPS = 32
FORMS = (build_by_taps, build_separable, build_by_lines, partial(build_by_lines, along=0))
WIDE = {"zeros": 0.9, "name": "wide"}


def middle(pads=None, **options):
    """A net with a KxK convolution of many channels in its middle."""

    def net(g, x):
        x = g.conv2d(x, 128, zeros=0.9)
        if pads is not None:
            x = g.pad_spatial(x, pads)
        spelled = "SAME" if pads is None else "VALID"
        return g.conv2d(x, 128, **{"kernel": 3, "padding": spelled, **WIDE, **options})

    return through(net, (32, 32))


@st.composite
def convolutions(draw):
    """A model of one convolution, and the names of its forms."""
    kernel = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    assume(kernel != (1, 1))
    stride = draw(st.sampled_from((1, 1, 2)))
    dilation = draw(st.sampled_from((1, 2))) if stride == 1 and max(kernel) <= 5 else 1
    size = draw(st.tuples(st.integers(7, 10), st.integers(7, 10)))
    padding = draw(st.sampled_from(("SAME", "explicit")))
    groups = draw(st.sampled_from((1, 1, 2, 3)))
    channels, outputs_ = draw(st.integers(1, 4)) * groups, draw(st.integers(1, 5)) * groups
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    filters = rng.standard_normal((outputs_, *kernel, channels // groups)).astype("f4")
    filters[rng.random(filters.shape) < 0.5] = 0
    # Whole cells of the window without a value.
    filters[:, rng.random(kernel) < 0.3] = 0
    activation = draw(st.sampled_from(("NONE", "RELU", "RELU6", "RELU_N1_TO_1")))
    storage = draw(st.sampled_from(("dense", "fp16", "int8-values")))
    batch = draw(st.sampled_from((1, 2)))

    def net(g):
        x = g.input((batch, *size, channels))
        spelled = "SAME"
        if padding == "explicit":
            x, spelled = g.pad_spatial(x, (max(kernel) // 2,) * 2), "VALID"
        return g.conv2d(
            x, outputs_, kernel=kernel, stride=stride, dilation=dilation, padding=spelled,
            groups=groups, filters=filters, activation=activation, storage=storage,
        )  # fmt: skip

    return build(net)


def formed(data, build_form):
    """A model with its convolution in one of the forms; None where that does not fit."""
    model = Model.read(data)
    editor = Editor(model.main)
    context = Context(editor, AS_IT_IS, frozenset(PASSES))
    operator = next(op for op in model.operators() if op.name == "CONV_2D")
    taps = taps_of(operator, AS_IT_IS)
    if not taps or any(shift_of(tap) is None for tap in taps):
        return None
    if build_form is build_separable and separable_windows(taps) is None:
        return None
    if build_form in FORMS[2:] and taps[0].rows.stride != 1:
        return None
    build_form(operator, context)
    editor.sweep()
    return model.to_bytes()


@given(convolutions())
@settings(max_examples=25, deadline=None)
def test_each_form_computes_what_the_convolution_does(data):
    forms = (formed(data, form) for form in FORMS)
    results = [result for result in forms if result is not None]
    assume(results)
    before, *after = outputs(data, *results, delegate=False)
    for values in after:
        largest = np.abs(before[0]).max()
        np.testing.assert_allclose(values[0], before[0], rtol=0, atol=STEPS * 2**-24 * largest)
    for result in results:
        kinds = [(op.name, op.inputs[1].shape[1:3]) for op in Model.read(result).operators()
                 if "CONV" in op.name]  # fmt: skip
        assert all(shape == (1, 1) for name, shape in kinds if name == "CONV_2D")
        assert all(shape in ((3, 3), (5, 5)) for name, shape in kinds if name != "CONV_2D")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kernel": 5},
        {"kernel": (1, 3)},
        {"kernel": (3, 1)},
        {"stride": 2, "pads": (1, 1)},
        {"kernel": (1, 7)},
        {"kernel": (7, 1)},
        {"dilation": 2},
        {"groups": 4, "zeros": 0.6},
        {"activation": "RELU6"},
        {"storage": "fp16"},
        {"storage": "int8-values"},
    ],
)
def test_a_wide_convolution_runs_sparse_as_planned(options):
    result = adapted(middle(**options))
    assert "kxk" in result.passes
    same_numbers(result, STEPS)
    stored = sparsify(Model.read(result.after)).model
    planned = plan(stored.main, "arm64")
    assert planned.verdict.outcome is Outcome.SPARSE
    assert planned.verdict.sparse_pointwise > 3
    (before,), (after,) = outputs(result.before), outputs(stored.to_bytes(), emulated=True)
    np.testing.assert_allclose(after[0], before[0], atol=1e-5)


@pytest.mark.parametrize("size", [(32, 32), (33, 31)])
def test_a_wide_convolution_on_a_reversed_map_is_the_same(size):
    def net(g):
        return head(g, g.conv2d(stock(g, size), 64, kernel=3, **WIDE))

    result = adapted(build(net))
    assert "kxk" in result.passes
    same_numbers(result, STEPS)


def test_convolutions_that_read_the_same_map_share_its_shifts():
    def both(g, x):
        x = g.pad_spatial(g.conv2d(x, 128, zeros=0.9), (1, 1))
        options = {"kernel": 3, "stride": 2, "padding": "VALID", "zeros": 0.9}
        return g.binary("ADD", *(g.conv2d(x, 128, **options) for _ in range(2)))

    result = adapted(through(both, (32, 32)))
    assert result.passes.count("kxk") == 2
    assert result.kinds.count("DEPTHWISE_CONV_2D") == 9
    same_numbers(result, STEPS)


def test_cells_of_the_window_without_a_value_drop_out():
    filters = np.random.default_rng(0).standard_normal((128, 3, 3, 128)).astype("f4")
    filters[np.random.default_rng(1).random(filters.shape) < 0.9] = 0
    filters[:, 0] = 0
    filters[:, 2] = 0
    result = adapted(middle(filters=filters))
    (step,) = [step for step in result.rewrite.adaptation.steps if step.name == "kxk"]
    assert step.what == "became 3 1x1 convolutions of shifted maps, added up"
    same_numbers(result, STEPS)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"zeros": 0.3}, "30 % zeros, too few for its sparse form to pay"),
        ({"pads": (0, 0)}, "padding makes its map smaller"),
        ({"stride": (1, 2)}, "stride 1x2"),
    ],
)
def test_a_wide_convolution_that_has_no_form_or_does_not_pay_stays(options, reason):
    result = adapted(middle(**options))
    assert "kxk" not in result.passes
    assert any(reason in why for why in result.blocked.values())
    same_numbers(result)


def test_without_the_pass_a_wide_convolution_stays_and_says_so():
    result = adapted(middle(), without=("kxk",))
    assert "kxk" not in result.passes
    assert any("with pass kxk only" in why for why in result.blocked.values())


def test_a_filter_of_zeros_alone_stays():
    result = adapted(middle(filters=np.zeros((128, 3, 3, 128), "f4")))
    assert "kxk" not in result.passes
    assert "has a filter of zeros alone" in result.blocked.values()


@pytest.mark.parametrize(
    ("channels", "outputs_", "kernel"), [(64, 64, (3, 3)), (128, 32, (3, 3)), (64, 64, (5, 3))]
)
def test_shifts_along_lines_cost_less_than_those_of_the_map(channels, outputs_, kernel):
    def net(g):
        return g.conv2d(g.input((1, 28, 28, channels)), outputs_, kernel=kernel, zeros=0.8)

    (operator,) = Model.read(build(net)).operators()
    price = kxk_price(operator, AS_IT_IS)
    assert price.form is KxkForm.LINES
    assert price.cost < price.dense_cost
    counted = formed(build(net), partial(build_by_lines, along=price.along))
    shifts = [op for op in Model.read(counted).operators() if op.name == "DEPTHWISE_CONV_2D"]
    assert len(shifts) == sum(kernel) - 2


def test_every_pass_but_kxk_leaves_trunks_as_they_are():
    # The near miss: 1x1 convolutions need none of it.
    result = adapted(build(lambda g: head(g, g.conv2d(trunk(g), CHANNELS, zeros=0.9))))
    assert "kxk" not in result.passes


def test_a_wide_convolution_that_loses_takes_part_where_going_round_it_costs_more():
    def net(g, x):
        x = g.conv2d(g.conv2d(x, 128, zeros=0.9), 24, zeros=0.9)
        x = g.conv2d(x, 24, kernel=3, zeros=0.8)
        return g.conv2d(g.conv2d(x, 128, zeros=0.9), 128, zeros=0.9)

    result = adapted(through(net, (64, 64)), min_gain=1.03)
    assert "kxk" in result.passes
    assert "entries" not in result.passes
    operator = next(
        op
        for op in Model.read(result.before).operators()
        if op.name == "CONV_2D" and op.inputs[1].shape == (24, 3, 3, 24)
    )
    price = kxk_price(operator, AS_IT_IS)
    assert price.cost > price.dense_cost
    same_numbers(result, STEPS)
