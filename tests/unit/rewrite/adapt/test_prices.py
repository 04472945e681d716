"""What wide convolutions cost in the sparse layout, by the size of their maps."""

from __future__ import annotations

import pytest

from tests.support.nets.small_nets import build
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.context import Context
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.forms.kxk import TOO_FEW, kxk_refusal
from tflite_sparse.rewrite.adapt.kxk.price import kxk_price
from tflite_sparse.rewrite.adapt.passes.registry import PASSES
from tflite_sparse.rewrite.adapt.window import AS_IT_IS
from tflite_sparse.xnnpack.cost.prices import COSTS, PER_INSTRUCTION

WASM = COSTS["wasm"]
VALUE = 4


def wide(size: int, channels: int, zeros: float) -> Model:
    """One 3x3 convolution."""
    shape = (1, size, size, channels)
    return Model.read(build(lambda g: g.conv2d(g.input(shape), channels, 3, zeros=zeros)))


def refusal(model: Model, *, detours: bool) -> str | None:
    """Why its convolution stays outside."""
    context = Context(Editor(model.main), AS_IT_IS, frozenset(PASSES), detours=detours)
    return kxk_refusal(model.main.operators[0], context)


@pytest.mark.parametrize(("size", "more"), [(112, 1.0), (128, 1.53), (192, 1.53)])
def test_a_wide_convolution_wins_less_where_its_maps_do_not_stay_in_the_cache(size, more) -> None:
    shares = []
    for each in (56, size):
        price = kxk_price(wide(each, 64, 0.8).main.operators[0], AS_IT_IS)
        assert price is not None
        shares.append(price.cost / price.dense_cost)
    assert shares[1] == pytest.approx(more * shares[0], rel=0.02)


def test_writing_costs_more_the_less_of_what_is_read_and_written_stays_in_the_cache() -> None:
    # 112x112x16 to 96 channels, the largest map of MobileNetV2; 64 channels at 128x128 to as many.
    assert WASM.writing(112 * 112 * (16 + 96)) == WASM.written
    between = [WASM.writing(elements / VALUE) for elements in (6.6e6, 7.4e6, 8.3e6)]
    assert WASM.written < between[0] < between[1] < between[2] < WASM.written_far
    assert WASM.writing(2 * 128 * 128 * 64 + 30_000) == WASM.written_far


def test_instructions_do_not_depend_on_the_cache() -> None:
    costs = PER_INSTRUCTION["arm64"]
    assert costs.writing(1) == costs.writing(1e9) == costs.written


def test_a_detour_may_cost_up_to_four_times_its_dense_convolution() -> None:
    """Between parts that win, such as the few channels at the beginning of YOLO11n."""
    loss, too_much = wide(64, 6, 0.8), wide(64, 4, 0.8)
    assert refusal(loss, detours=True) is None
    for model, detours in ((loss, False), (too_much, True)):
        assert str(refusal(model, detours=detours)).endswith(TOO_FEW)
