"""The graph in parts: each operator runs once, and computes what it does in the whole model."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.adapted import stack
from tests.support.nets.random_nets import random_net
from tests.support.nets.small_nets import build, entry, head
from tflite_sparse.model import Model
from tflite_sparse.pruning.calibrated.cut import live_tensors
from tflite_sparse.pruning.calibrated.walk import Walk
from tflite_sparse.runtime.activations.capture import activations
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.storage.moments.reads import filter_read

NETS = {
    "stack": stack(),
    "fp16 weights": stack(storage="fp16"),
    **{f"random {seed}": random_net(seed)[0] for seed in range(4)},
}


@pytest.mark.parametrize("name", NETS)
def test_tensors_that_lead_over_a_cut_hold_what_they_do_in_the_whole_model(name):
    data = NETS[name]
    model = Model.read(data)
    inputs = random_inputs(input_specs(model), 2)
    count = len(model.main.operators)
    with Walk(model, inputs) as walk:
        for position in sorted({1, count // 3, count // 2, count - 1}):
            walk.to(position, model)
            live = [tensor.index for tensor in live_tensors(model.main, position)]
            assert set(walk.dense) == set(live)
            whole = list(activations(data, live, inputs))
            for index in live:
                for number, value in enumerate(walk.dense[index].each()):
                    expected = whole[number][index]
                    close = 1e-4 * max(1.0, float(np.abs(expected).max()))
                    np.testing.assert_allclose(value, expected, atol=close, err_msg=name)


def test_both_sides_part_where_a_filter_is_changed():
    model = Model.read(build(lambda g: head(g, g.conv2d(entry(g), 16, name="pointwise"))))
    inputs = random_inputs(input_specs(model), 3)
    place = next(op.index for op in model.main.operators if op.outputs[0].name == "pointwise")
    changed = model.copy()
    tensor = changed.main.operators[place].inputs[1]
    tensor.buffer.data = np.asarray(tensor.data) * 2
    with Walk(model, inputs) as walk:
        walk.to(place, changed)
        assert walk.dense == walk.pruned
        operator = model.main.operators[place]
        rows = np.asarray(operator.inputs[1].data).reshape(16, -1)
        sums = walk.sums(filter_read(operator), rows)
        np.testing.assert_allclose(sums.together, rows @ sums.products, rtol=1e-3, atol=1e-3)
        walk.to(place + 1, changed)
        (index,) = walk.dense
        pairs = zip(walk.dense[index].each(), walk.pruned[index].each(), strict=True)
        assert all(not np.allclose(one, two) for one, two in pairs)
