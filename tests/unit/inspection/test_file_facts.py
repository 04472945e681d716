"""What a file says about itself, and where its bytes go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder, append_zip
from tflite_sparse.inspection.file.file_facts import byte_shares, file_facts, stored_bytes
from tflite_sparse.model import Model
from tflite_sparse.model.weights import find_weights

if TYPE_CHECKING:
    from tflite_sparse.inspection.file.file_types import FileFacts


def _builder() -> ModelBuilder:
    builder = ModelBuilder(description="made by hand")
    graph = builder.graph()
    x = graph.input((1, 8, 8, 4), signature=(-1, 8, 8, 4))
    y = graph.conv2d(x, 8, zeros=0.8, name="conv")
    y = graph.conv2d(y, 8, zeros=0.8, storage="sparse")
    z = graph.op("MyOp", [y], [((1, 8), "FLOAT32")])[0]
    graph.output(z)
    builder.signature("serve", graph, {"image": x}, {"label": z})
    builder.metadata("notes", b"0123456789")
    return builder


def _facts(data: bytes) -> FileFacts:
    model = Model.read(data)
    return file_facts(model, find_weights(model))


def test_the_file_tells_what_it_holds() -> None:
    facts = _facts(_builder().build())
    assert facts.schema_version == 3
    assert facts.description == "made by hand"
    assert facts.read_only is None
    (subgraph,) = facts.subgraphs
    assert subgraph.name == "main"
    assert (subgraph.operators, len(subgraph.inputs), len(subgraph.outputs)) == (4, 1, 1)
    assert subgraph.inputs[0].shape == (-1, 8, 8, 4)
    (signature,) = facts.signatures
    assert (signature.key, signature.inputs[0].name) == ("serve", "image")
    assert [(blob.name, blob.bytes) for blob in facts.metadata] == [("notes", 10)]


def test_operators_are_counted_the_most_frequent_first() -> None:
    kinds = _facts(_builder().build()).operators
    assert [(kind.name, kind.custom, kind.count) for kind in kinds] == [
        ("CONV_2D", False, 2),
        ("DENSIFY", False, 1),
        ("MyOp", True, 1),
    ]
    assert kinds[0].macs == 8 * 8 * 8 * (4 + 8)


@pytest.mark.parametrize("external", [False, True])
def test_the_shares_add_up_to_the_file(external: bool) -> None:
    data = append_zip(_builder().build(external=external), {"labels.txt": b"cat\ndog\n"})
    model = Model.read(data)
    shares = byte_shares(model, find_weights(model))
    parts = msgspec.structs.replace(shares, external=0).to_dict().values()
    assert sum(parts) == len(data)
    assert shares.metadata == 10
    outside = sum(buffer.nbytes for buffer in model.buffers)
    assert shares.external == (outside if external else 0)


def test_weights_count_their_segments_and_indices() -> None:
    model = Model.read(_builder().build())
    weights = {weight.tensor.name: weight.tensor for weight in find_weights(model)}
    sparse = next(tensor for tensor in weights.values() if tensor.sparsity is not None)
    values = sparse.buffer.nbytes // 4
    # 64 weights, 13 kept: one byte for each index, and for each of the 9 segments.
    assert values == 13
    assert stored_bytes(sparse) == 13 * 4 + 13 + 9
    shares = byte_shares(model, find_weights(model))
    assert shares.weights == stored_bytes(sparse) + 8 * 4 * 4


def test_a_buffer_that_is_shared_counts_once() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    filters = graph.constant(np.ones((8, 1, 1, 8), np.float32))
    x = graph.conv2d(graph.input((1, 4, 4, 8)), 8, filters=filters, bias=False)
    graph.output(graph.conv2d(x, 8, filters=filters, bias=False))
    model = Model.read(builder.build())
    assert byte_shares(model, find_weights(model)).weights == 8 * 8 * 4


def test_an_appended_zip_is_listed() -> None:
    facts = _facts(append_zip(_builder().build(), {"labels.txt": b"cat", "a\nb": b""}))
    (run,) = facts.appended
    assert run.zip
    assert run.files == ("labels.txt", "a\\x0ab")


def test_appended_bytes_of_another_kind_are_told_as_such() -> None:
    data = _builder().build()
    (run,) = _facts(data + b"\x01" * 200).appended
    assert (run.zip, run.files, run.bytes) == (False, (), 200)


def test_buffers_that_claim_the_same_bytes_leave_no_less_than_nothing() -> None:
    model = Model.read(_builder().build())
    for buffer in model.buffers[1:]:
        buffer.clear()
        buffer.table["offset"], buffer.table["size"] = 8, model.size - 8
    shares = byte_shares(model, find_weights(model))
    assert shares.structure == 0


# What `zipfile` trips over: bytes of an entry of the directory, by their places in it.
ODD_ENTRIES = {
    "a later version of zip": {6: b"\x63"},
    "a name that is no UTF-8": {9: b"\x08", 46: b"\xff"},
}


@pytest.mark.parametrize("name", ODD_ENTRIES)
def test_a_zip_that_cannot_be_listed_is_other_bytes(name: str) -> None:
    data = bytearray(append_zip(_builder().build(), {"labels.txt": b"cat"}))
    directory = data.rindex(b"PK\x01\x02")
    for place, odd in ODD_ENTRIES[name].items():
        data[directory + place] = odd[0]
    (run,) = _facts(bytes(data)).appended
    assert (run.zip, run.files) == (False, ())


@pytest.mark.parametrize("external", [False, True], ids=["inside", "outside"])
def test_options_of_custom_operators_are_no_structure(external: bool) -> None:
    def sizes(options: int) -> tuple[int, int]:
        builder = ModelBuilder()
        graph = builder.graph()
        x = graph.input((1, 4))
        program = bytes(range(250)) * options
        graph.output(
            *graph.op("edgetpu-custom-op", [x], [((1, 4), "FLOAT32")], None, 1, None, program)
        )
        model = Model.read(builder.build(external=external))
        shares = byte_shares(model, find_weights(model))
        return shares.custom_options, shares.structure

    (few, structure), (many, same) = sizes(4), sizes(400)
    assert (few, many) == (1_000, 100_000)
    assert abs(same - structure) < 64
