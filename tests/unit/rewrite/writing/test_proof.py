"""What is written is read back; a file that is not right never takes the place of another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tests.unit.rewrite.models import sparse_filters
from tflite_sparse.encoding import cost, google_layout
from tflite_sparse.errors import RewriteError, RuntimeFailureError
from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.storage.encoding_choice import deferred_encoding


def model(storage: str = "dense") -> Model:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    filters = sparse_filters(builder.rng, (32, 1, 1, 32), 0.85)
    graph.output(graph.conv2d(graph.input((1, 6, 6, 32)), 32, filters=filters, storage=storage))
    return Model.read(builder.build())


def spoil(deferred: Deferred) -> Deferred:
    """The same vector with its first element changed."""

    def make() -> np.ndarray:
        values = deferred.compute().copy()
        values[0] ^= 1
        return values

    return Deferred(deferred.size, deferred.dtype, make)


def test_a_wrong_value_is_found_and_the_target_stays(tmp_path: Path) -> None:
    target = tmp_path / "out.tflite"
    target.write_bytes(b"before")
    for result in (sparsify(model()), densify(model("sparse"))):
        buffer = next(b for b in result.model.buffers if isinstance(b.table["data"], Deferred))
        buffer.data = spoil(buffer.table["data"])
        with pytest.raises(RewriteError, match="does not have its values"):
            save(result, target)
        assert target.read_bytes() == b"before"
        assert [path.name for path in tmp_path.iterdir()] == ["out.tflite"]


def test_a_wrong_index_is_found() -> None:
    result = sparsify(model())
    tensor = next(t for t in result.model.subgraphs[0].tensors if t.sparsity is not None)
    assert tensor.sparsity is not None
    level = next(d for d in tensor.sparsity["dim_metadata"] if d["array_indices"] is not None)
    vector = level["array_indices"]
    vector["values"] = spoil(vector["values"])
    with pytest.raises(RewriteError):
        save(result, Path("/dev/null"))


def test_a_check_that_fails_keeps_the_target(tmp_path: Path) -> None:
    target = tmp_path / "out.tflite"
    seen = []

    def verify(path: Path) -> None:
        seen.append(Model.read(path).size)
        raise RuntimeFailureError("the outputs differ")

    with pytest.raises(RuntimeFailureError):
        save(sparsify(model()), target, verify=verify)
    assert seen
    assert list(tmp_path.iterdir()) == []


def test_a_check_that_passes_lets_the_file_take_its_place(tmp_path: Path) -> None:
    target = tmp_path / "out.tflite"
    size = save(sparsify(model()), target, verify=lambda _: None)
    assert target.stat().st_size == size
    assert target.read_bytes() == sparsify(model()).model.to_bytes()


def test_one_encoding_serves_all_its_arrays_and_is_held_no_longer() -> None:
    made: list[int] = []

    def deferred(number: int) -> list[Deferred]:
        array = np.zeros((8, 40), np.float32)
        array[:, number] = number + 1
        layout = google_layout(2)

        def source() -> np.ndarray:
            made.append(number)
            return array

        encoding = deferred_encoding(
            (8, 40), layout, cost(array, layout), source, np.dtype(np.float32)
        )
        level = encoding.levels[1]
        return [encoding.values, level.segments, level.indices]  # type: ignore[list-item]

    first, second = deferred(0), deferred(1)
    assert len({id(vector.group) for vector in first}) == 1
    for vector in (*first, *second):
        vector.compute()
    assert made == [0, 1]
    # Written apart: each weight drops the encoding of the one before.
    made.clear()
    for pair in zip(first, second, strict=True):
        for vector in pair:
            vector.compute()
    assert made == [0, 1] * 3
    assert first[0].compute().view(np.float32).tolist() == [1.0] * 8
