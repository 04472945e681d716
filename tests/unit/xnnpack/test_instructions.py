"""The estimate of instructions on 64-bit Arm, beside what was counted under emulation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build_subgraph
from tests.support.nets.weights import block_mask
from tests.support.real_models import real_model
from tests.unit.xnnpack.test_plan import filters, mobilenet
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.assumptions import WhatIf
from tflite_sparse.xnnpack.cost.instruction_prices import PRICES
from tflite_sparse.xnnpack.cost.instructions import amounts, instruction_estimate
from tflite_sparse.xnnpack.plan import plan

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.model import Subgraph

COUNTS = Path(__file__).parents[3] / "benchmarks" / "arm64" / "instructions.json"
COUNTED = json.loads(COUNTS.read_text("utf-8"))["nets"]


@pytest.fixture(scope="module")
def graph() -> Subgraph:
    return build_subgraph(mobilenet)


def assumed(graph: Subgraph, zeros: float, block: int) -> WhatIf:
    weights, rng = filters(graph), np.random.default_rng(0)
    shapes = {index: graph.tensors[index].shape for index in weights}
    if block == 1:
        counts = {index: round(graph.tensors[index].size * zeros) for index in weights}
        return WhatIf(encoded=frozenset(weights[:1] if zeros else ()), zeros=counts)
    masks = {i: ~block_mask(rng, shape, (block, 1, 1, 1), zeros) for i, shape in shapes.items()}
    return WhatIf(encoded=frozenset(weights[:1]), zeros=masks)


@pytest.mark.parametrize("counted", COUNTED, ids=lambda row: f"{row['processor']}-{row['zeros']}")
def test_estimate_meets_the_counts(graph: Subgraph, counted: dict[str, float]) -> None:
    assume = assumed(graph, counted["zeros"], int(counted["block"]))
    made = instruction_estimate(plan(graph, "arm64", assume=assume), graph)
    assert made is not None
    (found,) = [each for each in made.processors if each.processor == counted["processor"]]
    assert found.planned == pytest.approx(counted["instructions"], rel=0.025)


def test_range_goes_from_one_processor_to_another(graph: Subgraph) -> None:
    made = instruction_estimate(plan(graph, "arm64", assume=assumed(graph, 0.8, 1)), graph)
    assert made is not None
    assert made.least == pytest.approx(2.02, rel=0.02)
    assert made.most == pytest.approx(3.30, rel=0.02)
    assert [each.processor for each in made.processors] == ["cortex-a76", "cortex-a53"]
    assert "not time" in made.counted


@pytest.mark.parametrize("target", ["wasm", "arm64-fp16", "armv7", "arm64@litert-2.0"])
def test_nothing_is_told_of_targets_that_nobody_has_counted(graph: Subgraph, target: str) -> None:
    assert instruction_estimate(plan(graph, target), graph) is None


def test_integers_have_no_prices() -> None:
    def layer(g: GraphBuilder) -> Value:
        return g.conv2d(g.input((1, 8, 8, 16), "INT8", scale=0.1), 8, storage="int8")

    quantized = build_subgraph(layer)
    assert instruction_estimate(plan(quantized, "arm64"), quantized) is None


def test_transposed_convolutions_have_a_price_of_their_own() -> None:
    def layer(g: GraphBuilder) -> Value:
        return g.transpose_conv(g.input((1, 8, 8, 16)), 8)

    found = build_subgraph(layer)
    made = plan(found, "arm64")
    told = instruction_estimate(made, found)
    assert told is not None
    macs = sum(op.macs for op in made.operators)
    assert told.processors[0].dense == pytest.approx(macs * PRICES["cortex-a76"]["transposed"])


def test_all_that_is_counted_has_a_price_on_every_processor(graph: Subgraph) -> None:
    assert len({frozenset(prices) for prices in PRICES.values()}) == 1
    made = plan(graph, "arm64", assume=assumed(graph, 0.8, 1))
    for op in made.operators:
        assert amounts(op, graph.operators[op.index], None).keys() <= PRICES["cortex-a76"].keys()


# (shape, instructions of REVERSE_V2 along height and width, counted on an emulated Cortex-A76)
@pytest.mark.parametrize(
    ("shape", "counted"),
    [
        ((1, 224, 224, 3), 1_354_800),
        ((1, 64, 64, 12), 106_500),
        ((1, 128, 128, 32), 524_000),
        ((1, 64, 64, 96), 270_200),
        ((1, 16, 16, 192), 28_950),
    ],
)
def test_pixels_are_reversed_whole(shape: tuple[int, ...], counted: float) -> None:
    subgraph = build_subgraph(lambda g: g.reverse(g.input(shape), [1, 2]))
    (op,) = plan(subgraph, "arm64").operators
    prices = PRICES["cortex-a76"]
    work = amounts(op, subgraph.operators[0], None)
    assert sum(amount * prices[name] for name, amount in work.items()) == pytest.approx(
        counted, rel=0.12
    )


def test_a_transposed_convolution_to_one_channel_costs_a_tile_of_them() -> None:
    """The end of MediaPipe's selfie_segmentation: 4.2 million were counted, of 16 channels to 1."""
    graph = Model.read(real_model("selfie_segmentation")).main
    planned = plan(graph, "arm64")
    (last,) = [op for op in planned.operators if op.name == "CUSTOM"]
    work = amounts(last, graph.operators[last.index], None)
    assert work["transposed"] * PRICES["cortex-a76"]["transposed"] == pytest.approx(4.2e6, rel=0.06)


def test_a_transposed_convolution_to_whole_tiles_costs_its_multiplications() -> None:
    graph = build_subgraph(lambda g: g.transpose_conv(g.input((1, 8, 8, 16)), 8))
    (only,) = plan(graph, "arm64").operators
    assert amounts(only, graph.operators[0], None) == {"transposed": float(only.macs)}
