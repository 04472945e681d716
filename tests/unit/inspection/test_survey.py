"""What lies behind a page about a model: dispositions, edges, sizes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.support.nets.builder import GraphBuilder, ModelBuilder
from tests.support.real_models import real_model
from tflite_sparse.inspection.dispositions import DispositionKind, blockers, disposition_kind, views
from tflite_sparse.inspection.file.breakdown import PARTS, size_breakdown
from tflite_sparse.inspection.graph_edges import graph_edges
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.inspection.survey import survey
from tflite_sparse.model import Model

DATA = Path(__file__).parents[3] / "testdata"
MODELS = ["face_detection_full_range_sparse", "pose_detection", "hand_landmark_lite"]


def tiny(name: str) -> Model:
    return Model.read(DATA / f"mobilenet_tiny_80{name}.tflite")


def kinds(model: Model, target: str = "arm64") -> list[tuple[str, DispositionKind]]:
    (group,) = (
        group
        for view in views(inspect(model).runtime)
        if target in {t.name for t in view.targets}
        for group in view.groups
    )
    return [(op.name, disposition_kind(group, op)) for op in group.operators]


def test_every_operator_has_the_fate_that_the_plan_says() -> None:
    sparse = Counter(kinds(tiny("_sparse")))
    assert sparse == {
        ("DENSIFY", DispositionKind.VANISHES): 5,
        ("PAD", DispositionKind.VANISHES): 3,
        ("CONV_2D", DispositionKind.SPARSE): 5,
        ("CONV_2D", DispositionKind.LAYOUT): 1,
        ("DEPTHWISE_CONV_2D", DispositionKind.LAYOUT): 5,
        ("MEAN", DispositionKind.LAYOUT): 1,
        ("FULLY_CONNECTED", DispositionKind.DENSE): 1,
        ("SOFTMAX", DispositionKind.DENSE): 1,
    }
    dense = Counter(fate for _, fate in kinds(tiny("")))
    assert dense == {
        DispositionKind.VANISHES: 3,
        DispositionKind.BLOCKED: 12,
        DispositionKind.DENSE: 2,
    }


def test_nothing_is_blocked_where_sparse_is_off_by_design() -> None:
    fates = {fate for _, fate in kinds(tiny(""), "x86-avx")}
    assert fates == {DispositionKind.VANISHES, DispositionKind.DENSE}


def test_an_operator_that_xnnpack_does_not_take_is_outside() -> None:
    builder = ModelBuilder()
    g = builder.graph()
    x = g.unary("RELU", g.input((1, 4, 4, 8)))
    (x,) = g.op("NobodyTakesThis", [x], [((1, 4, 4, 8), "FLOAT32")], None, custom_options=b"1")
    g.output(x)
    assert ("NobodyTakesThis", DispositionKind.OUTSIDE) in [
        (wired.name, fate)
        for wired, (_, fate) in zip(
            graph_edges(Model.read(builder.build())),
            kinds(Model.read(builder.build())),
            strict=True,
        )
    ]


@pytest.mark.parametrize("name", MODELS)
def test_real_models_have_the_fates_that_their_verdicts_count(name: str) -> None:
    found_views = views(inspect(Model.read(real_model(name)), gzip=False).runtime)
    assert found_views
    for view in found_views:
        (group,) = view.groups
        found = Counter(disposition_kind(group, op) for op in group.operators)
        assert found[DispositionKind.SPARSE] == group.sparse_pointwise
        assert (found[DispositionKind.BLOCKED] == 0) == (
            group.off_by_design or all(cluster.sparse for cluster in group.clusters)
        )
        sparse = [
            op.macs
            for op in group.operators
            if disposition_kind(group, op) is DispositionKind.SPARSE
        ]
        assert sum(sparse) == view.sparse_macs
        assert blockers(group) == {i for obstacle in group.obstacles for i in obstacle.operators}


def test_targets_are_together_that_do_the_same_with_every_subgraph() -> None:
    builder = ModelBuilder()
    for name in ("main", "other"):
        g: GraphBuilder = builder.graph(name)
        x = g.conv2d(g.pad_spatial(g.input((1, 32, 32, 3))), 8, 3, 2, "VALID")
        x = g.conv2d(x, 8, zeros=0.9, storage="sparse" if name == "main" else "dense")
        g.output(g.mean(x))
    runtime = inspect(Model.read(builder.build())).runtime
    found = views(runtime)
    names = [target.name for view in found for target in view.targets]
    assert sorted(names) == sorted({target.name for group in runtime for target in group.targets})
    assert found[0].targets[0].name == "arm64"
    for view in found:
        assert [group.subgraph for group in view.groups] == [0, 1]
        wanted = {target.name for target in view.targets}
        assert all(wanted <= {t.name for t in group.targets} for group in view.groups)
    first = found[0]
    assert first.sparse_macs == first.groups[0].sparse_macs > 0
    assert first.macs == 2 * first.groups[0].macs


def test_wiring_says_who_reads_whom_and_who_only_unpacks() -> None:
    builder = ModelBuilder()
    g = builder.graph()
    x = g.conv2d(g.input((1, 8, 8, 8)), 8, zeros=0.5, storage="fp16-sparse")
    y = g.unary("RELU", x)
    z = g.add(y, x)
    half = g.input((1, 8), "FLOAT16")
    (w,) = g.op("DEQUANTIZE", [half], [((1, 8), "FLOAT32")])
    g.output(z, w)
    wired = graph_edges(Model.read(builder.build()))
    assert [(op.name, op.sources, op.unpacks) for op in wired] == [
        ("DENSIFY", (), True),
        ("DEQUANTIZE", (0,), True),
        ("CONV_2D", (1,), False),
        ("RELU", (2,), False),
        ("ADD", (2, 3), False),
        # Its input is no constant.
        ("DEQUANTIZE", (), False),
    ]
    assert wired[2].macs == 8 * 8 * 8 * 8
    assert wired[4].outputs[0].shape == (1, 8, 8, 8)


@pytest.mark.parametrize("name", MODELS)
def test_the_parts_of_a_file_add_up_to_what_inspect_says(name: str) -> None:
    model = Model.read(real_model(name))
    found = inspect(model, gzip=False)
    parts = size_breakdown(model, found)
    assert [part.kind for part in parts] == [k for k in PARTS if k in {p.kind for p in parts}]
    assert sum(part.now for part in parts) == found.size
    assert sum(part.dense for part in parts) == found.totals.bytes_dense
    assert sum(part.sparse for part in parts) == found.totals.bytes_sparse


def test_a_weight_belongs_to_the_part_of_what_reads_it() -> None:
    builder = ModelBuilder()
    g = builder.graph()
    x = g.conv2d(g.input((1, 8, 8, 8)), 16, zeros=0.9, bias=False)
    x = g.depthwise(g.conv2d(x, 16, 3, bias=False), bias=False)
    x = g.add(x, np.ones((1, 8, 8, 16), np.float32))
    g.output(g.fully_connected(g.reshape(x, (1, 1024)), 4, bias=False))
    model = Model.read(builder.build())
    parts = {part.kind: part.now for part in size_breakdown(model, inspect(model))}
    assert parts["pointwise"] == 8 * 16 * 4
    assert parts["convolution"] == 16 * 16 * 9 * 4
    assert parts["depthwise"] == 16 * 9 * 4
    assert parts["matrix"] == 1024 * 4 * 4
    assert parts["weights"] == 8 * 8 * 16 * 4


def test_a_buffer_that_two_weights_share_counts_once() -> None:
    builder = ModelBuilder()
    g = builder.graph()
    values = np.ones((8, 1, 1, 8), np.float32)
    buffer = builder.buffer(values)
    first = g.constant(values, buffer=buffer)
    second = g.constant(values.reshape(8, 8), buffer=buffer)
    x = g.conv2d(g.input((1, 1, 1, 8)), 8, filters=first, bias=False)
    g.output(g.fully_connected(g.reshape(x, (1, 8)), 8, filters=second, bias=False))
    model = Model.read(builder.build())
    parts = size_breakdown(model, inspect(model))
    assert sum(part.now for part in parts) == model.size


@pytest.mark.parametrize(("cells", "side"), [(10**9, 64), (5 * 900, 30), (1, 16)])
def test_maps_share_the_cells_that_a_page_has_room_for(cells: int, side: int) -> None:
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 2, 2, 300))
    for _ in range(5):
        x = g.conv2d(x, 300, bias=False)
    g.output(x)
    found = survey(Model.read(builder.build()), gzip=False, cells=cells)
    assert len(found.maps) == 5
    for drawn in found.maps:
        assert drawn is not None
        assert drawn.cell == (-(-300 // side),) * 2
        assert max(drawn.grid) <= side
        assert drawn.corner == (side, side)
