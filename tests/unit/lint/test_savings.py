"""What findings say of bytes is what the commands save."""

from __future__ import annotations

import pytest

from tests.support.lint.models import good
from tests.support.peers.exports import export
from tests.unit.lint.test_zeros import lint
from tests.unit.rewrite.storage.values import INT8, stored, written
from tflite_sparse.model import Model
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify

NAMES = ("two", "first", "last")


@pytest.mark.parametrize("name", NAMES)
def test_int8_values_are_asked_for_until_the_command_has_stored_them(name: str) -> None:
    data = export(name)
    asked = next(f for f in lint(data) if f.code == "TFS410")
    fp32, (int8, _) = written(sparsify(Model.read(data))), stored(data)
    assert asked.data["bytes"] == pytest.approx(len(fp32) - len(int8.to_bytes()), rel=0.25)
    assert "TFS410" not in {f.code for f in lint(written(optimize(Model.read(data), values=INT8)))}


def test_storage_in_vain_is_said_to_save_what_densify_adds() -> None:
    for sparse in (written(sparsify(Model.read(export("two")))), good("sparse", zeros=0.6)):
        found = next(f for f in lint(sparse) if f.code == "TFS313")
        dense = written(densify(Model.read(sparse)))
        assert found.data["bytes"] == len(dense) - len(sparse)
        assert f" of {len(dense):,}" in found.message
