"""By which bound outputs are known to be alike: tolerance, range, or the noise of the original."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.errors import RewriteError
from tflite_sparse.model import Model
from tflite_sparse.runtime.compare_outputs import ROUNDING, Bound
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import run
from tflite_sparse.runtime.noise import jittered, spread
from tflite_sparse.runtime.prove import proof_of, verify_files
from tflite_sparse.runtime.verify import Tolerance, verify


def noisy(factor: float = 1.0, *, product: bool) -> bytes:
    """Numbers around 1 that come with the rounding of numbers around 1000.

    A matrix product is added up in another order by each set of kernels, a single product is not.
    """
    model = ModelBuilder()
    g = model.graph()
    x = g.input((128, 64), name="x")
    rng = np.random.default_rng(5)
    if product:
        weights = (rng.uniform(-1, 1, (64, 64)) * 0.2 * factor).astype(np.float32)
        x = g.fully_connected(x, 64, filters=weights)
    else:
        x = g.mul(x, (rng.uniform(1, 2, 64) * factor).astype(np.float32))
    g.output(g.sub(g.add(x, np.float32(1000.0)), np.float32(1000.0)))
    return model.build()


@pytest.mark.parametrize(("product", "bound"), [(True, Bound.KERNELS), (False, Bound.WEIGHTS)])
def test_a_model_may_lie_as_far_away_as_the_original_from_itself(store, product, bound):
    data = noisy(product=product)
    a, b, off = store(data, noisy(1 + 1e-6, product=product), noisy(1.01, product=product))
    found = verify(a, b, trials=1, weights=False, tolerance=ROUNDING)
    assert found.verified
    for entry in found.backends:
        (output,) = entry.outputs
        assert output.max_abs > ROUNDING.range * output.range
        assert output.bound is bound
        assert output.max_abs <= 2 * output.noise
    words = proof_of(found, weights=False).words
    assert ("between XNNPACK and the reference kernels" in words) is product
    assert ("each weight moved by one unit" in words) is not product
    assert not verify(a, off, trials=1, weights=False, tolerance=ROUNDING).equal
    with pytest.raises(RewriteError, match="the original from itself by"):
        verify_files(a, off, weights=False, tolerance=ROUNDING)
    strict = Tolerance(atol=1e-5)
    assert not verify(a, b, trials=1, weights=False, tolerance=strict).equal


@pytest.mark.parametrize("storage", ["dense", "fp16", "fp16-sparse", "int8-values"])
def test_the_noise_of_other_weights_is_that_of_what_operators_compute_with(store, storage):
    model = ModelBuilder()
    g = model.graph()
    g.output(g.fully_connected(g.input((8, 64)), 64, bias=None, zeros=0.8, storage=storage))
    (path,) = store(model.build())
    feeds = random_inputs(input_specs(Model.read(path)), 1)
    one, other = (run(data, feeds) for data in (path, jittered(path)))
    (noise,) = spread(one, other).values()
    assert 0 < noise < 1e-4


def test_wide_outputs_are_held_against_their_range(store):
    def net(bias: float) -> bytes:
        model = ModelBuilder()
        g = model.graph()
        g.output(g.add(g.mul(g.input((1, 64)), np.float32(1000.0)), np.float32(bias)))
        return model.build()

    a, near, far = store(net(1.0), net(1.004), net(1.1))
    found = verify(a, near, trials=1, weights=False, tolerance=ROUNDING)
    assert found.verified
    assert {o.bound for entry in found.backends for o in entry.outputs} == {Bound.RANGE}
    assert "of its range" in proof_of(found).words
    assert not verify(a, far, trials=1, weights=False, tolerance=ROUNDING).equal
