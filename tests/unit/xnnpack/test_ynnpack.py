"""The target of a delegate that has no sparse path, and does not unpack sparse weights."""

from __future__ import annotations

import pytest

from tests.runtime_model.cases import CASES
from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.plan import Plan, plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.runtimes import MAINTAINED
from tflite_sparse.xnnpack.releases.targets import on_older, on_releases, target, targets


def planned(case: str, where: str = "ynnpack") -> Plan:
    return plan(Model.read(CASES[case].build()).main, where)


def test_what_runs_sparse_elsewhere_is_dense_and_its_densify_is_kept():
    made = planned("entry.pad_one_on_each_side")
    assert made.outcome is Outcome.DENSE
    assert not made.hinted
    kept = [op for op in made.operators if op.name == "DENSIFY"]
    assert kept
    assert {op.refusal.rule for op in kept if op.refusal} == {"densify-kept"}
    assert all(op.delegated for op in made.operators if op.name != "DENSIFY")
    assert made.executed == ()


def test_the_same_model_runs_sparse_where_xnnpack_comes_first():
    assert planned("entry.pad_one_on_each_side", "arm64").outcome is Outcome.SPARSE


def test_an_int8_filter_that_tflite_unpacks_is_found():
    name = "other.quantized_convolution_that_is_sparse"
    assert planned(name, "arm64").outcome is Outcome.LOAD_FAILURE
    assert planned(name).outcome is Outcome.DENSE


def test_it_is_told_only_where_it_is_named_and_has_no_releases():
    assert "ynnpack" not in {entry.name for entry in targets()}
    assert on_releases(["ynnpack", "arm64"], ["litert-1.3"]) == ("ynnpack", "arm64@litert-1.3")
    assert on_older([target("ynnpack")], MAINTAINED) == ()
    with pytest.raises(UsageError, match="does not run on ynnpack"):
        target("ynnpack@litert-2.3")
