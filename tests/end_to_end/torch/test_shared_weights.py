"""What other parts of a file have too stays as it is in a training."""

from __future__ import annotations

import numpy as np

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.model import Model
from tflite_sparse.torch import DistillOptions, distill


def test_weights_that_another_subgraph_or_metadata_have_too_are_not_trained():
    builder = ModelBuilder()
    shared = builder.buffer(builder.rng.standard_normal(72).astype(np.float32))
    builder.metadata("offsets", np.full(8, 0.1, np.float32).tobytes())
    told = builder.table.metadata[0].buffer
    for _ in range(2):
        g = builder.graph()
        x = g.conv2d(g.input((1, 8, 8, 3)), 8, 3, 2, name="stem")
        filters = g.constant(np.zeros((1, 3, 3, 8), np.float32), "kept", buffer=shared)
        bias = g.constant(np.zeros(8, np.float32), "kept too", buffer=told)
        x = g.conv2d(g.depthwise(x, filters=filters, bias=bias), 8)
        g.output(g.fully_connected(g.mean(x), 4))
    model = Model.read(builder.build())
    samples = np.random.default_rng(0).standard_normal((24, 8, 8, 3)).astype(np.float32)
    options = DistillOptions(
        zeros=0.5, masks="fixed", steps=12, batch=4, evaluate=4, every=2, learning_rate=1e-2
    )
    after = distill(model, samples, options).model
    changed = [
        (before.subgraph.index, before.name)
        for one, other in zip(model.subgraphs, after.subgraphs, strict=True)
        for before, now in zip(one.tensors, other.tensors, strict=True)
        if before.is_constant and not np.array_equal(before.data, now.data)
    ]
    assert (0, "stem/filter") in changed
    assert not any(number or name.startswith("kept") for number, name in changed)
