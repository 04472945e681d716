"""By which prices alternatives are compared."""

from __future__ import annotations

import msgspec
import pytest

from tests.support.nets.small_nets import build_subgraph, head, trunk
from tflite_sparse.xnnpack.cost.instruction_prices import PRICES
from tflite_sparse.xnnpack.cost.instructions import instructions
from tflite_sparse.xnnpack.cost.planning import Planning
from tflite_sparse.xnnpack.cost.prices import COSTS, PER_INSTRUCTION, costs_of
from tflite_sparse.xnnpack.plan import plan

WASM, ARM64 = COSTS["wasm"], PER_INSTRUCTION["arm64"]


@pytest.mark.parametrize(
    ("targets", "together"),
    [
        (("arm64", "armv7", "wasm"), WASM),
        (("wasm", "arm64@litert-1.3", "armv7"), WASM),
        (("wasm",), WASM),
        (("armv7", "riscv"), WASM),
        (("arm64",), ARM64),
        (("arm64@litert-2.0",), ARM64),
    ],
)
def test_times_decide_for_all_but_what_is_made_for_arm64(targets, together) -> None:
    assert Planning(targets).together == together


def test_of_several_targets_the_mean_counts() -> None:
    mean = Planning(("arm64", "wasm")).together
    for name in ("sparse", "entry", "moved"):
        each = [getattr(costs, name) / costs.dense for costs in (WASM, ARM64)]
        assert getattr(mean, name) == pytest.approx(sum(each) / 2)


def test_a_run_costs_what_the_estimate_says_of_its_target() -> None:
    subgraph = build_subgraph(lambda g: head(g, trunk(g)))
    made = plan(subgraph, "arm64")
    counted = instructions(made, subgraph, PRICES["cortex-a76"])
    assert Planning(("arm64",)).run(made, subgraph) == counted
    assert Planning().run(made, subgraph) != counted
    assert Planning().costs("arm64") == costs_of("arm64")


def test_a_release_of_a_target_is_priced_like_the_target() -> None:
    subgraph = build_subgraph(lambda g: head(g, trunk(g)))
    older = plan(subgraph, "arm64@litert-2.0")
    assert Planning((older.target.name,)).run(older, subgraph) is not None


def test_a_filter_costs_the_same_slope_as_the_estimate() -> None:
    subgraph = build_subgraph(lambda g: head(g, trunk(g)))
    made = plan(subgraph, "arm64")
    planning = Planning(("arm64",))
    fewer = [
        msgspec.structs.replace(each, zeros=0 if each.pointwise else each.zeros)
        for each in made.filters
    ]
    full = planning.run(msgspec.structs.replace(made, filters=tuple(fewer)), subgraph)
    now = planning.run(made, subgraph)
    assert full is not None
    assert now is not None
    told = 0.0
    for each in made.filters:
        op = made.operators[each.operator]
        if op.kernel is not None:
            operator = subgraph.operators[each.operator]
            kept = planning.kept("arm64", op, operator, op.kernel)
            told += kept * each.zeros / each.parameters
    assert told > 0
    assert full[1] - now[1] == pytest.approx(told)
