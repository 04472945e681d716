"""Operators that move values, with their options, against LiteRT."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as litert_schema
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.end_to_end.torch.same import assert_same_as_litert, built

FEW = settings(max_examples=20, deadline=None, derandomize=True)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=3))
@FEW
def test_padding(around):
    paddings = ((0, 0), *around)
    shape = tuple(s + b + a for s, (b, a) in zip((1, 5, 6, 4), paddings, strict=True))
    for value in (None, 0.5):
        assert_same_as_litert(built(lambda g, x, v=value: g.pad(x, paddings, v)))
    for mode in ("REFLECT", "SYMMETRIC"):
        options = litert_schema.MirrorPadOptionsT()
        options.mode = getattr(litert_schema.MirrorPadMode, mode)

        def mirror(graph, x, options=options):
            amounts = graph.constant(np.array(paddings, np.int32))
            return graph.op("MIRROR_PAD", [x, amounts], [(shape, "FLOAT32")], options)[0]

        assert_same_as_litert(built(mirror))


BOUNDS = st.tuples(st.integers(-7, 7), st.integers(-7, 7), st.sampled_from([1, 2, 3, -1, -2]))


@given(
    st.lists(BOUNDS, min_size=3, max_size=3),
    st.tuples(*[st.integers(0, 7)] * 2),
    st.sampled_from([0, 2, 4]),
    st.sampled_from([0, 1, 2]),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_strided_slice(bounds, open_ends, shrunk, new):
    begins, ends, strides = (list(numbers) for numbers in zip((0, 1, 1), *bounds, strict=True))
    options = litert_schema.StridedSliceOptionsT()
    options.beginMask, options.endMask = open_ends
    options.shrinkAxisMask = shrunk
    options.newAxisMask = new & ~shrunk
    index = []
    for bit in range(4):
        if options.newAxisMask >> bit & 1:
            index.append(None)
        elif shrunk >> bit & 1:
            size = (1, 5, 6, 4)[bit - (options.newAxisMask & (1 << bit) - 1).bit_count()]
            begins[bit], strides[bit] = begins[bit] % size, 1
            index.append(begins[bit])
        else:
            index.append(
                slice(
                    None if open_ends[0] >> bit & 1 else begins[bit],
                    None if open_ends[1] >> bit & 1 else ends[bit],
                    strides[bit],
                )
            )
    shape = np.zeros((1, 5, 6, 4))[tuple(index)].shape
    assume(np.prod(shape) > 0)

    def make(graph, x):
        operands = [graph.constant(np.array(v, np.int32)) for v in (begins, ends, strides)]
        return graph.op("STRIDED_SLICE", [x, *operands], [(shape, "FLOAT32")], options)[0]

    assert_same_as_litert(built(make), resolvers=(False,))


def _gathered(graph, x):
    options = litert_schema.GatherOptionsT()
    options.axis = 2
    index = graph.constant(np.array([[3, 0], [1, 1]], np.int32))
    return graph.op("GATHER", [x, index], [((1, 5, 2, 2, 4), "FLOAT32")], options)[0]


def _split_unevenly(graph, x):
    options = litert_schema.SplitVOptionsT()
    options.numSplits = 2
    operands = [graph.constant(np.array(v, np.int32)) for v in ([1, 3], 3)]
    shapes = [((1, 5, 6, 1), "FLOAT32"), ((1, 5, 6, 3), "FLOAT32")]
    return graph.concat(graph.op("SPLIT_V", [x, *operands], shapes, options)[::-1])


def _packed(graph, x):
    options = litert_schema.UnpackOptionsT()
    options.num, options.axis = 4, 3
    parts = graph.op("UNPACK", [x], [((1, 5, 6), "FLOAT32")] * 4, options)
    options = litert_schema.PackOptionsT()
    options.valuesCount, options.axis = 2, 1
    return graph.op("PACK", [parts[3], parts[1]], [((1, 2, 5, 6), "FLOAT32")], options)[0]


def _tiled(graph, x):
    counts = graph.constant(np.array([1, 1, 2, 1], np.int32))
    return graph.op("TILE", [x, counts], [((1, 5, 12, 4), "FLOAT32")])[0]


def _expanded(graph, x):
    axis = graph.constant(np.array(-1, np.int32))
    x = graph.op("EXPAND_DIMS", [x, axis], [((1, 5, 6, 4, 1), "FLOAT32")])[0]
    return graph.squeeze(x, (0, 4))


def _product(graph, x):
    x = graph.reshape(x, (1, 5, 6, 4))
    made = graph.batch_matmul(x, np.random.default_rng(2).uniform(-1, 1, (4, 3)).astype("f4"))
    options = litert_schema.BatchMatMulOptionsT()
    options.adjX = True
    return graph.op("BATCH_MATMUL", [x, made], [((1, 5, 4, 3), "FLOAT32")], options)[0]


def _selected(graph, x):
    half = graph.constant(np.float32(0.25))
    larger = graph.op("GREATER", [x, half], [(x.shape, "BOOL")])[0]
    return graph.op("SELECT_V2", [larger, x, half], [(x.shape, "FLOAT32")])[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda g, x: g.reshape(x, (6, -1)),
        lambda g, x: g.squeeze(x, ()),
        lambda g, x: g.transpose(x, (0, 3, 1, 2)),
        lambda g, x: g.transpose(x, (3, 1, 0, 2)),
        lambda g, x: g.concat([x, x], 2),
        lambda g, x: g.concat([x, x], -1),
        lambda g, x: g.concat(g.split(x, 2)[::-1]),
        lambda g, x: g.slice(x, (0, 1, 2, 0), (1, 3, 4, 2)),
        lambda g, x: g.reverse(x, (1, 2)),
        lambda g, x: g.depth_to_space(x),
        lambda g, x: g.space_to_depth(g.pad(x, ((0, 0), (1, 0), (0, 0), (0, 0)))),
        lambda g, x: g.op("ADD_N", [x, x, x], [(x.shape, "FLOAT32")])[0],
        _gathered,
        _split_unevenly,
        _packed,
        _tiled,
        _expanded,
        _product,
        _selected,
    ],
    ids=lambda make: make.__code__.co_name + str(make.__code__.co_firstlineno),
)
def test_moving(make):
    assert_same_as_litert(built(make))
