"""The plan is right about random nets, operator by operator.

The number of nets of each kind is that of the environment variable TFLITE_SPARSE_RANDOM_NETS, from
the number in TFLITE_SPARSE_FIRST_NET on.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.runtime_model.side_by_side import compare
from tests.support.emulator import needs_emulator
from tests.support.nets.random_nets import random_net
from tests.support.nets.random_tangles import random_tangle
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 20
COUNT = int(os.environ.get("TFLITE_SPARSE_RANDOM_NETS", "100"))
FIRST = int(os.environ.get("TFLITE_SPARSE_FIRST_NET", "0"))


@needs_emulator
@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, BATCH))
@pytest.mark.parametrize("make", [random_net, random_tangle])
def test_plan_and_runtime_agree_on_random_nets(
    make: Callable[[int], tuple[bytes, str]], first: int
) -> None:
    numbers = range(first, min(first + BATCH, FIRST + COUNT))
    nets = [make(number) for number in numbers]
    comparisons = compare([model for model, _ in nets])
    disagreements = [
        f"net {number} ({words}): {found}"
        for number, (_, words), found in zip(numbers, nets, comparisons, strict=True)
        if not found.agree
    ]
    assert disagreements == []


@pytest.mark.parametrize("make", [random_net, random_tangle])
def test_random_nets_are_the_same_for_the_same_number(
    make: Callable[[int], tuple[bytes, str]],
) -> None:
    assert make(5) == make(5)
    assert make(5) != make(6)


def test_random_nets_have_every_outcome_that_loads() -> None:
    found = {
        plan(Model.read(random_net(number)[0]).subgraphs[0], "x86-noavx").outcome
        for number in range(60)
    }
    assert found >= {Outcome.SPARSE, Outcome.DENSE, Outcome.WRONG_NUMBERS, Outcome.LOAD_FAILURE}
