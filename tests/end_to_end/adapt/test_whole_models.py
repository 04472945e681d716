"""What adapting makes of a model computes the same, however its weights and batch are stored."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.adapted import CHANNELS, adapted, separable, stack, unending
from tests.support.nets.small_nets import build
from tests.support.outputs import on_reference
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.runtime.litert.driver import run
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

STORAGES = ["dense", "fp16", "sparse", "fp16-sparse", "int8-values", "int8-values-sparse"]


@pytest.mark.parametrize("storage", STORAGES)
def test_every_storage_of_weights_runs_sparse(storage):
    result = adapted(stack(storage=storage), min_gain=1.03)
    model = Model.read(result.after)
    sparsify(model)
    assert plan(Model.read(model.to_bytes()).subgraphs[0], "arm64").outcome is Outcome.SPARSE
    ((before, after),) = on_reference(result)
    assert np.allclose(before, after, rtol=1e-4, atol=1e-5 * np.abs(before).max())


def test_a_batch_that_may_change_still_may():
    def make(g):
        image = g.input((1, 16, 16, 3), name="image", signature=(-1, 16, 16, 3))
        x = separable(g, g.conv2d(image, CHANNELS, 3, 2))
        return g.conv2d(g.mean(x, keep_dims=True), 4), g.conv2d(x, 6, zeros=0.9)

    result = adapted(build(make))
    feeds = [{"image": np.random.default_rng(0).random((3, 16, 16, 3), np.float32)}]
    before, after = run(result.before, feeds), run(result.after, feeds)
    assert after.ok, after.detail
    pairs = list(zip(before.trials[0].values(), after.trials[0].values(), strict=True))
    assert len(pairs) == 2
    for a, b in pairs:
        assert a.shape == b.shape == (3, *a.shape[1:])
        assert np.allclose(a, b, atol=1e-5)


def test_a_net_without_an_end_stays_right():
    result = adapted(build(unending))
    assert result.done
    ((before, after),) = on_reference(result)
    assert np.allclose(before, after, atol=1e-6)
