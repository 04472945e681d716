"""Reading and writing again loses nothing: by the wheel's own object API, field by field."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from tests.support.nets.every_table import every_option_model, filled, pack
from tests.support.peers.object_api import differences, load
from tests.support.real_models import all_real_models, real_model
from tflite_sparse.errors import RewriteError
from tflite_sparse.flatbuffer import byte_layout as layout
from tflite_sparse.flatbuffer.external import external_range
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.flatbuffer.schema import schema


def rewritten(data: bytes) -> bytes:
    target = io.BytesIO()
    size = FlatFile.read(data).write(target)
    assert size == len(target.getvalue())
    return target.getvalue()


@pytest.mark.parametrize("name", all_real_models())
def test_a_real_model_is_deeply_equal_after_a_round_trip_and_stable_after_two(name):
    before = real_model(name).read_bytes()
    after = rewritten(before)
    assert differences(load(before), load(after)) == []
    assert rewritten(after) == after


@pytest.mark.parametrize("seed", range(3))
def test_every_option_table_survives_a_round_trip(seed):
    before = every_option_model(seed)
    after = rewritten(before)
    assert differences(load(before), load(after)) == []
    assert rewritten(after) == after


def test_a_model_with_every_field_set_survives_a_round_trip():
    rng = np.random.default_rng(7)
    model = filled("Model", rng)
    for buffer in model.buffers:
        buffer.offset = buffer.size = 0
    for graph in model.subgraphs:
        for operator in graph.operators:
            operator.largeCustomOptionsOffset = operator.largeCustomOptionsSize = 0
    before = pack(model)
    assert differences(load(before), load(rewritten(before))) == []


def test_the_comparison_itself_sees_a_changed_field_and_a_changed_byte():
    before = every_option_model()
    other = load(before)
    other.subgraphs[0].operators[3].inputs = np.array([1], np.int32)
    assert len(differences(load(before), other)) == 1
    other = load(before)
    other.description = b"another"
    assert len(differences(load(before), other)) == 1


def test_absent_and_empty_vectors_stay_apart():
    model = load(every_option_model())
    graph = model.subgraphs[0]
    graph.tensors[0].shape = np.array([], np.int32)
    graph.tensors[1].shape = None
    file = FlatFile.read(rewritten(pack(model)))
    first, second = file.root["subgraphs"][0]["tensors"]
    assert first["shape"] is not None
    assert len(first["shape"]) == 0
    assert second["shape"] is None


def test_names_that_are_no_utf8_stay_as_they_are():
    model = load(every_option_model())
    model.description = b"\xff\xfe"
    before = pack(model)
    assert differences(load(before), load(rewritten(before))) == []


def test_the_data_of_buffers_is_aligned_to_sixteen_bytes():
    model = load(every_option_model())
    model.buffers += [filled("Buffer", np.random.default_rng(size)) for size in range(9)]
    for index, buffer in enumerate(model.buffers[1:]):
        buffer.offset = buffer.size = 0
        buffer.data = np.arange(3 * index + 1, dtype=np.uint8)
    file = FlatFile.read(rewritten(pack(model)))
    starts = [table.location("data") for table in file.root["buffers"][1:]]
    assert [(start + 4) % 16 for start in starts] == [0] * 9


def test_data_outside_the_flatbuffer_stays_outside_and_appended_bytes_stay_last():
    model = load(every_option_model())
    buffer = filled("Buffer", np.random.default_rng(0))
    buffer.data = None
    operator = model.subgraphs[0].operators[0]
    operator.customOptions = None
    weights, options = bytes(range(256)) * 16, b"large options"
    # The places are of the right width before they are known, so that the size does not change.
    buffer.offset = operator.largeCustomOptionsOffset = 2**40
    buffer.size, operator.largeCustomOptionsSize = len(weights), len(options)
    model.buffers.append(buffer)
    start = len(pack(model))
    start += -start % 16
    buffer.offset, operator.largeCustomOptionsOffset = start, start + len(weights)
    before = pack(model).ljust(start, b"\0") + weights + options + bytes(100)
    after = rewritten(before)
    assert differences(load(before), load(after)) == []
    assert after.endswith(bytes(100))
    assert load(after).buffers[-1].offset % 16 == 0
    assert rewritten(after) == after


@pytest.mark.parametrize("absolute", [True, False], ids=["offsets in the file", "in the archive"])
def test_an_appended_zip_opens_and_lists_the_same_files_after_the_model_changed_size(absolute):
    data = every_option_model()
    memory = io.BytesIO()
    memory.write(data if absolute else b"")
    with zipfile.ZipFile(memory, "a") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
        archive.writestr("vocab.txt", "x" * 1000, zipfile.ZIP_DEFLATED)
    before = memory.getvalue() if absolute else data + memory.getvalue()
    for longer in ("short", "a much longer description " * 40):
        file = FlatFile.read(before)
        file.root["description"] = longer
        target = io.BytesIO()
        file.write(target)
        with zipfile.ZipFile(target) as archive:
            assert archive.namelist() == ["labels.txt", "vocab.txt"]
            assert archive.read("labels.txt") == b"cat\ndog\n"
            assert archive.testzip() is None
            # Strict readers take the stored offsets at their word.
            if absolute:
                start = archive.getinfo("labels.txt").header_offset
                assert target.getvalue()[start : start + 4] == b"PK\x03\x04"
                assert archive.start_dir == _stored_directory(target.getvalue())


def _stored_directory(data: bytes) -> int:
    end = data.rfind(b"PK\x05\x06")
    return int.from_bytes(data[end + 16 : end + 20], "little")


def test_buffers_move_outside_where_the_flatbuffer_would_pass_its_limit(monkeypatch):
    model = load(every_option_model())
    for size in (10, 5000, 6000):
        buffer = filled("Buffer", np.random.default_rng(size))
        buffer.offset = buffer.size = 0
        buffer.data = np.arange(size, dtype=np.uint8)
        model.buffers.append(buffer)
    before = pack(model)
    monkeypatch.setattr(layout, "MAX_FLATBUFFER", len(before) - 8000)
    after = rewritten(before)
    _, small, *large = load(after).buffers
    assert small.offset == 0
    assert all(buffer.offset % 16 == 0 and buffer.offset > 1 for buffer in large)
    for old, new in zip(load(before).buffers, load(after).buffers, strict=True):
        assert old.data is new.data is None or bytes(old.data) == bytes(new.data)
    monkeypatch.setattr(layout, "MAX_FLATBUFFER", 2000)
    with pytest.raises(RewriteError, match="2 GiB"):
        rewritten(before)


def test_identical_bytes_come_out_of_two_reads_of_one_file():
    data = every_option_model()
    assert rewritten(data) == rewritten(data)


def test_every_member_of_both_option_unions_is_in_the_generated_model():
    data = every_option_model()
    operators = FlatFile.read(data).root["subgraphs"][0]["operators"]
    names = {
        (operator["builtin_options"] or operator["builtin_options_2"]).name
        for operator in operators
    }
    wanted = {
        name
        for union in ("BuiltinOptions", "BuiltinOptions2")
        for name in schema().unions[union].members.values()
    }
    assert names == wanted


def with_outside(*places: tuple[int, int | None]) -> FlatFile:
    """A file with a buffer for each (offset from the end of the flatbuffer, size or none)."""
    model = load(every_option_model())
    model.buffers = [type(model.buffers[0])() for _ in places]
    tail = bytes(range(max(offset + (size or 0) for offset, size in places)))
    for buffer, (_, size) in zip(model.buffers, places, strict=True):
        buffer.offset, buffer.size = 2**40, 0 if size is None else size
    start = len(pack(model))
    for buffer, (offset, _) in zip(model.buffers, places, strict=True):
        buffer.offset = start + offset
    return FlatFile.read(pack(model) + tail)


def test_data_outside_that_overlaps_keeps_both_sizes():
    file = with_outside((0, 16), (0, 160))
    target = io.BytesIO()
    file.write(target)
    again = FlatFile.read(target.getvalue())
    assert [external_range(buffer)[1] for buffer in again.root["buffers"]] == [16, 160]
    for buffer in again.root["buffers"]:
        start, size = external_range(buffer)
        assert target.getvalue()[start : start + size] == bytes(range(size))


def test_a_place_outside_without_a_size_is_written_again():
    target = io.BytesIO()
    with_outside((0, None)).write(target)
    (buffer,) = FlatFile.read(target.getvalue()).root["buffers"]
    assert buffer["size"] == 0


def test_data_inside_goes_before_data_outside():
    file = with_outside((0, 16))
    (buffer,) = file.root["buffers"]
    assert external_range(buffer) is not None
    buffer["data"] = b"inside"
    target = io.BytesIO()
    file.write(target)
    (again,) = FlatFile.read(target.getvalue()).root["buffers"]
    assert external_range(again) is None
    assert (again["offset"], again["data"].tobytes()) == (0, b"inside")
