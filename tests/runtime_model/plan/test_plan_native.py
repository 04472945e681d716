"""The plan is right about the machine that the tests run on, without an emulator."""

from __future__ import annotations

import pytest

from tests.support.nets.random_nets import random_net
from tflite_sparse.model import Model
from tflite_sparse.runtime.litert.driver import profile_many
from tflite_sparse.runtime.litert.processor import native_target
from tflite_sparse.xnnpack.plan import plan

BATCH = 20


@pytest.mark.parametrize("first", [0, 20])
def test_plan_and_this_machine_agree_on_random_nets(first: int) -> None:
    target = native_target()
    models = [random_net(number)[0] for number in range(first, first + BATCH)]
    compared = 0
    for number, (model, found) in enumerate(
        zip(models, profile_many(models), strict=True), start=first
    ):
        made = plan(Model.read(model).subgraphs[0], target)
        if made.outcome.is_failure:
            continue
        compared += 1
        assert found.ok, f"net {number}: {found.detail}"
        if target.startswith("x86"):
            assert found.delegated == made.executed, f"net {number}"
        else:
            # Dense products have other names where the processor has matrix units.
            sparse = [name for name in made.executed if "NCHW" in name]
            assert [name for name in found.delegated if "NCHW" in name] == sparse, f"net {number}"
    assert compared > BATCH // 2
