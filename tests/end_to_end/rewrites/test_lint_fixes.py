"""What lint --fix makes of a model computes the same, on LiteRT's reference kernels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.lint.cases import CASES
from tests.support.litert import run
from tflite_sparse.lint.fix import fix
from tflite_sparse.lint.rule import all_rules
from tflite_sparse.lint.settings import Settings

ENABLED = Settings(enabled=frozenset(rule.code for rule in all_rules()))
# How far numbers may lie apart after the fix of a finding.
TOLERANCES = {
    **dict.fromkeys(
        ("TFS309", "TFS401", "TFS402", "TFS405", "TFS406", "TFS407", "TFS502", "TFS503"), 0
    ),
    # The head is another one.
    "TFS202": 1e-6,
}


@pytest.mark.parametrize("code", TOLERANCES)
def test_a_fixed_model_computes_the_same(code, tmp_path):
    data = CASES[code].trigger()
    path = tmp_path / "m.tflite"
    path.write_bytes(data)
    report = fix(str(path), ENABLED)
    before, after = (run(model, xnnpack=False) for model in (data, report.content))
    assert before
    assert list(before) == list(after)
    for name, value in before.items():
        assert np.allclose(value, after[name], rtol=TOLERANCES[code], atol=TOLERANCES[code])
