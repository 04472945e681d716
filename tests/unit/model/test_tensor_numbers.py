"""Numbers of tensors beside the graph follow its edits, go with a word, or the edit is refused."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as litert_schema
from hypothesis import Phase, given, settings

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.every_table import pack
from tests.support.peers.object_api import load
from tests.unit.rewrite.models import models
from tflite_sparse.errors import RewriteError
from tflite_sparse.lint.fixers.cleanup import drop_tensors, empty_buffers
from tflite_sparse.model import Model
from tflite_sparse.model.dead_code import dead_buffers
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.save import save

if TYPE_CHECKING:
    from tflite_sparse.rewrite.changes import Rewrite

PLAN = "OfflineMemoryAllocation"
MIXED = settings(
    deadline=None, max_examples=30, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)


def add_metadata(tree: Any, name: str, data: bytes) -> None:
    buffer, entry = litert_schema.BufferT(), litert_schema.MetadataT()
    buffer.data = np.frombuffer(data, np.uint8)
    tree.buffers.append(buffer)
    entry.name, entry.buffer = name.encode(), len(tree.buffers) - 1
    tree.metadata = [*(tree.metadata or []), entry]


def planned(data: bytes) -> bytes:
    """A model with an offset for every tensor that is computed: 16 times its position."""
    tree = load(data)
    constant = [bool(b.data is not None and len(b.data)) for b in tree.buffers]
    tensors = [t for graph in tree.subgraphs for t in graph.tensors]
    offsets = [-1 if constant[t.buffer] else 16 * n for n, t in enumerate(tensors)]
    add_metadata(tree, PLAN, np.array([1, 0, len(offsets), *offsets], "<i4").tobytes())
    return pack(tree)


def plan_of(data: bytes) -> list[tuple[str, int]] | None:
    """The names of all tensors, each with its offset; None without a plan."""
    model = Model.read(data)
    entry = next((e for e in model.metadata if e.name == PLAN), None)
    if entry is None:
        return None
    version, subgraph, count, *offsets = entry.buffer.data.view("<i4").tolist()
    tensors = [t for graph in model.subgraphs for t in graph.tensors]
    assert (version, subgraph, count) == (1, 0, len(tensors))
    return [(t.name, offset) for t, offset in zip(tensors, offsets, strict=True)]


def saved(rewrite: Rewrite) -> bytes:
    memory = io.BytesIO()
    save(rewrite, memory)
    return memory.getvalue()


@MIXED
@given(models())
def test_a_plan_of_memory_follows_storage(data: bytes) -> None:
    data = planned(data)
    before = [(name, at) for name, at in plan_of(data) or () if at >= 0]
    sparse = saved(sparsify(Model.read(data)))
    dense = saved(densify(Model.read(sparse)))
    for file in (sparse, dense):
        kept = [(name, at) for name, at in plan_of(file) or () if at >= 0]
        assert kept == before


def stock() -> bytes:
    """A net that `adapt` changes."""
    builder = ModelBuilder()
    g = builder.graph()
    x = g.conv2d(g.input((1, 32, 32, 3)), 16, kernel=3, stride=2, padding="SAME")
    for _ in range(3):
        x = g.depthwise(x, kernel=3)
        x = g.conv2d(x, 64, zeros=0.9)
    g.output(g.fully_connected(g.mean(x, axes=(1, 2)), 4))
    return builder.build()


def test_a_plan_for_other_operators_is_dropped_with_a_word():
    result = adapt(Model.read(planned(stock())), AdaptOptions(min_gain=0))
    assert result.adaptation is not None
    assert result.adaptation.done
    assert [note for note in result.notes if PLAN in note]
    assert plan_of(saved(result)) is None


def test_a_plan_that_a_custom_operator_may_rely_on_is_never_dropped():
    builder = ModelBuilder()
    g = builder.graph()
    x = g.conv2d(g.input((1, 32, 32, 3)), 16, kernel=3, stride=2, padding="SAME")
    for _ in range(3):
        x = g.conv2d(g.depthwise(x, kernel=3), 64, zeros=0.9)
    x = g.fully_connected(g.mean(x, axes=(1, 2)), 4)
    g.output(*g.op("ethos-u", [x], [((1, 4), "FLOAT32")], custom_options=b"\1\4\1"))
    data = builder.build()
    assert adapt(Model.read(data), AdaptOptions(min_gain=0)).changed
    with pytest.raises(RewriteError, match=r"ethos-u #\d+ may rely on it"):
        adapt(Model.read(planned(data)), AdaptOptions(min_gain=0))
    assert plan_of(saved(sparsify(Model.read(planned(data))))) is not None


def test_a_plan_follows_when_dead_tensors_go():
    tree = load(planned(stock()))
    spare = litert_schema.TensorT()
    spare.name, spare.shape, spare.buffer = b"spare", np.array([1], np.int32), 0
    tree.subgraphs[0].tensors.insert(1, spare)
    for operator in tree.subgraphs[0].operators:
        operator.inputs = np.where(operator.inputs >= 1, operator.inputs + 1, operator.inputs)
        operator.outputs = operator.outputs + 1
    tree.subgraphs[0].outputs = tree.subgraphs[0].outputs + 1
    tree.metadata = None
    data = planned(pack(tree))
    model = Model.read(data)
    assert drop_tensors.apply(model, []) is not None
    before = [item for item in plan_of(data) or () if item[0] != "spare"]
    assert plan_of(model.to_bytes()) == before


@pytest.mark.parametrize("offsets", [[], [1, 2, 3], [0] * 1000])
def test_a_plan_that_the_runtime_refuses_stays_as_it_is(offsets):
    tree = load(stock())
    blob = np.array([1, 0, len(offsets), *offsets], "<i4").tobytes()
    add_metadata(tree, PLAN, blob)
    result = saved(sparsify(Model.read(pack(tree))))
    (entry,) = Model.read(result).metadata
    assert entry.buffer.data.tobytes() == blob


def compressed(tensors: list[int], buffers: list[int]) -> bytes:
    """The metadata of TFLite Micro's compression, for tensors of the first subgraph."""
    b = flatbuffers.Builder(0)
    entries = []
    for tensor, buffer in zip(tensors, buffers, strict=True):
        b.StartObject(3)
        b.PrependInt32Slot(0, tensor, 0)
        b.PrependUint32Slot(1, buffer, 0)
        b.PrependUint8Slot(2, 4, 0)
        entries.append(b.EndObject())
    vector = _vector(b, entries)
    b.StartObject(1)
    b.PrependUOffsetTRelativeSlot(0, vector, 0)
    graphs = _vector(b, [b.EndObject()])
    b.StartObject(2)
    b.PrependUint32Slot(0, 1, 1)
    b.PrependUOffsetTRelativeSlot(1, graphs, 0)
    b.Finish(b.EndObject())
    return bytes(b.Output())


