"""Whatever a file claims, inspecting it ends in a result or in one of the project's own errors."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.damage import apply, damages
from tests.support.builder import ModelBuilder
from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.inspection import inspect
from tflite_sparse.model import Model
from tflite_sparse.report.text import inspection_lines

EXAMPLES = int(os.environ.get("TFLITE_SPARSE_FUZZ", "150"))
LIMIT_BYTES = 200 * 2**20
TESTDATA = Path(__file__).parents[2] / "testdata"
fuzzing = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def _small() -> bytes:
    """A model of little weights, so that most of its bytes say something."""
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.pad_spatial(graph.input((1, 9, 9, 3)))
    x = graph.conv2d(x, 4, kernel=3, stride=2, padding="VALID")
    for storage in ("sparse", "fp16-sparse", "fp16", "dense"):
        x = graph.conv2d(x, 4, zeros=0.8, storage=storage)
        x = graph.depthwise(x)
    x = graph.mean(graph.add(x, x))
    graph.output(graph.fully_connected(x, 2, zeros=0.5))
    return builder.build()


MODELS = {
    "small": _small(),
    "sparse": (TESTDATA / "mobilenet_tiny_80_sparse.tflite").read_bytes(),
}


def check(data: bytes) -> None:
    """Inspects and renders a model, or gets one of the project's own errors."""
    try:
        model = Model.read(data)
        found = inspect(model)
    except TfliteSparseError:
        return
    json.dumps(found.to_dict(), allow_nan=False)
    for line in inspection_lines(found, 80, explain=True):
        assert "\n" not in line.plain


@pytest.mark.parametrize("name", sorted(MODELS))
def test_damaged_models_are_told_or_refused(name: str) -> None:
    data = MODELS[name]

    @fuzzing
    @given(damages(len(data)))
    def run(damage: list[object]) -> None:
        check(apply(data, damage))  # type: ignore[arg-type]

    tracemalloc.start()
    try:
        run()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < LIMIT_BYTES


@fuzzing
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    check(b"\x18\x00\x00\x00TFL3" + data)
