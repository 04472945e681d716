"""`optimize` repairs every case that the runtime gets wrong."""

from __future__ import annotations

import pytest

from tests.runtime_model.cases import CASES
from tflite_sparse.model import Model
from tflite_sparse.rewrite.failing import failing
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.xnnpack.plan_types import Outcome

FAILING = [name for name, case in CASES.items() if case.expect.is_failure]


@pytest.mark.parametrize("name", FAILING)
def test_a_case_that_fails_is_repaired(name: str) -> None:
    model = Model.read(CASES[name].build())
    wrong = failing(model)
    assert wrong is not None
    assert wrong.outcome is CASES[name].expect
    result = optimize(model)
    assert result.changed
    assert failing(Model.read(result.model.to_bytes())) is None


def test_all_kinds_of_failure_are_among_them() -> None:
    kinds = {CASES[name].expect for name in FAILING}
    assert kinds == {outcome for outcome in Outcome if outcome.is_failure}
