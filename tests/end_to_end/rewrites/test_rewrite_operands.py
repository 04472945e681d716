"""The table of operators that can read behind DENSIFY, held against the real runtime."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.weight_readers import READERS, one_reader
from tests.support.outputs import outputs
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.storage.unpacking import insert_densify
from tflite_sparse.storage.reader_table import CASES


def _proved() -> list[tuple[str, str, str, int]]:
    """Every entry of the table as (operator, stored, activation, operand)."""
    found = []
    for case in CASES:
        stored = "INT8-dequantized" if case.dequantized and case.stored == "INT8" else case.stored
        activation = case.activation or "FLOAT32"
        for name, operands in case.operands.items():
            # The model of a recurrent operator has all its matrices at once.
            tried = operands[:1] if name.startswith("UNIDIRECTIONAL") else operands or (0, 1)
            found += [(name, stored, activation, operand) for operand in tried]
    return sorted(set(found))


def _all_sparse(dense: bytes) -> bytes:
    """The weights of a model behind DENSIFY, whatever the table says about it."""
    from tflite_sparse.encoding import Occupancy, encode, google_layout
    from tflite_sparse.model.sparse import sparsity_table

    model = Model.read(dense)
    for tensor in list(model.subgraphs[0].tensors):
        data = tensor.data if tensor.is_constant and len(tensor.shape) > 1 else None
        if data is None or data.size < 1000 or not Occupancy(data).values:
            continue
        encoding = encode(data, google_layout(data.ndim))
        insert_densify(model, tensor)
        tensor.table["sparsity"] = sparsity_table(encoding)
        tensor.buffer.data = encoding.values
    return model.to_bytes()


def _same(pair: list[list[np.ndarray] | None]) -> bool:
    dense, sparse = pair
    assert dense is not None, "the dense model itself does not run"
    return sparse is not None and all(
        np.array_equal(a, b) for a, b in zip(dense, sparse, strict=True)
    )


@pytest.mark.parametrize("delegate", [True, False], ids=["xnnpack", "tflite"])
@pytest.mark.parametrize(("name", "stored", "activation", "operand"), _proved())
def test_every_entry_of_the_table_computes_the_same(
    name: str, stored: str, activation: str, operand: int, delegate: bool
) -> None:
    dense = one_reader(name, stored, activation, operand)
    model = Model.read(dense)
    result = sparsify(model)
    assert result.weights, [left.reason for left in result.left]
    assert _same(outputs(dense, model.to_bytes(), delegate=delegate))


_REFUSED = [
    ("CONV_2D", "INT8", "FLOAT32", 1),
    ("TRANSPOSE_CONV", "INT8", "FLOAT32", 1),
    ("FULLY_CONNECTED", "INT8", "FLOAT32", 1),
    ("FULLY_CONNECTED", "INT8", "INT8", 1),
    ("BATCH_MATMUL", "INT8", "FLOAT32", 1),
    ("GATHER", "FLOAT16", "FLOAT32", 0),
    ("GATHER", "INT8-dequantized", "FLOAT32", 0),
    ("EMBEDDING_LOOKUP", "FLOAT16", "FLOAT32", 1),
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", "FLOAT16", "FLOAT32", 1),
]


@pytest.mark.parametrize(("name", "stored", "activation", "operand"), _REFUSED)
def test_what_is_refused_would_fail_or_compute_something_else(
    name: str, stored: str, activation: str, operand: int
) -> None:
    dense = one_reader(name, stored, activation, operand)
    result = sparsify(Model.read(dense))
    assert not result.changed
    assert {left.code for left in result.left} & {"reader"}
    assert not _same(outputs(dense, _all_sparse(dense)))


def test_a_dequantized_weight_is_left_where_xnnpack_does_not_take_its_reader() -> None:
    from tests.support.nets.builder import ModelBuilder

    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 8, 8, 64))
    graph.output(graph.conv2d(x, 64, zeros=0.8, storage="fp16", activation="TANH"))
    dense = builder.build()
    result = sparsify(Model.read(dense))
    assert not result.changed
    assert "XNNPACK does not take" in result.left[0].reason
    assert not _same(outputs(dense, _all_sparse(dense)))


def test_every_operator_of_the_table_has_a_model() -> None:
    assert {name for case in CASES for name in case.operands} == set(READERS)
