"""What sparse storage would make of a weight."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.inspection.weights.if_sparse import best_storage
from tflite_sparse.model import Model
from tflite_sparse.model.zero_counts import count


def _tensor(values: np.ndarray) -> object:
    builder = ModelBuilder()
    builder.graph().constant(values, name="w")
    return Model.read(builder.build()).subgraphs[0].tensors[0]


def _values(shape: tuple[int, ...], zeros: float) -> np.ndarray:
    generator = np.random.default_rng(3)
    values = generator.uniform(0.5, 1, shape).astype(np.float32)
    values.reshape(-1)[generator.permutation(values.size)[: round(values.size * zeros)]] = 0
    return values


@pytest.mark.parametrize("shape", [(64, 1, 1, 300), (300, 64), (8, 3, 3, 16)])
def test_the_size_is_that_of_what_would_be_stored(shape: tuple[int, ...]) -> None:
    values = _values(shape, 0.8)
    tensor = _tensor(values)
    counts = count(values, "FLOAT32", near=0)
    storage, cannot = best_storage(tensor, values, counts, shifted=False)  # type: ignore[arg-type]
    assert cannot is None
    assert storage is not None
    stored = sum(array.nbytes for array in storage.arrays())
    # What comes on top are the tables of the encoding and of its DENSIFY.
    assert stored < storage.nbytes < stored + 600


@pytest.mark.parametrize(
    ("values", "shifted", "reason"),
    [
        (np.zeros((4, 4), np.int32), False, "DENSIFY takes no INT32"),
        (np.zeros(16, np.float32), False, "it is a vector"),
        (np.zeros((4, 4), np.int8), True, "its zero point is not 0"),
    ],
)
def test_what_cannot_be_sparse_says_why(values: np.ndarray, shifted: bool, reason: str) -> None:
    kind = {"int32": "INT32", "float32": "FLOAT32", "int8": "INT8"}[values.dtype.name]
    counts = count(values, kind, near=0)
    assert best_storage(_tensor(values), values, counts, shifted=shifted) == (  # type: ignore[arg-type]
        None,
        reason,
    )
