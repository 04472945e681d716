"""Whatever the bytes, only the project's own exceptions come out, quickly and in little memory."""

from __future__ import annotations

import contextlib
import io
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.damage import apply, damages
from tests.support.every_table import every_option_model
from tests.support.real_models import real_model
from tflite_sparse.errors import ModelError, TfliteSparseError
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model import Model

EXAMPLES = int(os.environ.get("TFLITE_SPARSE_FUZZ", "1500"))
LIMIT_SECONDS = 2.0
fuzzing = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def structure_of(data: bytes) -> bytes:
    """The model with all long vectors cut short, so that damage hits tables, not weights."""
    file = FlatFile.read(data)
    shorten(file.root)
    target = io.BytesIO()
    file.write(target)
    return target.getvalue()


def shorten(table: Table) -> None:
    for field in table:
        value = table[field.name]
        if field.kind == "vector_scalar":
            table[field.name] = value[:16]
        elif isinstance(value, Table):
            shorten(value)
        elif field.kind == "vector_table":
            for element in value:
                shorten(element)


def walk(table: Table) -> int:
    """Decodes every field of every table below, and counts the tables."""
    count = 1
    for field in table:
        value = table[field.name]
        if isinstance(value, Table):
            count += walk(value)
        elif field.kind == "vector_table":
            count += sum(walk(element) for element in value)
    return count


def look(data: bytes) -> None:
    """Reads everything there is to read, and writes the model again."""
    file = FlatFile.read(data)
    assert walk(file.root) == file.verified.tables
    model = Model(file)
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            with contextlib.suppress(ModelError):
                _ = tensor.data
    again = model.to_bytes()
    assert Model.read(again).to_bytes() == again


def survives(data: bytes) -> None:
    started = time.perf_counter()
    error = ""
    try:
        look(data)
    except TfliteSparseError as refusal:
        error = str(refusal)
    assert "\n" not in error
    assert time.perf_counter() - started < LIMIT_SECONDS


SOURCES = {
    "every option table": every_option_model,
    "face_detection_full_range_sparse": lambda: structure_of(
        real_model("face_detection_full_range_sparse").read_bytes()
    ),
    "hand_landmark_lite": lambda: structure_of(real_model("hand_landmark_lite").read_bytes()),
}


@pytest.fixture(scope="module", params=SOURCES)
def good(request) -> bytes:
    return SOURCES[request.param]()


def test_a_damaged_file_is_read_or_refused(good):

    @fuzzing
    @given(damage=damages(len(good)))
    def run(damage):
        survives(apply(good, damage))

    run()


@fuzzing
@given(data=st.binary(max_size=512))
def test_random_bytes_behind_the_identifier_are_read_or_refused(data):
    survives(data[:4].ljust(4, b"\0") + b"TFL3" + data[4:])


@fuzzing
@given(data=st.binary(max_size=64))
def test_random_bytes_are_refused(data):
    survives(data)
