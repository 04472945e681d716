"""Weights as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model
from tflite_sparse.report.text.weights import weight_details, weight_table

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspection import Inspection


def _inspected(storage: str = "dense") -> Inspection:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 4, 4, 16))
    x = graph.conv2d(x, 32, zeros=0.75, storage=storage, name="net/one")
    graph.output(graph.conv2d(x, 32, zeros=0.25, name="net/two"))
    return inspect(Model.read(builder.build()), targets=())


def _table(found: Inspection, width: int = 80) -> list[str]:
    return [line.plain for line in weight_table(found, width)]


def test_a_table_marks_what_is_stored() -> None:
    heading, titles, one, two = _table(_inspected("sparse"))
    assert heading.startswith("2 weights")
    assert heading.endswith("under net/, fp32, KiB, * as stored")
    assert titles.split() == ["#", "operator", "weight", "shape", "zeros", "dense", "sparse"]
    # 128 values with an index of a byte each and 33 segments of a byte.
    assert one.split() == [
        "1", "CONV_2D", "one/filter", "32x1x1x16", "75.0", "%", "2.0", "0.7*"
    ]  # fmt: skip
    assert two.split()[-4:-1] == ["25.0", "%", "4.0*"]


def test_types_have_a_column_only_where_they_differ() -> None:
    assert "type" not in _table(_inspected())[1].split()
    assert "type" in _table(_inspected("fp16"))[1].split()


@pytest.mark.parametrize(
    ("width", "more", "less"), [(120, {"near", "fill"}, set()), (60, set(), {"shape"})]
)
def test_columns_follow_the_width(width: int, more: set[str], less: set[str]) -> None:
    titles = set(_table(_inspected(), width)[1].split())
    assert more <= titles
    assert not less & titles


def test_a_weight_of_several_operators_counts_them() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    filters = graph.constant(np.ones((16, 1, 1, 16), np.float32), name="shared")
    x = graph.conv2d(graph.input((1, 4, 4, 16)), 16, filters=filters)
    graph.output(graph.conv2d(x, 16, filters=filters))
    found = inspect(Model.read(builder.build()), targets=())
    assert "CONV_2D +1" in _table(found)[2]


def _details(found: Inspection) -> str:
    lines = weight_details(found.weights, 100)
    assert all(len(line.plain) <= 100 for line in lines)
    return "\n".join(line.plain for line in lines)


def test_details_tell_the_whole_encoding() -> None:
    text = " ".join(_details(_inspected("fp16-sparse")).split())
    assert (
        "stored sparse in the order 0 1 2 3: dense 32, dense 1, dense 1,"
        " CSR (33 segments uint8, 128 indices uint8); 128 values"
    ) in text
    assert "read fp16 values, sparse, behind DENSIFY and DEQUANTIZE: they compute in" in text
    assert "zeros 384 of 512 (75.0 %)" in text
    assert "417 now; 1,024 dense" in text


def test_details_tell_why_a_weight_cannot_be_sparse() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    table = graph.constant(np.ones((4, 8), np.int8), quantized=([0.5], [3], 0))
    graph.op("GATHER", [table, graph.input((3,), type="INT32")], [((3, 8), "INT8")])
    text = _details(inspect(Model.read(builder.build()), targets=()))
    assert "quantized zero point 3" in " ".join(text.split())
    assert "left as it is: its zero point is not 0" in text
