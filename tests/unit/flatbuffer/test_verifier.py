"""A damaged file costs an error with its place, never memory, time or another exception."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest

from tests.support.forge import Forge
from tests.support.nets.every_table import every_option_model
from tflite_sparse.errors import FileError, FormatError, RewriteError
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.flatbuffer.verifier import MAX_TABLES

SUBGRAPHS, DESCRIPTION, BUFFERS, METADATA_BUFFER = "slot_2", "slot_3", "slot_4", "slot_5"
OFFSET = (4, 0)


def test_a_minimal_model_is_accepted():
    forge = Forge()
    forge.model()
    file = FlatFile.read(bytes(forge.out))
    assert file.root["version"] == 3
    assert file.root["subgraphs"] is None
    assert file.verified.end == len(forge.out)


def refused(forge: Forge) -> FormatError:
    with pytest.raises(FormatError) as caught:
        FlatFile.read(bytes(forge.out))
    assert caught.value.place.offset is not None
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("root", [0, 3, 2**31, 2**32 - 1])
def test_a_root_outside_the_file_is_refused(root):
    forge = Forge()
    forge.model()
    struct.pack_into("<I", forge.out, 0, root)
    assert "root" in refused(forge).message


@pytest.mark.parametrize("distance", [2**31 - 1, -(2**31), 10**6, -(10**6)])
def test_a_vtable_outside_the_file_is_refused(distance):
    forge = Forge()
    start = forge.model()["start"]
    struct.pack_into("<i", forge.out, start, distance)
    assert "vtable" in refused(forge).message


@pytest.mark.parametrize("size", [0, 2, 3, 5, 0xFFFF])
def test_an_impossible_vtable_size_is_refused(size):
    forge = Forge()
    start = forge.model()["start"]
    vtable = start - struct.unpack_from("<i", forge.out, start)[0]
    struct.pack_into("<H", forge.out, vtable, size)
    assert "vtable" in refused(forge).message


@pytest.mark.parametrize("size", [0, 3, 0xFFFF])
def test_an_impossible_table_size_is_refused(size):
    forge = Forge()
    start = forge.model()["start"]
    vtable = start - struct.unpack_from("<i", forge.out, start)[0]
    struct.pack_into("<H", forge.out, vtable + 2, size)
    refused(forge)


def test_a_field_beyond_its_table_is_refused():
    forge = Forge()
    start = forge.model()["start"]
    vtable = start - struct.unpack_from("<i", forge.out, start)[0]
    struct.pack_into("<H", forge.out, vtable + 4, 200)
    assert "version" in refused(forge).message


@pytest.mark.parametrize("value", [0, 3, 10**6, 2**32 - 1])
def test_an_offset_that_leads_nowhere_is_refused(value):
    forge = Forge()
    found = forge.model(slot_3=OFFSET)
    struct.pack_into("<I", forge.out, found[DESCRIPTION], value)
    assert "Model.description" in refused(forge).message


def test_a_string_without_its_zero_byte_is_refused_and_with_it_accepted():
    for last in (b"x", b"\0"):
        forge = Forge()
        found = forge.model(slot_3=OFFSET)
        forge.point(found[DESCRIPTION], forge.u32(2))
        forge.out += b"ab" + last
        if last == b"\0":
            assert FlatFile.read(bytes(forge.out)).root["description"] == "ab"
        else:
            assert "zero byte" in refused(forge).message


@pytest.mark.parametrize("length", [2, 2**30, 2**32 - 1])
def test_a_vector_longer_than_the_file_is_refused_whatever_it_claims(length):
    forge = Forge()
    found = forge.model(slot_5=OFFSET)
    forge.point(found[METADATA_BUFFER], forge.u32(length))
    forge.u32(0)
    tracemalloc.start()
    try:
        assert "metadata_buffer" in refused(forge).message
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_vector_as_long_as_the_file_is_accepted():
    forge = Forge()
    found = forge.model(slot_5=OFFSET)
    forge.point(found[METADATA_BUFFER], forge.u32(2))
    forge.u32(7)
    forge.u32(8)
    values = FlatFile.read(bytes(forge.out)).root["metadata_buffer"]
    assert values.tolist() == [7, 8]
    assert not values.flags.writeable


def test_a_table_that_is_pointed_at_as_two_types_is_each_of_them():
    forge = Forge()
    fields = forge.model(slot_2=OFFSET, slot_4=OFFSET)
    places = []
    for name in (SUBGRAPHS, BUFFERS):
        forge.point(fields[name], forge.u32(1))
        places.append(forge.u32(0))
    table = forge.table(slot_0=OFFSET)
    for place in places:
        forge.point(place, table["start"])
    forge.point(table["slot_0"], forge.u32(0))
    root = FlatFile.read(bytes(forge.out)).root
    assert root["subgraphs"][0]["tensors"] == []
    assert root["buffers"][0]["data"].size == 0


def test_a_table_cannot_point_at_itself():
    # Offsets are unsigned: one that would lead back wraps around, which no reader does.
    forge = Forge()
    fields = forge.model(slot_2=OFFSET)
    forge.point(fields[SUBGRAPHS], forge.u32(1))
    place = forge.u32(0)
    struct.pack_into("<I", forge.out, place, 2**32 + fields["start"] - place)
    assert "an element of Model.subgraphs" in refused(forge).message


def test_many_references_to_one_table_are_followed_up_to_a_limit():
    # 1,000 subgraphs that are one, whose 1,000 tensors are one: a million tables in 8 KB.
    forge = Forge()
    found = forge.model(slot_2=OFFSET)
    count = 1000
    vector = forge.u32(count)
    forge.point(found[SUBGRAPHS], vector)
    places = [forge.u32(0) for _ in range(count)]
    graph = forge.table(slot_0=OFFSET)
    for place in places:
        forge.point(place, graph["start"])
    forge.point(graph["slot_0"], forge.u32(count))
    places = [forge.u32(0) for _ in range(count)]
    tensor = forge.table()
    for place in places:
        forge.point(place, tensor["start"])
    # It gives up at so many tables, of the million that it is told of.
    assert f"{MAX_TABLES:,}" in refused(forge).message


def test_overlapping_vectors_of_offsets_are_refused_before_they_are_expanded():
    forge = Forge()
    found = forge.model(slot_1=OFFSET, slot_2=OFFSET, slot_4=OFFSET)
    count = 5000
    for name in ("slot_1", SUBGRAPHS, BUFFERS):
        forge.point(found[name], len(forge.out))
    forge.u32(count)
    for _ in range(count):
        forge.u32(4)
    refused(forge)


def test_a_vector_of_no_tables_is_accepted():
    forge = Forge()
    found = forge.model(slot_2=OFFSET)
    forge.point(found[SUBGRAPHS], forge.u32(0))
    assert FlatFile.read(bytes(forge.out)).root["subgraphs"] == []


def test_external_data_outside_the_file_is_refused_and_inside_accepted():
    for offset, size, good in (
        (40, 4, True),
        (40, 10**6, False),
        (2**63, 8, False),
        (2**64 - 4, 8, False),
    ):
        forge = Forge()
        found = forge.model(slot_4=OFFSET)
        forge.point(found[BUFFERS], forge.u32(1))
        place = forge.u32(0)
        buffer = forge.table(slot_1=(8, offset), slot_2=(8, size))
        forge.point(place, buffer["start"])
        if good:
            verified = FlatFile.read(bytes(forge.out)).verified
            assert verified.external == ((offset, size),)
        else:
            assert "external data" in refused(forge).message


def test_an_unknown_slot_makes_the_file_read_only_and_says_which():
    forge = Forge()
    forge.model(slot_40=(4, 1))
    file = FlatFile.read(bytes(forge.out))
    assert file.root["version"] == 3
    assert "slot 40 of table Model" in file.read_only
    with pytest.raises(RewriteError, match="slot 40 of table Model"):
        file.write(None)


def test_a_long_vtable_whose_unknown_slots_are_empty_is_nothing_unknown():
    forge = Forge()
    found = forge.model(slot_40=(4, 1))
    start = found["start"]
    vtable = start - struct.unpack_from("<i", forge.out, start)[0]
    struct.pack_into("<H", forge.out, vtable + 4 + 2 * 40, 0)
    assert FlatFile.read(bytes(forge.out)).read_only is None


def test_an_unknown_union_member_makes_the_file_read_only():
    data = bytearray(every_option_model())
    file = FlatFile.read(bytes(data))
    operator = file.root["subgraphs"][0]["operators"][0]
    field = operator.definition.by_name["builtin_options_type"]
    place = operator._position(field)
    data[place] = 250
    file = FlatFile.read(bytes(data))
    assert "member 250 in builtin_options" in file.read_only


@pytest.mark.parametrize("cut", np.linspace(9, 0.999, 12).tolist())
def test_a_file_cut_short_is_refused(cut):
    data = every_option_model()
    size = int(cut) if cut >= 1 else int(len(data) * cut)
    with pytest.raises((FormatError, FileError)):
        FlatFile.read(data[: min(size, len(data) // 2)])


@pytest.mark.parametrize(("slot", "width"), [("slot_3", 1), ("slot_0", 4)], ids=["names", "shapes"])
def test_strings_and_vectors_that_overlap_do_not_multiply(slot, width):
    # A thousand tensors, each name or shape of which is the end of the one before.
    forge = Forge()
    model = forge.model(slot_2=(4, 0))
    graphs = forge.u32(1)
    forge.point(model["slot_2"], graphs)
    entry = forge.u32(0)
    graph = forge.table(slot_0=(4, 0))
    forge.point(entry, graph["start"])
    tensors = forge.u32(1000)
    forge.point(graph["slot_0"], tensors)
    entries = [forge.u32(0) for _ in range(1000)]
    places = []
    for place in entries:
        tensor = forge.table(**{slot: (4, 0)})
        forge.point(place, tensor["start"])
        places.append(tensor[slot])
    start = len(forge.out)
    # A length wherever one is looked for: each string or vector reaches to the end.
    size = 40_000
    lengths = [(size - 4 * at - 4) // width for at in range(1000)]
    forge.out += struct.pack("<1000I", *lengths) + bytes(size - 4000 + 1)
    for at, place in enumerate(places):
        forge.point(place, start + 4 * at)
    with pytest.raises(FormatError, match="bytes together"):
        FlatFile.read(bytes(forge.out))


def test_external_data_that_a_thousand_buffers_share_does_not_multiply():
    forge = Forge()
    found = forge.model(slot_4=OFFSET)
    forge.point(found[BUFFERS], forge.u32(1000))
    places = [forge.u32(0) for _ in range(1000)]
    buffer = forge.table(slot_1=(8, 8), slot_2=(8, 40_000))
    for place in places:
        forge.point(place, buffer["start"])
    forge.out += bytes(40_000)
    assert "bytes together" in refused(forge).message


def test_vectors_of_tables_that_overlap_are_refused_before_they_are_expanded():
    # Two hundred subgraphs, each list of tensors of which is the end of the one before.
    forge = Forge()
    found = forge.model(slot_2=OFFSET)
    forge.point(found[SUBGRAPHS], forge.u32(200))
    tensors = []
    for place in [forge.u32(0) for _ in range(200)]:
        graph = forge.table(slot_0=OFFSET)
        forge.point(place, graph["start"])
        tensors.append(graph["slot_0"])
    for place in tensors:
        forge.point(place, forge.u32(4000))
    forge.out += bytes(16_000)
    tracemalloc.start()
    try:
        assert "the vectors SubGraph.tensors claim 800,000 elements" in refused(forge).message
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_string_without_its_zero_byte_at_the_end_of_the_file_is_refused():
    forge = Forge()
    found = forge.model(slot_3=OFFSET)
    forge.point(found[DESCRIPTION], forge.u32(2))
    forge.out += b"ab"
    assert "longer than the rest of the file" in refused(forge).message


def test_a_union_without_its_type_makes_the_file_read_only():
    forge = Forge()
    found = forge.model(slot_2=OFFSET)
    forge.point(found[SUBGRAPHS], forge.u32(1))
    place = forge.u32(0)
    graph = forge.table(slot_3=OFFSET)
    forge.point(place, graph["start"])
    forge.point(graph["slot_3"], forge.u32(1))
    place = forge.u32(0)
    operator = forge.table(slot_4=OFFSET)
    forge.point(place, operator["start"])
    forge.point(operator["slot_4"], forge.table()["start"])
    file = FlatFile.read(bytes(forge.out))
    assert "member 0 in builtin_options of table Operator" in file.read_only
