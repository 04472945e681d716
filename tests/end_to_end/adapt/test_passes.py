"""Each pass alone: what it does, what it leaves, and that the numbers stay."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.adapted import (
    CHANNELS,
    adapted,
    computed,
    head,
    separable,
    stock,
    through,
    trunk,
    unending,
)
from tests.support.nets.small_nets import build
from tests.support.nets.weights import block_mask
from tests.support.outputs import same_numbers
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.passes.registry import PASSES
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

GEOMETRIES = [
    (kernel, stride, padding, size)
    for kernel in ((3, 3), (1, 3), (2, 2), (5, 3), (1, 1))
    for stride in (1, 2)
    for padding in ("SAME", (0, 1), (1, 0))
    for size in ((16, 16), (17, 19))
]


def fits(kernel, stride, padding, size) -> bool:
    """Whether some window with half of it as padding has the kernel's cells and positions."""
    axes = []
    for length, cells in zip(size, kernel, strict=True):
        positions = -(-length // stride)
        if padding == "SAME":
            before = max(0, (positions - 1) * stride + cells - length) // 2
        else:
            before = padding[0]
            if (length + sum(padding) - cells) // stride + 1 != positions:
                return False
        axes.append((before, cells))
    return any(
        all(before <= half and half - before + cells <= 2 * half + 1 for before, cells in axes)
        for half in (1, 2)
    )


@pytest.mark.parametrize(("kernel", "stride", "padding", "size"), GEOMETRIES)
def test_a_kernel_is_placed_in_a_window_exactly_where_it_fits(kernel, stride, padding, size):
    def middle(g, x):
        if padding != "SAME":
            x = g.pad_spatial(x, padding)
        spelled = "SAME" if padding == "SAME" else "VALID"
        return g.depthwise(x, kernel, stride, spelled, name="middle")

    result = adapted(through(middle, size), only=("windows", "canonicalize"))
    # The entry before it halves the image.
    if not fits(kernel, stride, padding, [-(-length // 2) for length in size]):
        assert not result.done
        assert "into no 3x3 or 5x5 window" in result.rewrite.adaptation.reason
    elif (kernel, stride, padding) == ((3, 3), 1, "SAME"):
        assert not result.done
        assert "eligible as it is" in result.rewrite.adaptation.reason
    else:
        assert result.done
        depthwise = [op for op in Model.read(result.after).operators() if "DEPTHWISE" in op.name]
        assert {op.inputs[1].shape[1:3] for op in depthwise} <= {(3, 3), (5, 5)}
        # Zeros are added to a sum, in the same order: the very same numbers.
        same_numbers(result)


@pytest.mark.parametrize(
    ("size", "axes"), [((16, 16), [1, 2]), ((16, 17), [1]), ((17, 16), [2]), ((17, 17), [])]
)
def test_the_image_is_reversed_along_even_axes_only(size, axes):
    result = adapted(build(lambda g: head(g, separable(g, stock(g, size)))))
    assert result.done
    reversals = [op for op in Model.read(result.after).operators() if op.name == "REVERSE_V2"]
    assert [op.inputs[1].data.tolist() for op in reversals] == ([axes] if axes else [])
    if axes:
        # In front of everything else, so that the partition stays whole.
        assert reversals[0].inputs[0].name == "input"
    same_numbers(result, 16)


def test_a_reversal_moves_up_through_what_is_done_to_the_image_first():
    def make(g):
        x = g.mul(np.full((1, 1, 1, 3), 0.5, np.float32), g.input((1, 16, 16, 3)))
        x = g.conv2d(g.unary("TANH", x), CHANNELS, 3, 2)
        return head(g, separable(g, x))

    result = adapted(build(make))
    assert result.kinds[:3] == ["REVERSE_V2", "MUL", "TANH"]
    same_numbers(result, 16)


def test_an_image_of_bytes_is_reversed_with_its_scale():
    def make(g):
        image = g.input((1, 16, 16, 3), "INT8", scale=0.02, zero_point=3)
        x = g.conv2d(g.dequantize(image), CHANNELS, 3, 2)
        return head(g, separable(g, x))

    result = adapted(build(make))
    assert result.kinds[:2] == ["REVERSE_V2", "DEQUANTIZE"]
    same_numbers(result, 16)


def test_without_flips_a_stock_stem_stays_outside():
    result = adapted(
        build(lambda g: head(g, separable(g, stock(g)))), without=("mirror", "entries")
    )
    assert not result.done
    assert Model.read(result.after).to_bytes() == Model.read(result.before).to_bytes()


def test_a_head_that_keeps_its_dimensions_is_let_out_by_a_reshape():
    def make(g, keep):
        x = g.mean(separable(g, trunk(g)), keep_dims=keep)
        return g.conv2d(x, 4) if keep else g.fully_connected(x, 4)

    result = adapted(build(lambda g: make(g, keep=True)))
    assert result.passes == ["heads"]
    assert result.kinds[-3:] == ["MEAN", "RESHAPE", "CONV_2D"]
    same_numbers(result)
    assert "heads" not in adapted(build(lambda g: make(g, keep=False))).passes


@pytest.mark.parametrize(("channels", "cut"), [(8, False), (6, True)])
def test_a_map_gets_out_by_spreading_and_gathering(channels, cut):
    make = build(lambda g: g.conv2d(separable(g, trunk(g)), channels, zeros=0.9, name="map"))
    result = adapted(make)
    assert result.passes == ["exits"]
    kinds = result.kinds
    assert kinds[-3:] == (
        ["DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "STRIDED_SLICE"]
        if cut
        else ["CONV_2D", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH"]
    )
    assert Model.read(result.after).subgraphs[0].outputs[0].name == "map"
    # A wider convolution is blocked otherwise by the kernel.
    same_numbers(result, 1 if cut else 0)
    assert not adapted(make, without=("exits",)).done


def test_a_map_that_is_read_inside_and_outside_gets_out_for_the_outside_only():
    def make(g):
        x = separable(g, trunk(g))
        return head(g, x), g.softmax(x)

    result = adapted(build(make))
    assert result.passes == ["exits"]
    same_numbers(result)


def slow_start(channels):
    """A map that is computed outside the sparse layout, and what pays to bring it in."""

    def make(g):
        x = g.conv2d(g.input((1, 9, 7, 3)), channels, 3, name="slow")
        for _ in range(3):
            x = g.conv2d(g.depthwise(x), 64, zeros=0.9)
        return head(g, x)

    return build(make)


@pytest.mark.parametrize("channels", [5, 12, 24, 30])
def test_a_map_of_any_depth_gets_in_twelve_channels_at_a_time(channels):
    result = adapted(slow_start(channels))
    assert result.passes[0] == "entries"
    assert result.kinds.count("DEPTH_TO_SPACE") == -(-channels // 12)
    same_numbers(result)
    assert not adapted(slow_start(channels), without=("entries",)).done


def test_a_depth_to_space_of_the_model_gives_reversed_maps_out():
    def make(g):
        x = g.conv2d(separable(g, stock(g)), 12, zeros=0.9)
        return g.depth_to_space(x)

    result = adapted(build(make))
    assert result.kinds[-2:] == ["DEPTH_TO_SPACE", "REVERSE_V2"]
    assert "exits" not in result.passes
    same_numbers(result, 16)


@pytest.mark.parametrize(
    ("size", "filters"),
    [
        # Padded to 42 cells, of which a stride of two leaves the last unread: room for a zero row.
        ((40, 40), (4, 3, 3)),
        ((39, 40), (3, 4, 3)),
        ((39, 39), (3, 3, 4)),
    ],
)
def test_a_barrier_lets_weights_be_sparse_where_nothing_may_run_sparse(size, filters):
    def net(g):
        x = separable(g, trunk(g, size))
        return head(g, g.depthwise(x, stride=2))

    result = adapted(build(net), only=("barriers",))
    assert result.passes == ["barriers"]
    stem = next(op for op in Model.read(result.after).operators() if op.name == "CONV_2D")
    assert stem.inputs[1].shape[1:] == filters
    same_numbers(result)
    stored = Model.read(result.after)
    assert sparsify(stored).weights
    small = Model.read(stored.to_bytes())
    assert plan(small.subgraphs[0], "arm64").outcome is Outcome.DENSE
    bare = Model.read(result.before)
    assert not sparsify(bare).weights


def test_no_barrier_where_the_model_runs_sparse():
    result = adapted(build(lambda g: head(g, separable(g, trunk(g)))), only=("barriers",))
    assert not result.done


def test_a_map_that_two_towers_share_the_image_of_runs_in_both():
    def make(g):
        image = g.input((1, 16, 16, 3))
        towers = [
            head(g, separable(g, g.conv2d(image, CHANNELS, 3, 2, name=f"stem_{i}"))) for i in (0, 1)
        ]
        return tuple(towers)

    result = adapted(build(make))
    (view,) = (v for v in result.rewrite.adaptation.outlook if v.target == "arm64")
    assert view.sparse_after == view.pointwise
    same_numbers(result, 16)


def in_blocks(g, x):
    """A 1x1 convolution with zeros in blocks of 4 output channels."""
    mask = block_mask(g.rng, (CHANNELS, 1, 1, CHANNELS), (4, 1, 1, 1), 0.9)
    return g.conv2d(x, CHANNELS, mask=mask)


def test_every_pass_has_been_seen_here():
    nets = [
        build(lambda g: head(g, separable(g, stock(g)))),
        build(lambda g: g.conv2d(separable(g, trunk(g)), 6, zeros=0.9)),
        build(lambda g: g.conv2d(g.mean(separable(g, trunk(g)), keep_dims=True), 4)),
        through(lambda g, x: g.sub(x, g.unary("TANH", x))),
        slow_start(12),
        build(lambda g: head(g, computed(g, trunk(g)))),
        through(lambda g, x: g.conv2d(g.conv2d(x, 128, zeros=0.9), 128, 3, zeros=0.9), (32, 32)),
        build(lambda g: head(g, in_blocks(g, trunk(g)))),
    ]
    seen = {name for data in nets for name in adapted(data).passes}
    seen |= set(adapted(build(unending), only=("barriers",)).passes)
    assert seen == set(PASSES.names)
