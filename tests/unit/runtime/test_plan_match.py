"""Executed operators beside the plan: equal ones agree, anything else does not."""

from __future__ import annotations

import msgspec
import pytest

from tests.support.nets.small_nets import build_subgraph, head, trunk
from tflite_sparse.runtime.observations import ExecutedOperator, Profile
from tflite_sparse.runtime.plan_match import against_plan
from tflite_sparse.xnnpack.plan import plan

TARGET = "x86-noavx"


@pytest.fixture(scope="module")
def net():
    return build_subgraph(lambda g: head(g, trunk(g)))


def _profile(names: tuple[str, ...]) -> Profile:
    operators = (ExecutedOperator(name, 1.0, True, i, 0) for i, name in enumerate(names))
    return Profile("ok", operators=tuple(operators), runs=1)


def test_what_was_planned_agrees(net):
    names = plan(net, TARGET).executed
    assert any(name.endswith("SPMM") for name in names)
    found = against_plan(net, _profile(names), TARGET)
    assert found.agree
    assert [row.executed for row in found.rows] == list(names)


def test_every_row_knows_the_operator_of_the_model(net):
    found = against_plan(net, _profile(plan(net, TARGET).executed), TARGET)
    owners = [row.operator for row in found.rows if row.executed and "SPMM" in row.executed]
    assert owners
    assert all(owner and "CONV_2D" in owner for owner in owners)


@pytest.mark.parametrize(("target", "own"), [("arm64", "PF32"), ("arm64-fp16", "PF16")])
def test_products_that_are_packed_for_sme_are_those_that_were_planned(net, target, own):
    names = plan(net, target).executed
    packed = tuple(n.replace(f", {own[1:]}) GEMM", f", {own}) GEMM") for n in names)
    assert packed != names
    assert against_plan(net, _profile(packed), target).agree
    other = tuple(n.replace(own, f"Q{own}") for n in packed)
    assert not against_plan(net, _profile(other), target).agree


def _without_last(names: tuple[str, ...]) -> tuple[str, ...]:
    return names[:-1]


def _with_one_more(names: tuple[str, ...]) -> tuple[str, ...]:
    return (*names, "Softmax (NC, F32)")


def _with_another(names: tuple[str, ...]) -> tuple[str, ...]:
    return (names[0] + "!", *names[1:])


@pytest.mark.parametrize("change", [_without_last, _with_one_more, _with_another])
def test_one_operator_that_is_not_as_planned_is_seen(net, change):
    names = plan(net, TARGET).executed
    found = against_plan(net, _profile(change(names)), TARGET)
    assert not found.agree
    assert sum(not row.agrees for row in found.rows) == 1


def test_operators_outside_xnnpack_are_listed_and_held_against_nothing(net):
    made = _profile(plan(net, TARGET).executed)
    outside = ExecutedOperator("GATHER", 2.0, False, 9, None)
    found = against_plan(
        net, msgspec.structs.replace(made, operators=(*made.operators, outside)), TARGET
    )
    assert found.agree
    assert found.rows[-1].operator == "GATHER #9"


@pytest.mark.parametrize("status", ["crashed", "load-failure", "run-failure"])
def test_a_failure_that_was_not_planned_is_no_agreement(net, status):
    assert not against_plan(net, Profile(status), TARGET).agree


def test_a_failure_that_was_planned_is_one():
    from tests.support.nets.failing import aborting
    from tflite_sparse.model import Model

    net = Model.read(aborting()).subgraphs[0]
    assert against_plan(net, Profile("crashed"), TARGET).agree
