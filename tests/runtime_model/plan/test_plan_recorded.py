"""The plan says of every case what LiteRT was recorded to do with it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.runtime_model.cases import CASES, possible
from tests.runtime_model.observe import rounding
from tests.runtime_model.record import plain, recorded
from tests.runtime_model.rules_of import rules_of
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.explain.rules import RULES
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from tests.runtime_model.cases import Case
    from tflite_sparse.xnnpack.plan import Plan

RECORDED = recorded()
TARGETS = {"emulated": "x86-noavx", "native": "x86-avx"}
# Wrong numbers differ by more than anyone could accept.
GROSS = 0.05

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
each_target = pytest.mark.parametrize("where", TARGETS)

# Rules that no case can show, and why.
WITHOUT_CASE = {
    "filter-computed": "this release of LiteRT leaves layers with a computed filter to TFLite",
    "layout-nhwc-read": "whoever makes a value that is marked for the sparse layout heeds the mark",
    "delegate-bias": "LiteRT itself refuses a CONV_2D without bias, or crashes on a depthwise one",
    "custom-operator": "no kernels of LiteRT run it: shown by test_missing_kernels",
    "no-bias": "no kernels of LiteRT run it: shown by test_missing_kernels",
    "no-options-crash": "LiteRT's process ends: shown by test_missing_kernels",
    "no-bias-crash": "only a kernel that crashes runs it: shown by test_missing_kernels",
    "operands-rejected": "no kernels of LiteRT run it: shown by test_missing_kernels",
    "target-dense": "shown by every case that is recorded on this side of the emulator",
}


@cache
def planned(case: Case, target: str) -> Plan:
    return plan(Model.read(case.build()).subgraphs[0], target)


def observation(case: Case, where: str) -> dict[str, Any]:
    assert case.name in RECORDED, "not recorded yet: python -m tests.runtime_model.record"
    return RECORDED[case.name][where]


@each_target
@each_case
def test_plan_has_the_recorded_outcome(case: Case, where: str) -> None:
    seen = Outcome(observation(case, where)["outcome"])
    assert seen in possible(planned(case, TARGETS[where]).outcome)


@each_target
@each_case
def test_plan_has_the_recorded_operators_in_the_recorded_partitions(case: Case, where: str) -> None:
    seen = observation(case, where)
    made = planned(case, TARGETS[where])
    if made.outcome is Outcome.LOAD_FAILURE:
        assert (seen["partitions"], seen["outside"]) == ([], [])
        return
    if made.outcome is Outcome.PROCESS_ABORT:
        # What ran until then is a matter of luck, but none of it outside of XNNPACK.
        assert seen["outside"] == []
        return
    # A partition of weights that are unpacked alone executes nothing, and does not show.
    names = [list(part.executed) for part in made.partitions if part.executed]
    assert names == plain(seen["partitions"])
    assert [op.name for op in made.operators if not op.delegated] == seen["outside"]


@each_case
def test_case_has_the_outcome_that_it_expects(case: Case) -> None:
    assert Outcome(observation(case, "emulated")["outcome"]) in possible(case.expect)


@each_case
def test_rule_of_the_case_decides(case: Case) -> None:
    assert case.rule in RULES
    mentioned = rules_of(planned(case, "x86-noavx"))
    assert (case.rule in mentioned) is not case.near


@each_target
@each_case
def test_recorded_numbers_are_right_or_grossly_wrong(case: Case, where: str) -> None:
    seen = observation(case, where)
    if seen["outcome"] in ("sparse", "dense"):
        assert seen["difference"] <= rounding(case.build())
    elif seen["outcome"] == "wrong_numbers":
        # There is no difference between arrays of different shapes.
        assert seen["difference"] is None or seen["difference"] >= GROSS
    else:
        assert seen["difference"] is None


def test_recording_has_exactly_the_cases() -> None:
    assert list(RECORDED) == list(CASES)


def test_every_rule_has_a_case() -> None:
    shown = {case.rule for case in CASES.values() if not case.near}
    assert set(RULES) - shown == set(WITHOUT_CASE)


def test_cases_have_every_outcome() -> None:
    assert {case.expect for case in CASES.values()} == set(Outcome)
