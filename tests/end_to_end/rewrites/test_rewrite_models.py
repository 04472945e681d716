"""Real models compute the same after every rewrite, on the dense path bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.emulator import needs_emulator
from tests.support.nets.weights import without_smallest
from tests.support.outputs import outputs
from tests.support.real_models import all_real_models, real_model
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.storage.options import SparsifyOptions

PRUNED = ("FLOAT32", "FLOAT16")
SMALLEST = 1024
# It has operators of MediaPipe that LiteRT does not have; XNNPACK has those of the others.
UNRUN = {"face_landmark_with_attention"}
GOOGLES = ("face_detection_full_range_sparse", "pose_detection")


def _same(a: list[np.ndarray] | None, b: list[np.ndarray] | None) -> bool:
    assert a is not None
    return b is not None and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", GOOGLES)
@pytest.mark.parametrize("layout", ["auto", "google"])
def test_sparse_storage_of_either_layout_computes_the_same(name: str, layout: str) -> None:
    dense = Model.read(real_model(name))
    densify(dense)
    data = dense.to_bytes()
    model = Model.read(data)
    assert sparsify(model, SparsifyOptions(layout=layout)).weights
    a, b = outputs(data, model.to_bytes())
    assert _same(a, b)


@needs_emulator
def test_the_sparse_path_computes_the_same_from_either_layout() -> None:
    # The same weights in another encoding must take the same kernels to the same results.
    path = real_model("face_detection_full_range_sparse")
    model = Model.read(path)
    result = sparsify(model, SparsifyOptions(reencode=True))
    assert result.weights
    a, b = outputs(path.read_bytes(), model.to_bytes(), emulated=True)
    assert _same(a, b)


def _pruned(name: str) -> bytes:
    """A real model, four fifths of whose large weights are zero."""
    model = Model.read(real_model(name))
    densify(model)
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.is_constant and tensor.type in PRUNED and tensor.data.size >= SMALLEST:
                tensor.buffer.data = without_smallest(tensor.data, 0.8).astype(tensor.data.dtype)
    return model.to_bytes()


def _constants(data: bytes) -> list[tuple[str, bytes]]:
    tensors = [tensor for graph in Model.read(data).subgraphs for tensor in graph.tensors]
    return sorted((tensor.name, tensor.data.tobytes()) for tensor in tensors if tensor.is_constant)


@pytest.mark.parametrize("name", all_real_models())
def test_no_real_model_breaks(name: str) -> None:
    data = _pruned(name)
    model = Model.read(data)
    assert sparsify(model).weights
    sparse = model.to_bytes()
    assert len(sparse) < len(data)
    densify(model)
    assert _constants(model.to_bytes()) == _constants(data)
    a, b = outputs(data, sparse)
    if name in UNRUN:
        assert a is b is None
    else:
        assert _same(a, b)
