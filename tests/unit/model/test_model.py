"""The façade: what is in a model, how its parts hang together, and how they are edited."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.schema_py_generated import TensorType

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.every_table import pack
from tests.support.peers.object_api import differences, load
from tflite_sparse.errors import EncodingError, ModelError, TfliteSparseError
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model import Model, Tensor
from tflite_sparse.model.sparse import decoded, encoding_of, stored_bytes
from tflite_sparse.model.uses import Use, trace_constant


def small(storage: str = "dense", **build) -> bytes:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 8, 8, 4), name="image")
    y = graph.conv2d(x, 8, zeros=0.5, storage=storage, name="layer", activation="RELU6")
    graph.output(graph.mean(y))
    builder.signature("run", graph, {"image": x}, {"layer": y})
    builder.metadata("note", b"hello")
    return builder.build(**build)


def edited(change) -> bytes:
    model = load(small())
    change(model)
    return pack(model)


def test_operators_know_their_kind_options_and_operands():
    model = Model.read(small())
    conv = model.subgraphs[0].operators[0]
    assert (conv.name, conv.version, conv.label) == ("CONV_2D", 1, "CONV_2D #0")
    assert conv.option("padding") == "SAME"
    assert conv.option("stride_w") == 1
    assert conv.option("fused_activation_function") == "RELU6"
    assert conv.option("no_such_option", "default") == "default"
    assert [tensor.name for tensor in conv.inputs][:2] == ["image", "layer/filter"]


def test_tensors_keep_their_numbers_however_the_model_is_edited_written_and_copied():
    model = Model.read(small())
    main = model.main
    conv = main.operators[0]
    numbers = {tensor.name: tensor.number for tensor in main.tensors}
    dropped = conv.inputs[1]
    twin = main.add_tensor(dropped.table.copy(), dropped.buffer)
    twin.table["name"] = "twin"
    main.rewire(Use(conv, 1), twin)
    main.remove(tensors=[dropped])
    new = len(numbers)
    assert twin.number == new
    model.to_bytes()
    for each in (model, model.copy(), model.copy().copy()):
        found = {tensor.name: tensor.number for tensor in each.main.tensors}
        assert found.pop("twin") == new
        assert found == {name: n for name, n in numbers.items() if name != "layer/filter"}
    assert [tensor.index for tensor in main.tensors] == [*range(len(main.tensors))]


def test_producers_and_consumers_are_known():
    graph = Model.read(small()).subgraphs[0]
    conv, mean = graph.operators
    assert graph.producer(conv.outputs[0]) is conv
    assert graph.producer(graph.inputs[0]) is None
    assert [(use.operator, use.operand) for use in graph.consumers(conv.outputs[0])] == [(mean, 0)]


def test_a_constant_is_a_view_of_the_file_in_its_shape():
    data = small()
    model = Model.read(data)
    filters = model.subgraphs[0].operators[0].inputs[1]
    assert filters.data.shape == (8, 1, 1, 4)
    assert not filters.data.flags.owndata
    assert not filters.data.flags.writeable
    assert np.count_nonzero(filters.data == 0) == 16
    assert model.subgraphs[0].inputs[0].data is None


@pytest.mark.parametrize(
    ("storage", "densify", "dequantize"),
    [
        ("dense", False, False),
        ("sparse", True, False),
        ("fp16", False, True),
        ("fp16-sparse", True, True),
    ],
)
def test_a_constant_is_traced_through_densify_and_dequantize(storage, densify, dequantize):
    graph = Model.read(small(storage)).subgraphs[0]
    conv = next(op for op in graph.operators if op.name == "CONV_2D")
    use = trace_constant(conv, 1)
    assert (use.densify is not None, use.dequantize is not None) == (densify, dequantize)
    assert use.constant.is_constant
    assert (use.operator, use.operand) == (conv, 1)
    assert trace_constant(conv, 0) is None
    assert trace_constant(conv, 9) is None


def test_a_sparse_constant_is_decoded_and_not_shown_as_dense():
    dense, sparse = (
        next(t for t in Model.read(small(s)).subgraphs[0].tensors if t.name == "layer/filter")
        for s in ("dense", "sparse")
    )
    with pytest.raises(ModelError, match="decoded"):
        _ = sparse.data
    assert np.array_equal(decoded(sparse), dense.data)
    assert decoded(dense) is not None
    with pytest.raises(EncodingError, match="dense"):
        encoding_of(dense)


def _sparse(change) -> Tensor:
    """The sparse weight of a model in which something of it was changed."""
    model = load(small("sparse"))
    change(next(t for t in model.subgraphs[0].tensors if t.sparsity is not None), model)
    return next(t for t in Model.read(pack(model)).subgraphs[0].tensors if t.sparsity is not None)


LACKING = {
    "levels": (lambda t, _: setattr(t.sparsity, "dimMetadata", None), "0 levels"),
    "order": (lambda t, _: setattr(t.sparsity, "traversalOrder", None), "order has 0 entries"),
    "segments": (
        lambda t, _: setattr(t.sparsity.dimMetadata[3], "arraySegments", None),
        "no segments or no indices",
    ),
    "indices": (
        lambda t, _: setattr(t.sparsity.dimMetadata[3], "arrayIndices", None),
        "no segments or no indices",
    ),
    "numbers of the indices": (
        lambda t, _: setattr(t.sparsity.dimMetadata[3].arrayIndices, "values", None),
        "there are 0 indices",
    ),
    "a fixed width": (lambda t, _: setattr(t, "type", TensorType.STRING), "values of type STRING"),
    "a byte": (
        lambda t, model: setattr(model.buffers[t.buffer], "data", np.ones(63, np.uint8)),
        "63 bytes, not a multiple of 4",
    ),
}


@pytest.mark.parametrize("name", LACKING)
def test_a_sparse_constant_that_lacks_a_part_is_refused(name):
    change, message = LACKING[name]
    tensor = _sparse(change)
    assert stored_bytes(tensor) > 0
    with pytest.raises(TfliteSparseError, match=message):
        encoding_of(tensor)


def test_an_empty_block_map_is_none():
    tensor = _sparse(lambda t, _: setattr(t.sparsity, "blockMap", np.zeros(0, np.int32)))
    assert encoding_of(tensor).block_map is None


def test_signatures_and_metadata_are_resolved():
    model = Model.read(small())
    (signature,) = model.signatures
    assert (signature.key, signature.inputs[0][0]) == ("run", "image")
    assert signature.inputs[0][1] is model.subgraphs[0].inputs[0]
    (entry,) = model.metadata
    assert (entry.name, entry.buffer.data.tobytes()) == ("note", b"hello")


@pytest.mark.parametrize("external", [False, True])
def test_data_inside_and_outside_the_flatbuffer_read_alike(external):
    model = Model.read(small(external=external))
    filters = model.subgraphs[0].operators[0].inputs[1]
    assert filters.buffer.external is external
    reference = Model.read(small()).subgraphs[0].operators[0].inputs[1]
    assert np.array_equal(filters.data, reference.data)


def _last_tensor(model):
    return model.subgraphs[0].tensors[-1]


MISTAKES = {
    "buffer": (lambda m: setattr(_last_tensor(m), "buffer", 99), "buffer 99"),
    "operator code": (
        lambda m: setattr(m.subgraphs[0].operators[0], "opcodeIndex", 9),
        "operator code 9",
    ),
    "input of an operator": (
        lambda m: setattr(m.subgraphs[0].operators[0], "inputs", np.array([99], np.int32)),
        "tensor 99",
    ),
    "negative output": (
        lambda m: setattr(m.subgraphs[0].operators[0], "outputs", np.array([-2], np.int32)),
        "tensor -2",
    ),
    "output of the subgraph": (
        lambda m: setattr(m.subgraphs[0], "outputs", np.array([99], np.int32)),
        "tensor 99",
    ),
    "signature's subgraph": (
        lambda m: setattr(m.signatureDefs[0], "subgraphIndex", 5),
        "subgraph 5",
    ),
    "signature's tensor": (
        lambda m: setattr(m.signatureDefs[0].inputs[0], "tensorIndex", 99),
        "tensor 99",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_an_index_that_leads_nowhere_is_refused_with_its_place(name):
    change, message = MISTAKES[name]
    with pytest.raises(ModelError, match=message) as caught:
        Model.read(edited(change), "m.tflite")
    assert caught.value.place.file == "m.tflite"


def test_a_buffer_of_another_size_than_the_shape_is_refused_when_it_is_read():
    def cut(model):
        model.buffers[1].data = model.buffers[1].data[:-1]

    filters = Model.read(edited(cut)).subgraphs[0].operators[0].inputs[1]
    with pytest.raises(ModelError, match=r"needs 128 bytes, buffer 1 has 127"):
        _ = filters.data

    def negative(model):
        model.subgraphs[0].tensors[1].shape = np.array([8, 1, 1, -4], np.int32)

    with pytest.raises(ModelError, match="negative"):
        _ = Model.read(edited(negative)).subgraphs[0].tensors[1].data


def test_a_shape_beyond_all_numbers_is_refused_in_one_short_line():
    def grow(model):
        model.subgraphs[0].tensors[1].shape = np.full(3000, 2**31 - 1, np.int32)

    tensor = Model.read(edited(grow)).subgraphs[0].tensors[1]
    with pytest.raises(ModelError, match="more elements") as caught:
        _ = tensor.data
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("kind", "raw", "wanted"),
    [
        ("INT4", [0x21, 0xF8], [1, 2, -8]),
        ("UINT4", [0x21, 0xF8], [1, 2, 8]),
        ("INT2", [0b11_01_10_00], [0, -2, 1]),
    ],
)
def test_packed_types_are_unpacked(kind, raw, wanted):
    model = Model.read(small())
    graph = model.subgraphs[0]
    table = Table("Tensor")
    table.set_enum("type", kind)
    table["shape"] = [3]
    tensor = graph.add_tensor(table, model.add_buffer(np.array(raw, np.uint8)))
    assert tensor.data.tolist() == wanted


def test_an_unedited_model_is_deeply_equal_after_writing():
    data = small()
    assert differences(load(data), load(Model.read(data).to_bytes())) == []


def test_edits_reach_the_file_and_indices_follow():
    model = Model.read(small())
    graph = model.subgraphs[0]
    conv = graph.operators[0]
    table = Table("Tensor")
    table["name"] = "added"
    table["shape"] = [1, 8, 8, 8]
    added = graph.add_tensor(table, model.buffers[0])
    code = model.operator_code("RELU")
    relu = graph.add_operator(1, code, [conv.outputs[0]], [added])
    graph.rewire(graph.consumers(conv.outputs[0])[1], added)
    written = load(model.to_bytes())
    operators = written.subgraphs[0].operators
    assert relu.index == 1
    assert operators[1].inputs.tolist() == [conv.outputs[0].index]
    assert operators[2].inputs[0] == added.index
    assert written.operatorCodes[operators[1].opcodeIndex].builtinCode == 19
    assert model.operator_code("RELU") is code


def test_removal_renumbers_operators_tensors_and_signatures():
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 4))
    unused = graph.constant(np.ones(3, np.float32), "unused")
    dead = graph.unary("ABS", x)
    y = graph.unary("NEG", x)
    graph.output(y)
    builder.signature("run", graph, {"x": x}, {"y": y})
    model = Model.read(builder.build())
    edited_graph = model.subgraphs[0]
    with pytest.raises(ModelError, match="in use"):
        edited_graph.remove(tensors=[edited_graph.tensors[dead.index]])
    edited_graph.remove(
        [edited_graph.operators[0]],
        [edited_graph.tensors[unused.index], edited_graph.tensors[dead.index]],
    )
    model.drop_unused_codes()
    written = load(model.to_bytes())
    assert [t.name for t in written.subgraphs[0].tensors] == [b"input", b"neg_1"]
    assert written.subgraphs[0].outputs.tolist() == [1]
    assert written.signatureDefs[0].outputs[0].tensorIndex == 1
    assert len(written.operatorCodes) == 1
    assert written.subgraphs[0].operators[0].opcodeIndex == 0


def test_replaced_data_and_cleared_buffers_keep_their_index():
    model = Model.read(small(external=True))
    filters = model.subgraphs[0].operators[0].inputs[1]
    filters.buffer.data = np.arange(32, dtype=np.float32)
    model.metadata[0].buffer.clear()
    again = Model.read(model.to_bytes())
    tensor = again.subgraphs[0].operators[0].inputs[1]
    assert tensor.data.reshape(-1).tolist() == list(range(32))
    assert not tensor.buffer.external
    assert again.metadata[0].buffer.nbytes == 0


def test_codes_above_127_are_read_from_the_wider_field():
    model = Model.read(small())
    code = model.operator_code("BROADCAST_TO")
    assert (code["deprecated_builtin_code"], code["builtin_code"]) == (127, 130)


def test_an_operator_newer_than_the_schema_has_a_number_for_a_name():
    model = load(small())
    model.operatorCodes[0].builtinCode = 9999
    operator = Model.read(pack(model)).subgraphs[0].operators[0]
    assert operator.name == "BUILTIN_9999"


def test_buffers_are_shared_by_identity():
    builder = ModelBuilder()
    graph = builder.graph()
    shared = graph.constant(np.ones((4, 1, 1, 4), np.float32), "shared")
    x = graph.input((1, 2, 2, 4))
    graph.output(graph.conv2d(graph.conv2d(x, 4, filters=shared), 4, filters=shared))
    model = Model.read(builder.build())
    first, second = (op.inputs[1] for op in model.subgraphs[0].operators)
    assert first is second
    assert model.users(first.buffer) == [first]
