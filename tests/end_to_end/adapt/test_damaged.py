"""Operators of damaged files that lack what they read or write are left, and end nothing."""

from __future__ import annotations

import contextlib

import pytest

from tests.support.adapted import CHANNELS, through
from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.xnnpack.cost.instructions import instruction_estimate
from tflite_sparse.xnnpack.plan import plan


def net(g, x):
    x = g.concat(g.split(g.conv2d(x, CHANNELS, zeros=0.9), 2))
    x = g.unary("RELU_0_TO_1", g.fully_connected(x, CHANNELS, zeros=0.9, keep_num_dims=True))
    x = g.conv2d(g.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), CHANNELS, 3, padding="VALID")
    parted = g.reshape(x, (*x.shape[:3], 4, CHANNELS // 4))
    return g.reshape(g.transpose(parted, (0, 1, 2, 4, 3)), x.shape)


def joined(g, x):
    x = g.resize_nearest(g.conv2d(x, CHANNELS, zeros=0.9), [2 * size for size in x.shape[1:3]])
    x = g.transpose_conv(x, CHANNELS, zeros=0.9)
    first = g.concat([x, g.unary("RELU", x)])
    second = g.concat([x, g.unary("RELU", x), g.unary("ABS", x)])
    parts = [g.conv2d(g.unary("RELU", y), CHANNELS, zeros=0.9) for y in (first, second)]
    return g.add(*parts)


NETS = {"parted": through(net), "joined": through(joined)}

DAMAGE = {
    "reads nothing": lambda op: setattr(op, "inputs", ()),
    "reads one": lambda op: setattr(op, "inputs", op.inputs[:1]),
    "lacks its first": lambda op: setattr(op, "inputs", (None, *op.inputs[1:])),
    "lacks all": lambda op: setattr(op, "inputs", (None,) * len(op.inputs)),
    "writes nothing": lambda op: setattr(op, "outputs", ()),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_an_operator_that_lacks_operands_is_left(damage, name):
    whole = NETS[name]
    for number in range(len(Model.read(whole).main.operators)):
        model = Model.read(whole)
        DAMAGE[damage](model.main.operators[number])
        model.main.relink()
        with contextlib.suppress(TfliteSparseError):
            data = model.to_bytes()
            graph = Model.read(data).main
            instruction_estimate(plan(graph, "arm64"), graph)
            adapt(Model.read(data), AdaptOptions(min_gain=0))
