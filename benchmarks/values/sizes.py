"""Sizes of models with 80 % zeros in each way of storing their weights, TensorFlow's among them.

usage: python -m benchmarks.values.sizes [NAME ...]

The Keras models are those of the race; of MediaPipe's, the smallest 80 % of each filter of 1,024
values or more that is not depthwise are set to zero first, for the size alone. The result is the
table of docs/stored-values.md. TensorFlow quantizes only what it has made itself; full int8 of the
others is ai-edge-quantizer's (`pip install 'tflite-sparse[rivals]'`), with ranges of random inputs,
for the size alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.race.models import keras_models
from tests.support.nets.weights import without_smallest
from tests.support.peers.environments import mlir_sparsify, run_peer
from tests.support.peers.npm import POSE, npm_file
from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.model.weights import LARGE, find_weights
from tflite_sparse.rewrite.compress import compress
from tflite_sparse.rewrite.storage.store_values import store_values
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions
from tflite_sparse.sweeping.quantized import full_int8

if TYPE_CHECKING:
    from tflite_sparse.model.weights import Weight

_ZEROS = 0.8
_KERAS = ("keras_mobilenet_v1", "keras_mobilenet_v2")
_HEAVY = "pose_landmark_heavy"
_REAL = ("face_landmark", "hand_landmark_full", "pose_landmark_full", _HEAVY)


def _is_prunable(weight: Weight) -> bool:
    return weight.tensor.size >= LARGE and all(
        operator.name in {"CONV_2D", "FULLY_CONNECTED"} for operator in weight.readers
    )


def _pruned(name: str, folder: Path) -> Path:
    source = npm_file(POSE, f"{name}.tflite") if name == _HEAVY else real_model(name)
    model = Model.read(source)
    for weight in find_weights(model):
        if _is_prunable(weight):
            data = weight.tensor.data
            assert data is not None
            zeroed = without_smallest(np.array(data), _ZEROS).astype(data.dtype)
            for buffer in weight.buffers:
                buffer.data = zeroed
    target = folder / f"{name}.tflite"
    model.write(target)
    return target


def _full_int8(path: Path) -> bytes:
    model = Model.read(path)
    return full_int8(model, random_inputs(input_specs(model), 1, 0))


def _stored(path: Path, values: StoredValues, folder: Path, *, sparse: bool) -> int:
    model, options = Model.read(path), ValuesOptions(values)
    result = compress(model, values=options) if sparse else store_values(model, options)
    return save(result, folder / "stored.tflite")


def main() -> None:
    """Prints the table, or some rows of it."""
    names = sys.argv[1:] or [*_KERAS, *_REAL]
    with tempfile.TemporaryDirectory() as work:
        folder, made, full = Path(work), Path(work, "tensorflow"), Path(work, "int8")
        made.mkdir()
        full.mkdir()
        models = {
            name: keras_models()[name] if name in _KERAS else _pruned(name, folder)
            for name in names
        }
        mlir_sparsify([(path, made / f"{name}.tflite") for name, path in models.items()])
        if set(names) & set(_KERAS):
            run_peer(Path(__file__).with_name("keras_int8.py"), full)
        for name, path in models.items():
            whole = path.stat().st_size
            int8 = full / f"{name}.tflite"
            if name not in _KERAS:
                int8.write_bytes(_full_int8(path))
            sizes = [
                _stored(path, StoredValues.FP16, folder, sparse=False),
                (made / f"{name}.tflite").stat().st_size,
                int8.stat().st_size,
                *(_stored(path, values, folder, sparse=True) for values in StoredValues),
            ]
            cells = [f"{n:,} ({n / whole:.0%})" for n in sizes]
            print(f"| {name} | {whole:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
