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


DATA = through(net)

DAMAGE = {
    "reads nothing": lambda op: setattr(op, "inputs", ()),
    "reads one": lambda op: setattr(op, "inputs", op.inputs[:1]),
    "lacks its first": lambda op: setattr(op, "inputs", (None, *op.inputs[1:])),
    "lacks all": lambda op: setattr(op, "inputs", (None,) * len(op.inputs)),
    "writes nothing": lambda op: setattr(op, "outputs", ()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_operator_that_lacks_operands_is_left(damage):
    for number in range(len(Model.read(DATA).main.operators)):
        model = Model.read(DATA)
        DAMAGE[damage](model.main.operators[number])
        model.main.relink()
        with contextlib.suppress(TfliteSparseError):
            data = model.to_bytes()
            graph = Model.read(data).main
            instruction_estimate(plan(graph, "arm64"), graph)
            adapt(Model.read(data), AdaptOptions(min_gain=0))
