"""Whatever layout `sparsify` writes loads in LiteRT.js and computes what the dense model does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build
from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import encoding_of
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.runtime.bench import bench
from tflite_sparse.storage.options import SparsifyOptions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.nets.builder import GraphBuilder, Value

CHANNELS = 320


def masks() -> dict[str, np.ndarray]:
    """Zeros that lead the search to one layout each."""
    rng = np.random.default_rng(0)

    def scattered(*shape: int) -> np.ndarray:
        return rng.random(shape) < 0.2

    return {
        "scattered": scattered(CHANNELS, 64),
        "4x1 blocks": np.kron(scattered(CHANNELS // 4, 64), np.ones((4, 1), bool)),
        "1x4 blocks": np.kron(scattered(CHANNELS, 16), np.ones((1, 4), bool)),
        "2x2 blocks": np.kron(scattered(CHANNELS // 2, 32), np.ones((2, 2), bool)),
        "whole rows": np.broadcast_to(scattered(CHANNELS, 1), (CHANNELS, 64)),
        "whole columns": np.broadcast_to(scattered(1, 64), (CHANNELS, 64)),
    }


def branches(storage: str) -> bytes:
    """A convolution for each kind of zeros, all behind one entry: each page takes a second."""

    def net(g: GraphBuilder) -> tuple[Value, ...]:
        x = g.conv2d(g.pad_spatial(g.input((1, 32, 32, 3))), 64, 3, 2, "VALID")
        options = {"storage": storage, "bias_storage": storage}
        return tuple(
            g.mean(g.conv2d(x, CHANNELS, mask=mask[:, None, None, :], name=name, **options))
            for name, mask in masks().items()
        )

    return build(net, seed=1)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> list[tuple[str, list[str]]]:
    """Per storage the dense model and its sparse twins; real models as well."""
    folder = tmp_path_factory.mktemp("layouts")
    found = []
    for storage in ("dense", "fp16"):
        dense = folder / f"{storage}.tflite"
        dense.write_bytes(branches(storage))
        found.append((storage, [str(dense), *twins(dense, folder)]))
    real = real_model("pose_detection")
    again = sparsify(Model.read(real), SparsifyOptions(reencode=True))
    assert again.weights
    target = folder / "pose_auto.tflite"
    save(again, target)
    found.append(("pose_detection", [str(real), str(target)]))
    return found


def twins(dense: Path, folder: Path) -> list[str]:
    made = []
    for layout in ("auto", "google"):
        result = sparsify(Model.read(dense), SparsifyOptions(layout=layout))
        assert len(result.weights) == len(masks())
        target = folder / f"{dense.stem}-{layout}.tflite"
        save(result, target)
        made.append(str(target))
    return made


def test_the_models_use_layouts_unlike_googles(written):
    orders, blocks = set(), set()
    for _, (_, auto, *_) in written:
        for tensor in Model.read(auto).subgraphs[0].tensors:
            if tensor.sparsity is not None:
                encoding = encoding_of(tensor)
                orders.add(encoding.traversal_order[:4])
                blocks.add(encoding.block_shape)
    assert len(orders) > 1
    assert len(blocks) > 2


def test_every_layout_loads_in_the_browser_and_computes_the_same(written):
    for name, models in written:
        result = bench(models, where="web", runs=1, warmup=1)
        for model in result.models:
            assert model.ok, (name, model.path, model.detail)
            assert model.within, (name, model.path, model.max_difference)