def _vector(b: flatbuffers.Builder, items: list[int]) -> int:
    b.StartVector(4, len(items), 4)
    for item in reversed(items):
        b.PrependUOffsetTRelative(item)
    return int(b.EndVector())


def with_tables() -> tuple[bytes, int]:
    """A model with a dead tensor and a compressed one behind it, and its table of values."""
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 8, 8, 8))
    g.tensor((1,), "FLOAT32", "spare")
    kernel = g.constant(np.ones((8, 1, 1, 8), np.float32))
    g.output(g.conv2d(x, 8, filters=kernel))
    values = builder.buffer(np.arange(16, dtype=np.float32))
    builder.metadata("COMPRESSION_METADATA", compressed([kernel.index], [values]))
    return builder.build(), values


def test_tables_of_compressed_tensors_are_no_dead_buffers():
    data, values = with_tables()
    model = Model.read(data)
    assert values not in [buffer.index for buffer in dead_buffers(model)]
    assert empty_buffers.apply(model, []) is None


def test_other_numbers_of_compressed_tensors_are_refused():
    data, _ = with_tables()
    model = Model.read(data)
    assert drop_tensors.apply(model, []) is not None
    with pytest.raises(RewriteError, match="COMPRESSION_METADATA"):
        model.to_bytes()


def test_damaged_metadata_of_compression_keep_every_buffer_and_number():
    tree = load(with_tables()[0])
    for size in (0, 3, 8):
        buffer = tree.buffers[tree.metadata[0].buffer]
        buffer.data = np.full(size, 0xFF, np.uint8)
        model = Model.read(pack(tree))
        if size:
            assert dead_buffers(model) == []
        drop_tensors.apply(model, [])
        if size:
            with pytest.raises(RewriteError, match="COMPRESSION_METADATA"):
                model.to_bytes()


def test_scales_of_blockwise_quantization_stay_the_same_tensors():
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 8))
    g.tensor((1,), "FLOAT32", "spare")
    scales = g.constant(np.ones((4, 1), np.float16))
    g.output(g.fully_connected(x, 4))
    tree = load(builder.build())
    details = litert_schema.BlockwiseQuantizationT()
    details.scales, details.zeroPoints, details.blockSize = scales.index, -1, 8
    quantization = litert_schema.QuantizationParametersT()
    quantization.details = details
    quantization.detailsType = litert_schema.QuantizationDetails.BlockwiseQuantization
    filters = tree.subgraphs[0].operators[0].inputs[1]
    tree.subgraphs[0].tensors[filters].quantization = quantization
    model = Model.read(pack(tree))
    name = model.main.tensors[scales.index].name
    assert drop_tensors.apply(model, []) is not None
    for _ in range(2):
        again = Model.read(model.to_bytes())
        held = again.main.operators[0].inputs[1]
        assert held is not None
        assert held.quantization is not None
        number = held.quantization["details"]["scales"]
        assert again.main.tensors[number].name == name
