"""The plan is right about random nets, operator by operator.

The number of nets is that of the environment variable TFLITE_SPARSE_RANDOM_NETS, from the number in
TFLITE_SPARSE_FIRST_NET on.
"""

from __future__ import annotations

import os

import pytest

from tests.runtime.emulator import needs_emulator
from tests.runtime.random_nets import random_net
from tests.runtime.side_by_side import compare
from tflite_sparse.model import Model
from tflite_sparse.xnnpack import Outcome, plan

BATCH = 20
COUNT = int(os.environ.get("TFLITE_SPARSE_RANDOM_NETS", "160"))
FIRST = int(os.environ.get("TFLITE_SPARSE_FIRST_NET", "0"))


@needs_emulator
@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, BATCH))
def test_plan_and_runtime_agree_on_random_nets(first: int) -> None:
    numbers = range(first, min(first + BATCH, FIRST + COUNT))
    nets = [random_net(number) for number in numbers]
    comparisons = compare([model for model, _ in nets])
    disagreements = [
        f"net {number} ({words}): {found}"
        for number, (_, words), found in zip(numbers, nets, comparisons, strict=True)
        if not found.agree
    ]
    assert disagreements == []


def test_random_nets_are_the_same_for_the_same_number() -> None:
    assert random_net(5) == random_net(5)
    assert random_net(5) != random_net(6)


def test_random_nets_have_every_outcome_that_loads() -> None:
    found = {
        plan(Model.read(random_net(number)[0]).subgraphs[0], "x86-noavx").outcome
        for number in range(60)
    }
    assert found >= {Outcome.SPARSE, Outcome.DENSE, Outcome.WRONG_NUMBERS, Outcome.LOAD_FAILURE}
