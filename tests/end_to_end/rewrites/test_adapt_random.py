"""Adapted random nets compute what they computed, on reference, dense and sparse kernels.

The number of nets is that of the environment variable TFLITE_SPARSE_RANDOM_NETS, from the number in
TFLITE_SPARSE_FIRST_NET on. Of a thousand nets none was off by more than the bound here.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.runtime_model.nets.adaptable_nets import adaptable_net
from tests.support.emulator import needs_emulator
from tests.support.nets.random_nets import random_net
from tests.support.outputs import outputs
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

BATCH = 20
COUNT = int(os.environ.get("TFLITE_SPARSE_RANDOM_NETS", "60"))
FIRST = int(os.environ.get("TFLITE_SPARSE_FIRST_NET", "0"))
# Sums in another order, layer after layer: of the largest value of an output.
LARGEST = 1e-4


def adapted(data: bytes) -> tuple[bytes, bool, Outcome]:
    """A model adapted wherever more of it runs sparse, whether it was, and what comes of it."""
    rewrite = adapt(Model.read(data), AdaptOptions(min_gain=0))
    sparsify(rewrite.model)
    made = rewrite.model.to_bytes()
    return made, rewrite.adaptation.done, plan(Model.read(made).subgraphs[0], "x86-noavx").outcome


def differ(right: list[np.ndarray], found: list[np.ndarray] | None) -> bool:
    if found is None or [v.shape for v in right] != [v.shape for v in found]:
        return True
    return any(
        not np.allclose(b, a, rtol=0, atol=LARGEST * max(1e-3, float(np.abs(a).max(initial=0))))
        for a, b in zip(right, found, strict=True)
    )


@needs_emulator
@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, BATCH))
def test_adapted_nets_compute_the_same_on_all_kernels(first):
    numbers = range(first, min(first + BATCH, FIRST + COUNT))
    nets = [adaptable_net(number) for number in numbers]
    found = [adapted(data) for data, _ in nets]
    right = outputs(*(data for data, _ in nets), delegate=False)
    made = [model for model, _, _ in found]
    wrong = []
    for kernels, results in (
        ("reference", outputs(*made, delegate=False)),
        ("dense", outputs(*made)),
        ("sparse", outputs(*made, emulated=True)),
    ):
        wrong += [
            f"net {number} ({words}) on {kernels} kernels"
            for number, (_, words), a, b in zip(numbers, nets, right, results, strict=True)
            if differ(a, b)
        ]
    assert wrong == []
    # Nor is it right only because nothing was done.
    assert sum(outcome is Outcome.SPARSE for _, _, outcome in found) > 0.7 * len(nets)


@needs_emulator
def test_nets_of_all_outcomes_are_never_made_worse():
    nets = [random_net(number)[0] for number in range(FIRST, FIRST + COUNT // 2)]
    found = [adapted(data) for data in nets]
    assert not any(outcome.is_failure for _, done, outcome in found if done)
    right = outputs(*nets, delegate=False)
    results = outputs(*(made for made, _, _ in found), emulated=True)
    pairs = zip(right, results, found, strict=True)
    assert [i for i, (a, b, (_, done, _)) in enumerate(pairs) if a and done and differ(a, b)] == []
