"""Inspecting whole models."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.errors import EncodingError
from tflite_sparse.inspection import inspector
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.inspection.weights import weight_facts
from tflite_sparse.model import Model
from tflite_sparse.report.text import inspection as report
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.weights.weight_types import WeightFacts


def _inspect(builder: ModelBuilder, **options: object) -> Inspection:
    return inspect(Model.read(builder.build()), **options)  # type: ignore[arg-type]


def _only(builder: ModelBuilder, **options: object) -> WeightFacts:
    (weight,) = _inspect(builder, **options).weights
    return weight


def _conv(filters: np.ndarray, storage: str = "dense") -> ModelBuilder:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 4, 4, filters.shape[3]))
    graph.output(graph.conv2d(x, filters.shape[0], filters=filters, storage=storage))
    return builder


def _pruned(shape: tuple[int, ...], zeros: float, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    values = generator.uniform(0.5, 1.0, shape).astype(np.float32)
    values.reshape(-1)[generator.permutation(values.size)[: round(values.size * zeros)]] = 0
    return values


def test_zeros_and_near_zeros_of_a_weight() -> None:
    filters = np.ones((4, 1, 1, 8), np.float32)
    filters[0] = 0
    filters[1, 0, 0, :3] = [-0.0, 1e-12, 1e-9]
    weight = _only(_conv(filters))
    assert (weight.elements, weight.zeros, weight.near_zeros) == (32, 9, 1)
    assert _only(_conv(filters), near=1e-8).near_zeros == 2


def test_blocks_of_channels_that_are_zero_together_fit() -> None:
    filters = np.repeat(_pruned((4, 1, 1, 16), 0.75), 4, axis=0)
    fills = {block.channels: (block.fill, block.fits) for block in _only(_conv(filters)).blocks}
    assert fills == {2: (1.0, True), 4: (1.0, True)}
    scattered = _only(_conv(_pruned((16, 1, 1, 16), 0.75))).blocks
    assert {block.channels: block.fits for block in scattered} == {2: False, 4: False}


@pytest.mark.parametrize("storage", ["dense", "sparse", "fp16", "fp16-sparse"])
def test_zeros_are_the_same_however_a_weight_is_stored(storage: str) -> None:
    weight = _only(_conv(_pruned((16, 1, 1, 32), 0.75), storage))
    assert weight.zeros == 384
    assert weight.storage == ("sparse" if storage.endswith("sparse") else "dense")
    assert weight.bytes_dense == 512 * (2 if storage.startswith("fp16") else 4)
    assert weight.uses[0].through == tuple(
        name
        for name, present in (
            ("DENSIFY", storage.endswith("sparse")),
            ("DEQUANTIZE", storage.startswith("fp16")),
        )
        if present
    )


def test_a_sparse_weight_tells_its_encoding() -> None:
    encoding = _only(_conv(_pruned((16, 1, 1, 32), 0.75), "sparse")).encoding
    assert encoding is not None
    assert encoding.traversal_order == (0, 1, 2, 3)
    assert (encoding.block_map, encoding.block_shape) == ((), ())
    assert [level.format for level in encoding.levels] == ["dense", "dense", "dense", "sparse_csr"]
    assert [level.dense_size for level in encoding.levels[:3]] == [16, 1, 1]
    last = encoding.levels[3]
    assert (last.segments, last.segments_type) == (17, "uint8")
    assert (last.indices, last.indices_type) == (128, "uint8")
    assert encoding.values == 128


def test_sparse_storage_is_advised_only_where_it_is_smaller() -> None:
    few = _only(_conv(_pruned((64, 1, 1, 64), 0.05)))
    many = _only(_conv(_pruned((64, 1, 1, 64), 0.8)))
    assert (few.smaller, few.saving) == (False, 0)
    assert many.smaller
    assert many.bytes_sparse is not None
    assert many.saving == many.bytes_now - many.bytes_sparse > 0


@pytest.mark.parametrize(
    ("points", "axis", "zeros", "cannot"),
    [
        ([0], 0, 2, "it would not shrink"),
        ([3], 0, 1, "its zero point is not 0, which DENSIFY cannot fill in"),
        ([0, 3], 0, 2, "its zero point is not 0, which DENSIFY cannot fill in"),
    ],
)
def test_zeros_of_a_quantized_weight_lie_at_its_zero_points(
    points: list[int], axis: int, zeros: int, cannot: str
) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    values = np.array([[0, 1, 2, 4], [3, 0, 5, 6]], np.int8).reshape(2, 1, 1, 4)
    scales = [0.5] * len(points)
    filters = graph.constant(values, quantized=(scales, points, axis))
    x = graph.input((1, 4, 4, 4), type="INT8", scale=0.1)
    graph.op("CONV_2D", [x, filters], [((1, 4, 4, 2), "INT8")])
    weight = _only(builder)
    wanted = np.asarray(points).reshape(-1, 1, 1, 1)
    assert weight.zeros == zeros == np.sum(values == wanted)
    assert weight.near_zeros is None
    assert weight.cannot == cannot
    assert weight.quantization is not None
    assert weight.quantization.axis == (axis if len(points) > 1 else None)
    assert weight.quantization.zero_points == tuple(points)


def test_a_type_that_densify_does_not_take_cannot_be_sparse() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    table = graph.constant(np.zeros((64, 64), np.int32))
    graph.op("GATHER", [table, graph.input((3,), type="INT32")], [((3, 64), "INT32")])
    weight = _only(builder)
    assert (weight.zeros, weight.smaller) == (4096, False)
    assert weight.cannot == "DENSIFY does not unpack INT32"


def test_totals_add_up() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.conv2d(graph.input((1, 8, 8, 8)), 64, filters=_pruned((64, 1, 1, 8), 0.75))
    x = graph.conv2d(x, 4, kernel=3, filters=_pruned((4, 3, 3, 64), 0.5))
    graph.output(x)
    found = _inspect(builder)
    totals = found.totals
    assert (totals.weight_tensors, totals.sparse_tensors) == (2, 0)
    assert (totals.weights, totals.zeros) == (512 + 2304, 384 + 1152)
    assert (totals.pointwise_weights, totals.pointwise_zeros) == (512, 384)
    assert totals.pointwise_macs == 8 * 8 * 64 * 8
    assert totals.macs == totals.pointwise_macs + 8 * 8 * 4 * 9 * 64
    assert totals.bytes_sparse == found.size - sum(weight.saving for weight in found.weights)


def test_digest_and_gzip_are_those_of_the_file() -> None:
    builder = _conv(_pruned((64, 1, 1, 64), 0.8))
    data = builder.build()
    found = inspect(Model.read(data), gzip=True)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.totals.gzip_now == len(gzip.compress(data, 6))
    assert found.totals.gzip_sparse is not None
    assert found.totals.gzip_sparse < found.totals.bytes_sparse


def test_what_takes_longer_than_all_else_is_done_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inspector, "GZIP_UP_TO", 1000)
    monkeypatch.setattr(report, "GZIP_UP_TO", 1000)
    model = Model.read(_conv(_pruned((64, 1, 1, 64), 0.8)).build(), "large.tflite")
    found = inspect(model)
    assert (found.totals.gzip_now, found.totals.gzip_sparse) == (None, None)
    assert any("--gzip does" in line.plain for line in report.inspection_lines(found, 80))
    assert inspect(model, gzip=True).totals.gzip_now is not None


def test_digest_and_gzip_can_be_left_out() -> None:
    found = _inspect(_conv(_pruned((8, 1, 1, 8), 0.5)), digest=False, gzip=False)
    assert (found.sha256, found.totals.gzip_now, found.totals.gzip_sparse) == (None, None, None)


def test_targets_on_which_the_runtime_does_the_same_share_a_verdict() -> None:
    builder = _conv(_pruned((8, 1, 1, 8), 0.5))
    chosen = [target(name) for name in ("arm64", "x86-avx", "wasm")]
    groups = _inspect(builder, targets=chosen).runtime
    assert [[t.name for t in group.targets] for group in groups] == [["arm64", "wasm"], ["x86-avx"]]
    assert {group.outcome for group in groups} == {"dense"}


def test_a_buffer_too_small_for_its_shape_is_a_problem_of_one_weight() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    good = graph.conv2d(graph.input((1, 4, 4, 8)), 8, zeros=0.5, name="good")
    short = graph.constant(
        np.ones((8, 1, 1, 8), np.float32), name="short", buffer=builder.buffer(np.ones(7))
    )
    graph.output(graph.conv2d(good, 8, filters=short))
    found = _inspect(builder)
    (problem,) = found.problems
    assert "short" in problem.place
    assert "needs 256 bytes" in problem.message
    assert [weight.zeros for weight in found.weights] == [32, None]
    assert found.weights[1].cannot == "its values cannot be read"
    assert found.runtime == ()


def test_a_malformed_encoding_is_a_problem_of_one_weight() -> None:
    builder = _conv(_pruned((16, 1, 1, 32), 0.75), "sparse")
    graph = builder.graphs[0]
    sparse = next(tensor for tensor in graph.table.tensors if tensor.sparsity is not None)
    sparse.sparsity.dimMetadata[3].arrayIndices.values[0] = 200
    found = _inspect(builder)
    assert len(found.problems) == 1
    assert found.weights[0].zeros is None


def test_a_sparse_tensor_that_claims_to_be_huge_is_not_unpacked() -> None:
    builder = _conv(_pruned((16, 1, 1, 32), 0.75), "sparse")
    graph = builder.graphs[0]
    sparse = next(tensor for tensor in graph.table.tensors if tensor.sparsity is not None)
    sparse.shape = np.array([16, 1, 1, 2**25], np.int32)
    found = _inspect(builder)
    (problem,) = found.problems
    assert "asks for 2,147,483,648 bytes" in problem.message
    assert found.runtime == ()


@pytest.mark.parametrize("limit", ["_DECODE_BYTES", "_DECODE_RATIO"])
def test_a_sparse_tensor_is_unpacked_where_it_is_small_or_much_is_stored_for_it(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(weight_facts, limit, 0)
    found = _inspect(_conv(_pruned((16, 1, 1, 32), 0.75), "sparse"))
    assert found.problems == ()
    assert found.weights[0].zeros == 384


def test_a_weight_of_negative_size_has_no_elements() -> None:
    builder = _conv(_pruned((16, 1, 1, 32), 0.75))
    builder.graphs[0].table.tensors[1].shape = np.array([16, 1, 1, -32], np.int32)
    found = _inspect(builder)
    assert "negative" in found.problems[0].message
    assert [weight.elements for weight in found.weights] == [0]


def test_a_weight_is_read_by_an_operator_without_outputs() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 4, 4, 8))
    graph.op("CONV_2D", [x, graph.constant(np.ones((8, 1, 1, 8), np.float32))], [])
    graph.output(x)
    (use,) = _only(builder).uses
    assert (use.name, use.output, use.macs) == ("CONV_2D", "", 0)


@pytest.mark.parametrize(
    ("dimensions", "operators"), [(40, 1), (33, 12)], ids=["beyond floats", "in sum beyond floats"]
)
def test_a_time_beyond_all_numbers_is_not_told(dimensions: int, operators: int) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 4))
    for _ in range(operators):
        (x,) = graph.op("ABS", [x], [((2**31 - 1,) * dimensions, "FLOAT32")])
    graph.output(x)
    found = _inspect(builder, targets=[target("wasm")])
    assert [t.estimate for group in found.runtime for t in group.targets] == [None]


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    _inspect(_conv(_pruned((8, 1, 1, 8), 0.5)), progress=lambda *step: told.append(step))
    assert told[-1] == (256, 256)


def test_all_of_it_is_plain_data() -> None:
    found = _inspect(_conv(_pruned((16, 1, 1, 32), 0.75), "sparse")).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_an_error_of_the_plan_alone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise EncodingError("odd segments")

    monkeypatch.setattr("tflite_sparse.inspection.runtime.plan_groups", fail)
    found = _inspect(_conv(_pruned((8, 1, 1, 8), 0.5)))
    assert [problem.message for problem in found.problems] == ["odd segments"]


def test_wide_filters_that_are_stored_sparse_are_counted_too() -> None:
    found = _inspect(_conv(_pruned((8, 3, 3, 8), 0.8), storage="sparse"))
    assert [weight.storage for weight in found.weights] == ["sparse"]
    assert found.problems == ()
    assert all(group.wide for group in found.runtime)
