"""Byte code behind a model moves with it, and so do the tables that name its place."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated
from flatbuffers import flexbuffers
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import tflite_sparse
from tests.support.nets.appended_data import append_zip, named_byte_code, with_byte_code
from tests.support.nets.every_table import every_option_model, pack
from tests.support.peers.object_api import load
from tests.unit.rewrite.models import models
from tests.unit.rewrite.test_round_trip import densified, rewritten
from tflite_sparse.errors import RewriteError
from tflite_sparse.flatbuffer.appended import AppendedKind
from tflite_sparse.flatbuffer.byte_code import set_offset
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.model import Model

CODE, OTHER = bytes(range(1, 201)) * 3, b"\x07" * 1000
FORMS = ("map", "narrow", "nul", "stars")


def written(data: bytes, description: str) -> bytes:
    """The model with a description of another length."""
    file = FlatFile.read(data)
    file.root["description"] = description
    memory = io.BytesIO()
    file.write(memory)
    return memory.getvalue()


@settings(deadline=None, max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    models(),
    st.sampled_from(FORMS),
    st.lists(st.sampled_from([CODE, OTHER]), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
    st.sampled_from([1, 16, 4096]),
)
def test_whatever_is_rewritten_names_the_byte_code_that_it_named(
    data: bytes, form: str, codes: list[bytes], external: bool, zipped: bool, alignment: int
) -> None:
    data = with_byte_code(data, codes, form, external=external, alignment=alignment)
    if zipped:
        data = append_zip(data, {"labels.txt": b"cat\ndog\n"})
    assert named_byte_code(data) == codes
    sparse = rewritten(data)
    for result in (sparse, densified(sparse), written(data, "x" * 5000)):
        assert named_byte_code(result) == codes
        assert all(run.start % alignment == 0 for run in Model.read(result).appended[:1])
        if zipped:
            with zipfile.ZipFile(io.BytesIO(result)) as archive:
                assert archive.read("labels.txt") == b"cat\ndog\n"
    assert tflite_sparse.diff(Model.read(data), Model.read(sparse)).equal


def test_a_model_with_byte_code_can_be_optimized():
    data = (tflite_sparse.read("testdata/mobilenet_tiny_80.tflite")).to_bytes()
    result = tflite_sparse.optimize(Model.read(with_byte_code(data, [CODE])))
    assert result.changed
    assert named_byte_code(result.model.to_bytes()) == [CODE]


@pytest.mark.parametrize("form", FORMS)
def test_the_place_is_right_in_every_file_that_is_written_of_one_model(form):
    model = Model.read(with_byte_code(every_option_model(), [CODE, OTHER, CODE], form))
    for description in ("", "x" * 70_000, "y" * 300):
        model.table["description"] = description
        assert named_byte_code(model.to_bytes()) == [CODE, OTHER, CODE]
        assert named_byte_code(model.copy().to_bytes()) == [CODE, OTHER, CODE]


@pytest.mark.parametrize("form", FORMS)
def test_a_tree_of_generated_code_keeps_its_byte_code(form):
    model = Model.read(with_byte_code(every_option_model(), [CODE, OTHER], form, external=True))
    tree = model.to_tflite(schema_py_generated)
    tree.description = "longer than it was " * 100
    assert named_byte_code(tflite_sparse.from_tflite(tree).to_bytes()) == [CODE, OTHER]


@pytest.mark.parametrize("form", ["map", "nul", "stars"])
def test_an_offset_is_changed_in_place_where_there_is_room(form):
    data = with_byte_code(every_option_model(), [CODE], form)
    after = written(data, "x" * 300_000)
    size = {len(option_bytes(file)) for file in (data, after)}
    assert len(size) == 1


def option_bytes(data: bytes) -> bytes:
    """The field that names the byte code."""
    (code,) = FlatFile.read(data).byte_code
    return bytes(code.table[code.field].tobytes())


def test_options_that_the_tool_does_not_know_stay_as_they_were():
    data = with_byte_code(every_option_model(), [CODE], "narrow")
    before, after = (
        flexbuffers.Loads(bytearray(option_bytes(file)))
        for file in (data, written(data, "x" * 999))
    )
    assert {**before, "bytecode_offset": 0} == {**after, "bytecode_offset": 0}
    assert before != after


def test_text_without_room_for_an_offset_is_refused():
    (code,) = FlatFile.read(with_byte_code(every_option_model(), [CODE], "stars")).byte_code
    assert set_offset(code, 10**10 - 1)
    with pytest.raises(OverflowError):
        set_offset(code, 10**10)


@pytest.mark.parametrize("cut", [1, len(CODE)])
@pytest.mark.parametrize("form", FORMS)
def test_a_place_where_no_byte_code_lies_is_refused(form, cut):
    data = with_byte_code(every_option_model(), [CODE], form)[:-cut]
    with pytest.raises(RewriteError, match="says that byte code lies at"):
        Model.read(data).to_bytes()


def test_a_place_inside_the_tables_is_refused():
    tree = load(with_byte_code(every_option_model(), [CODE]))
    options = flexbuffers.Dumps({"bytecode_offset": 100, "bytecode_size": 50})
    tree.subgraphs[0].operators[-1].customOptions = np.frombuffer(options, np.uint8)
    with pytest.raises(RewriteError, match=r"DISPATCH_OP #\d+ says .* lies at 100 to 150"):
        Model.read(pack(tree)).to_bytes()


OPTIONS = {
    "no flexbuffer": b"\xff\x00\xff",
    "empty": b"",
    "entry point of 2024": b"main".ljust(125, b"\0") + b"NPU_BYTE_CODE".ljust(125, b"\0"),
    "another map": None,
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_name_no_place_are_left_alone(name):
    tree = load(with_byte_code(every_option_model(), [CODE]))
    options = OPTIONS[name]
    if options is None:
        options = bytes(flexbuffers.Dumps({"name": "x"}))
    tree.subgraphs[0].operators[-1].customOptions = np.frombuffer(options, np.uint8)
    data = pack(tree)
    file = FlatFile.read(data)
    assert file.byte_code == ()
    after = load(written(data, "another"))
    assert bytes(after.subgraphs[0].operators[-1].customOptions) == options


def test_kinds_of_what_is_appended():
    data = every_option_model()
    kinds = {
        AppendedKind.ZIP: append_zip(data, {"labels.txt": b"cat"}),
        AppendedKind.BYTE_CODE: with_byte_code(data, [CODE]),
        AppendedKind.ZEROS: data + bytes(100),
        AppendedKind.UNKNOWN: data + b"appended by somebody",
    }
    assert {kind: FlatFile.read(file).appended[0].kind for kind, file in kinds.items()} == {
        kind: kind for kind in kinds
    }


ODD_ARCHIVES = {
    "something before the archive": lambda data, archive: data + b"something" + archive,
    "something after the archive": lambda data, archive: data + archive + b"something",
    "a part of the archive": lambda data, archive: data + archive[10:],
}


@pytest.mark.parametrize("name", ODD_ARCHIVES)
def test_a_zip_beside_other_bytes_is_of_an_unknown_kind(name):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("labels.txt", "cat\n")
    data = ODD_ARCHIVES[name](every_option_model(), memory.getvalue())
    (run,) = FlatFile.read(data).appended
    assert run.kind is AppendedKind.UNKNOWN


def test_bytes_of_an_unknown_kind_stay_where_they_are_or_are_refused():
    data = written(every_option_model(), "") + b"appended by somebody"
    assert written(data, "") == data
    with pytest.raises(RewriteError, match="20 bytes of an unknown kind are appended"):
        written(data, "a description " * 10)
