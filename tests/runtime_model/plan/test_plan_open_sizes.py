"""The plan of random nets that leave height and width open is right at real sizes.

LiteRT runs each at the size that it was planned at, and then, in the same interpreter, at another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from tests.support.emulator import needs_emulator
from tests.support.nets.random_nets import random_net
from tests.support.nets.random_tangles import random_tangle
from tests.support.open_sizes import opened
from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.model.sizes.sized import input_shapes_of, resize
from tflite_sparse.runtime.litert.driver import profile_many, run_many
from tflite_sparse.xnnpack.plan import Plan, plan

COUNT = 24
BATCH = 12
OTHER_SIZES = (48, 45, 33, 64)
RELATIVE, ABSOLUTE = 3e-5, 2e-6


class Net(NamedTuple):
    content: bytes
    words: str
    trials: list[dict[str, np.ndarray]]
    plan: Plan


def net_of(content: bytes, words: str) -> Net | None:
    """A net with inputs of the size that it is planned at and of another; None if it has no two."""
    model = Model.read(content)
    sizes = input_shapes_of(model)
    if not sizes.inputs or sizes.unknown:
        return None
    planned = plan(model.main, "x86-noavx")
    shapes = [model.main.inputs[0].shape]
    for size in OTHER_SIZES:
        batch, _, _, channels = shapes[0]
        try:
            resize(model, {"": (batch, size, size + 1, channels)})
        except UsageError:
            continue
        shapes.append(model.main.inputs[0].shape)
        break
    else:
        return None
    rng = np.random.default_rng(7)
    trials = [{"0": rng.standard_normal(shape).astype(np.float32)} for shape in shapes]
    return Net(content, f"{words} at {shapes}", trials, planned)


def nets(make, first: int) -> list[Net]:
    found: list[Net] = []
    number = first
    while len(found) < BATCH:
        content, words = make(number)
        net = net_of(opened(content), f"{number}: {words}")
        found += [net] if net is not None else []
        number += 1
    return found


def alike(result, reference) -> bool:
    return all(
        result[name].shape == value.shape
        and np.allclose(
            result[name], value, rtol=0, atol=ABSOLUTE + RELATIVE * float(np.abs(value).max())
        )
        for name, value in reference.items()
    )


@needs_emulator
@pytest.mark.parametrize("first", range(0, 20 * COUNT, 20 * BATCH))
@pytest.mark.parametrize("make", [random_net, random_tangle])
def test_plan_and_runtime_agree_where_height_and_width_are_open(make, first):
    chosen = nets(make, first)
    jobs = [(net.content, net.trials) for net in chosen]
    results = run_many(jobs, emulate=True)
    references = run_many(jobs, backend="builtin")
    shapes = [[net.trials[0]["0"].shape] for net in chosen]
    profiles = profile_many([net.content for net in chosen], emulate=True, shapes=shapes)
    wrong = []
    for net, result, reference, profile in zip(chosen, results, references, profiles, strict=True):
        assert reference.ok, reference.detail
        right = result.ok and all(map(alike, result.trials, reference.trials))
        if right is net.plan.outcome.is_failure:
            wrong.append(f"{net.words}: {net.plan.outcome}, but {result.status}, right: {right}")
        executed = tuple(op.name for op in profile.operators if op.delegated)
        if profile.ok and executed != net.plan.executed:
            wrong.append(f"{net.words}: {executed} for {net.plan.executed}")
    assert wrong == []
