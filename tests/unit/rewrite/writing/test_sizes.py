"""Sizes of a rewrite are the same whether they are computed or taken from the written file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.docs.make_testdata import FOLDER
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.rewrite.writing.sizes import gzip_ahead, measure
from tflite_sparse.storage.options import SparsifyOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("gzip", [None, False, True])
@pytest.mark.parametrize("only", [1.0, 0.0])
def test_the_written_file_tells_the_same_sizes(
    tmp_path: Path, gzip: bool | None, only: float
) -> None:
    model = Model.read(FOLDER / "mobilenet_tiny_80.tflite")
    result = sparsify(model, SparsifyOptions(min_sparsity=only))
    packed = gzip_ahead(Model.read(FOLDER / "mobilenet_tiny_80.tflite"), gzip)
    expected = measure(result, model.size, packed)
    written = tmp_path / "written.tflite"
    save(result, written)
    found = measure(result, model.size, packed, written)
    assert found == expected
    assert (found.gzip_after is not None) == (gzip is not False)
