"""The memory of activations: estimated as LiteRT lays them out, told, and kept within bounds."""

from __future__ import annotations

import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.adapted import adapted, head, stock, through
from tests.support.nets.small_nets import build
from tflite_sparse.model import Model
from tflite_sparse.model.sizes.arena import bytes_of, peak_bytes
from tflite_sparse.rewrite.adapt.kxk.price import KxkForm, kxk_price
from tflite_sparse.rewrite.adapt.window import AS_IT_IS

HOLES = 1.35
"""What an arena may be larger than what is alive in it."""


def arena(data: bytes) -> int:
    """Bytes from the first to the last activation, where LiteRT's own kernels put them."""
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    graph = Model.read(data).main
    places = []
    for tensor in graph.tensors:
        if not tensor.is_constant:
            start = interpreter.tensor(tensor.index)().__array_interface__["data"][0]
            places.append((start, start + bytes_of(tensor)))
    return max(end for _, end in places) - min(start for start, _ in places)


def net(size, blocks):
    def layers(g):
        x = stock(g, size)
        for block in blocks:
            if block == "residual":
                x = g.add(x, g.depthwise(g.conv2d(x, x.shape[3])))
            elif block == "gate":
                x = g.mul(x, g.logistic(g.conv2d(g.mean(x, keep_dims=True), x.shape[3])))
            else:
                x = g.conv2d(x, 48 if block == "wide" else 5)
        return head(g, x)

    return build(layers)


@given(
    st.tuples(st.integers(8, 20), st.integers(8, 20)),
    st.lists(st.sampled_from(("wide", "narrow", "residual", "gate")), max_size=6),
)
@settings(max_examples=20, deadline=None)
def test_what_is_alive_at_once_is_what_litert_makes_room_for(size, blocks):
    data = net(size, blocks)
    needed = peak_bytes(Model.read(data))
    assert needed <= arena(data) <= HOLES * needed


def wide(g, x):
    x = g.conv2d(x, 128, zeros=0.9)
    for _ in range(2):
        x = g.conv2d(x, 128, kernel=3, zeros=0.9)
    return x


def test_products_are_added_as_they_come_so_that_few_maps_are_alive():
    result = adapted(through(wide, (32, 32)))
    told = result.rewrite.adaptation
    assert told.activations_before == peak_bytes(Model.read(result.before))
    assert told.activations_after == peak_bytes(Model.read(result.after))
    one = 16 * 16 * 128 * 4
    assert told.activations_after < 8 * one
    # LiteRT adds in place where nothing else reads what is added to.
    assert told.activations_after - one <= arena(result.after) <= HOLES * told.activations_after


def test_a_bound_takes_the_form_that_fits_and_none_where_none_does():
    data = through(wide, (32, 32))
    forms = {}
    operator = next(op for op in Model.read(data).operators() if op.name == "CONV_2D"
                    and op.inputs[1].shape == (128, 3, 3, 128))  # fmt: skip
    cheapest = kxk_price(operator, AS_IT_IS)
    other = kxk_price(operator, AS_IT_IS, cheapest.bytes - 1)
    least = kxk_price(operator, AS_IT_IS, other.bytes - 1)
    found = [price.form for price in (cheapest, other, least)]
    assert found == [KxkForm.LINES, KxkForm.SEPARABLE, KxkForm.TAPS]
    for most in (None, least.bytes, least.bytes - 1):
        result = adapted(data, max_arena=most)
        told = result.rewrite.adaptation
        forms[most] = {step.what for step in told.steps if step.name == "kxk"}
        if most is not None:
            assert told.activations_after <= max(most, told.activations_before)
    assert any("line by line" in what for what in forms[None])
    assert all("added up" in what for what in forms[least.bytes])
    assert forms[least.bytes]
    assert forms[least.bytes - 1] == set()


@pytest.mark.parametrize("bound", [0, 10**9])
def test_a_bound_that_all_keep_changes_nothing(bound):
    # The near miss: without wide convolutions the memory stays what it was.
    data = through(lambda g, x: g.depthwise(x, stride=2, padding="SAME"), (32, 32))
    told = adapted(data, max_arena=bound).rewrite.adaptation
    assert told.steps == adapted(data).rewrite.adaptation.steps
