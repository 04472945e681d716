"""Weights stored as int8 or fp16 load in LiteRT.js and compute what the rounded weights compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.end_to_end.values.test_values_on_litert import net, pair
from tests.support.real_models import real_model
from tflite_sparse.runtime.bench import bench
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from pathlib import Path

KINDS = (StoredValues.INT8, StoredValues.FP16)


def test_a_browser_computes_with_the_rounded_weights(tmp_path: Path) -> None:
    sources = {
        "net": net(),
        "half": net("fp16"),
        "face_landmark": real_model("face_landmark").read_bytes(),
    }
    for name, data in sources.items():
        for kind in KINDS:
            paths = []
            for form, made in zip(("wide", "small"), reversed(pair(data, kind)), strict=True):
                path = tmp_path / f"{name}_{kind}_{form}.tflite"
                path.write_bytes(made)
                paths.append(str(path))
            for model in bench(paths, where="web", runs=1, warmup=1).models:
                assert model.ok, (model.path, model.detail)
                assert model.within, (model.path, model.max_difference)
