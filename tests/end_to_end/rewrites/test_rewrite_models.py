"""Real models compute the same after every rewrite, on the dense path bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.emulator import needs_emulator
from tests.support.outputs import outputs
from tests.support.real_models import all_real_models, real_model
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.storage.options import SparsifyOptions

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


@pytest.mark.parametrize("name", all_real_models())
def test_no_real_model_breaks(name: str) -> None:
    data = real_model(name).read_bytes()
    model = Model.read(data)
    result = sparsify(model, SparsifyOptions(zero_below=0))
    custom = any(operator.custom_code for operator in model.operators())
    if not result.changed or custom:
        # Models with custom operators do not run here; nothing may be lost from them all the same.
        assert len(model.to_bytes()) <= len(Model.read(data).to_bytes())
        return
    a, b = outputs(data, model.to_bytes())
    assert _same(a, b)
