"""What `inspect` promises of sparse storage is what `sparsify` does, on all models of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime_model.cases import CASES
from tests.support.architectures import OUT_OF_REACH, build
from tests.support.nets.if_sparse import disagreements
from tests.support.nets.random_nets import random_net
from tests.support.real_models import all_real_models, real_model


def test_on_the_cases_of_the_runtime() -> None:
    found = {name: disagreements(case.build()) for name, case in CASES.items()}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("name", all_real_models())
def test_on_real_models(name: str) -> None:
    assert disagreements(Path(real_model(name)).read_bytes()) == []


@pytest.mark.parametrize("name", OUT_OF_REACH)
def test_on_architectures_that_stay_dense(name: str) -> None:
    assert disagreements(build(name, small=True)) == []


@pytest.mark.parametrize("seed", range(20))
def test_on_random_nets(seed: int) -> None:
    assert disagreements(random_net(seed)[0]) == []
