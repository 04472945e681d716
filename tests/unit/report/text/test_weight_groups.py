"""Weights summed up by block."""

from __future__ import annotations

import pytest

from tests.support.nets.builder import ModelBuilder
from tests.support.real_models import real_model
from tflite_sparse.inspection.graph_edges import graph_edges
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model
from tflite_sparse.report.text.weight_groups import block_names, group_table


def _blocks(names: list[str]) -> list[str]:
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 8, 8, 16))
    for number, name in enumerate(names):
        x = g.conv2d(x, 16, stride=1 if number % 2 else 2, name=name)
    g.output(x)
    model = Model.read(builder.build())
    found = inspect(model, targets=(), digest=False, gzip=False)
    return block_names(found.weights, graph_edges(model))


@pytest.mark.parametrize(
    ("names", "blocks"),
    [
        (
            ["net/block_1_expand", "net/block_1_project", "net/block_2_expand", "net/block_2_add"],
            ["block_1", "block_1", "block_2", "block_2"],
        ),
        (
            ["m/layer1.0.conv1", "m/layer1.1.conv1", "m/layer2.0.conv1", "m/layer2.1.conv1"],
            ["layer1", "layer1", "layer2", "layer2"],
        ),
        (["stem/a", "stem/b", "head/a", "head/b"], ["stem", "stem", "head", "head"]),
        # Numbered layers tell no blocks; the size of the maps does.
        (
            ["conv2d", "conv2d_1", "conv2d_2", "conv2d_3"],
            ["4x4 maps", "4x4 maps", "2x2 maps", "2x2 maps"],
        ),
        (["net/a", "net/b"], ["4x4 maps", "4x4 maps"]),
    ],
)
def test_blocks_are_those_of_the_names_or_else_of_the_maps(
    names: list[str], blocks: list[str]
) -> None:
    assert _blocks(names) == blocks


def test_the_sums_are_those_of_the_weights() -> None:
    model = Model.read(real_model("pose_detection"))
    found = inspect(model, targets=(), digest=False, gzip=False)
    title, _, *rows = (line.plain for line in group_table(found, graph_edges(model), 80))
    assert title.startswith(f"{len(found.weights)} weights in {len(rows)} blocks")
    assert len(rows) < len(found.weights) / 4
    cells = [row.replace(",", "").replace(" %", "%").split() for row in rows]
    assert sum(int(row[-6]) for row in cells) == len(found.weights)
    now = sum(weight.bytes_now for weight in found.weights) / 1024
    assert sum(float(row[-2]) for row in cells) == pytest.approx(now, abs=0.05 * len(rows))
    saved = sum(weight.saving for weight in found.weights) / 1024
    assert sum(float(row[-1]) for row in cells) == pytest.approx(now - saved, abs=0.1 * len(rows))


def test_the_largest_blocks_come_first_where_not_all_are_asked_for() -> None:
    model = Model.read(real_model("pose_detection"))
    found = inspect(model, targets=(), digest=False, gzip=False)
    lines = [line.plain for line in group_table(found, graph_edges(model), 80, top=2)]
    assert [line.split()[0] for line in lines[2:4]] == ["14x14", "7x7"]
    assert lines[4].strip() == "and 3 smaller blocks"
    assert len(lines) == 5
