"""The sound models and encodings that the fuzz suite starts from."""

from __future__ import annotations

import functools
import io
from functools import partial
from pathlib import Path

import numpy as np

from tests.runtime_model.nets.adaptable_nets import adaptable_net
from tests.support.nets.builder import ModelBuilder, append_zip
from tests.support.nets.every_table import every_option_model
from tests.support.nets.random_nets import random_net
from tests.support.nets.random_tangles import random_tangle
from tests.support.real_models import real_model
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.flatbuffer.table import Table

__all__ = [
    "ALL",
    "LIGHT",
    "SOURCES",
    "TO_ADAPT",
    "TO_DENSIFY",
    "TO_SPARSIFY",
    "source",
    "structure_of",
]

_TESTDATA = Path(__file__).parents[2] / "testdata"
_KEPT = 16
_HEAVY = {
    "structure of face_detection_full_range_sparse",
    "face_detection_full_range_sparse",
    "pose_detection",
}


def structure_of(data: bytes) -> bytes:
    """The model with all long vectors cut short, so that damage hits tables, not weights."""
    file = FlatFile.read(data)
    _shorten(file.root)
    target = io.BytesIO()
    file.write(target)
    return target.getvalue()


def _shorten(table: Table) -> None:
    for field in table:
        value = table[field.name]
        if field.kind == "vector_scalar":
            table[field.name] = value[:_KEPT]
        elif isinstance(value, Table):
            _shorten(value)
        elif field.kind == "vector_table":
            for element in value:
                _shorten(element)


def _small(*, external: bool = False) -> bytes:
    """A model of little weights in every storage, so that most of its bytes say something."""
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.pad_spatial(graph.input((1, 9, 9, 3)))
    x = graph.conv2d(x, 4, kernel=3, stride=2, padding="VALID")
    for storage in ("sparse", "fp16-sparse", "fp16", "dense"):
        x = graph.conv2d(x, 4, zeros=0.8, storage=storage)
        x = graph.depthwise(x)
    x = graph.mean(graph.add(x, x))
    graph.output(graph.fully_connected(x, 2, zeros=0.5))
    data = builder.build(external=external)
    return append_zip(data, {"labels.txt": b"cat\ndog\n"}) if external else data


def _perceptron() -> bytes:
    """Layers of FULLY_CONNECTED in every storage, large enough to be worth storing sparse."""
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 48))
    for storage in ("dense", "sparse", "sparse-direct", "fp16", "dense"):
        x = graph.fully_connected(x, 48, zeros=0.85, storage=storage)
    graph.output(graph.fully_connected(x, 4))
    return builder.build()


def _wide(storage: str, *, external: bool = False) -> bytes:
    """Separable convolutions, wide enough to be worth storing sparse."""
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 8, 8, 3))
    x = graph.conv2d(graph.pad_spatial(x), 32, kernel=3, stride=2, padding="VALID")
    for zeros in (0.7, 0.9, 1.0):
        x = graph.conv2d(graph.depthwise(x), 32, zeros=zeros, storage=storage)
    graph.output(graph.fully_connected(graph.mean(x), 3))
    return builder.build(external=external)


def _shared() -> bytes:
    """Two subgraphs' worth of readers for one weight, and weights that are full of zeros."""
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 6, 6, 32))
    filters = graph.constant(
        np.ones((32, 1, 1, 32), np.float32), name="shared", zeros=0.9, storage="sparse"
    )
    x = graph.conv2d(x, 32, filters=filters)
    x = graph.conv2d(x, 32, filters=filters)
    graph.output(graph.conv2d(x, 32, zeros=1.0), x)
    return builder.build()


def _stock(number: int) -> bytes:
    """A random net that only adapting makes eligible."""
    return adaptable_net(number)[0]


SOURCES = {
    "small": _small,
    "external": lambda: _small(external=True),
    "perceptron": _perceptron,
    "shared": _shared,
    "wide": lambda: _wide("dense"),
    "wide half": lambda: _wide("fp16"),
    "wide int8": lambda: _wide("int8"),
    "wide outside": lambda: _wide("dense", external=True),
    "dense": (_TESTDATA / "mobilenet_tiny_80.tflite").read_bytes,
    "sparse": (_TESTDATA / "mobilenet_tiny_80_sparse.tflite").read_bytes,
    "net 1": lambda: random_net(1)[0],
    "net 2": lambda: random_net(2)[0],
    **{f"stock {number}": partial(_stock, number) for number in (3, 11, 24, 57, 60)},
    "tangle": lambda: random_tangle(3)[0],
    "every option table": every_option_model,
    "hand_recrop": lambda: real_model("hand_recrop").read_bytes(),
    "face_detection_short_range": lambda: real_model("face_detection_short_range").read_bytes(),
    "structure of face_detection_full_range_sparse": lambda: structure_of(
        real_model("face_detection_full_range_sparse").read_bytes()
    ),
    "structure of hand_landmark_lite": lambda: structure_of(
        real_model("hand_landmark_lite").read_bytes()
    ),
    "face_detection_full_range_sparse": lambda: real_model(
        "face_detection_full_range_sparse"
    ).read_bytes(),
    "pose_detection": lambda: real_model("pose_detection").read_bytes(),
}
"""Name -> what makes the model: generated ones, small and real ones, whole and in structure."""

ALL = tuple(SOURCES)
LIGHT = tuple(name for name in ALL if name not in _HEAVY)
"""Models that leave room for what is slow, even on a loaded machine."""

TO_ADAPT = ("stock 3", "stock 11", "stock 24", "stock 57", "stock 60", "net 1", "tangle", "wide")
"""Models that `adapt` changes."""

TO_SPARSIFY = ("perceptron", "wide", "wide", "wide outside", "dense")
"""Models that `sparsify` changes."""

TO_DENSIFY = (
    "small",
    "external",
    "perceptron",
    "net 1",
    "net 2",
    "tangle",
    "shared",
    "sparse",
    "face_detection_full_range_sparse",
)
"""Models that `densify` changes."""


@functools.cache
def source(name: str) -> bytes:
    """A model by its name in `SOURCES`."""
    return SOURCES[name]()
