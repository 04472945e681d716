"""Models as trees of generated code, and back: what is not edited stays as it is, or is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import flatbuffers
import numpy as np
import pytest
import tflite
from ai_edge_litert import schema_py_generated as litert_schema

import tflite_sparse
from tests.support.docs.make_testdata import FOLDER
from tests.support.nets.appended_data import append_zip, pack_with_external_data
from tests.support.nets.every_table import every_option_model, filled, pack
from tests.support.peers.object_api import differences, load
from tests.support.real_models import real_model
from tflite_sparse import from_tflite
from tflite_sparse.errors import FormatError, ModelError, RewriteError, UsageError
from tflite_sparse.model import Model

REAL = (
    "face_detection_full_range_sparse_mediapipe",
    "face_detection_short_range",
    "hand_landmark_lite",
    "selfie_segmentation",
)


def everything(seed: int) -> bytes:
    """A model with every option table, and other tables with all their fields set."""
    model = load(every_option_model(seed))
    rng = np.random.default_rng(seed)
    model.metadata = [filled("Metadata", rng)]
    model.metadata[0].buffer = 0
    model.signatureDefs = [filled("SignatureDef", rng)]
    model.signatureDefs[0].subgraphIndex = 0
    for entry in (*model.signatureDefs[0].inputs, *model.signatureDefs[0].outputs):
        entry.tensorIndex = 0
    model.buffers.append(litert_schema.BufferT())
    model.buffers[1].data = rng.integers(0, 256, 5000).astype(np.uint8)
    return pack(model)


def outside(seed: int) -> bytes:
    return append_zip(pack_with_external_data(load(everything(seed))), {"labels.txt": b"cat\n"})


def models() -> dict[str, bytes]:
    made = {path.name: path.read_bytes() for path in FOLDER.glob("*.tflite")}
    made |= {f"every table {seed}": everything(seed) for seed in range(4)}
    made |= {f"data outside {seed}": outside(seed) for seed in range(2)}
    return made


@pytest.mark.parametrize("data", models().values(), ids=models())
def test_a_model_comes_back_from_a_tree_as_it_was(data: bytes) -> None:
    model = Model.read(data)
    assert from_tflite(model.to_tflite()).to_bytes() == model.to_bytes()
    back = from_tflite(model.to_tflite(litert_schema))
    assert differences(*map(held, (back.to_bytes(), data))) == []
    assert [run.data.size for run in back.appended] == [run.data.size for run in model.appended]


def held(data: bytes) -> Any:
    """A model as a tree; what is held inside the flatbuffer states no size of its own."""
    tree = load(data)
    for buffer in tree.buffers:
        buffer.size = 0
    for graph in tree.subgraphs:
        for operator in graph.operators or ():
            operator.largeCustomOptionsSize = 0
    return tree


@pytest.mark.parametrize("name", REAL)
def test_a_real_model_comes_back_from_a_tree_as_it_was(name: str) -> None:
    model = Model.read(real_model(name))
    back = from_tflite(model.to_tflite(litert_schema))
    assert differences(load(back.to_bytes()), load(model.to_bytes())) == []
    assert tflite_sparse.diff(model, back).equal
    assert len(back.appended) == len(model.appended)


def test_the_tflite_package_reads_the_model() -> None:
    tree = Model.read(FOLDER / "mobilenet_tiny_80.tflite").to_tflite()
    assert isinstance(tree, tflite.Model)
    graph = tree.Subgraphs(0)
    code = tree.OperatorCodes(graph.Operators(0).OpcodeIndex())
    assert tflite.opcode2name(code.BuiltinCode()) == "PAD"


def test_what_is_edited_in_the_tree_is_edited_in_the_model() -> None:
    tree = Model.read(FOLDER / "mobilenet_tiny_80.tflite").to_tflite(litert_schema)
    tree.subgraphs[0].tensors[0].name = "picture"
    tree.metadata = None
    back = from_tflite(tree)
    assert back.main.tensors[0].name == "picture"
    assert back.metadata == []
    assert tflite_sparse.sparsify(back).changed


def test_a_tree_shows_what_a_rewrite_has_not_written_yet() -> None:
    model = Model.read(FOLDER / "mobilenet_tiny_80.tflite")
    tflite_sparse.sparsify(model)
    back = from_tflite(model.to_tflite(litert_schema))
    assert any(tensor.sparsity is not None for tensor in back.main.tensors)
    assert tflite_sparse.diff(Model.read(FOLDER / "mobilenet_tiny_80.tflite"), back).equal


def test_a_zip_behind_the_model_opens_after_it_came_along() -> None:
    model = Model.read(append_zip(every_option_model(), {"labels.txt": b"cat\n"}))
    tree = model.to_tflite(litert_schema)
    tree.description = "longer than it was " * 100
    (run,) = from_tflite(tree).appended
    assert b"labels.txt" in run.data.tobytes()


def test_names_that_are_no_utf8_come_back() -> None:
    tree = load(every_option_model())
    tree.subgraphs[0].tensors[0].name = b"\xff\xfe"
    model = Model.read(pack(tree))
    back = from_tflite(model.to_tflite(litert_schema))
    assert back.main.tensors[0].name == model.main.tensors[0].name


def older(lacking: str) -> Any:
    """Generated code from before there was some field."""

    def read(root: object) -> Any:
        tree = litert_schema.ModelT.InitFromObj(root)
        for part in (tree, *tree.subgraphs[0].operators):
            if hasattr(part, lacking):
                setattr(part, lacking, None)
        return tree

    api = SimpleNamespace(InitFromObj=read)
    return SimpleNamespace(__name__="older", Model=litert_schema.Model, ModelT=api)


@pytest.mark.parametrize(
    ("lacking", "field"),
    [
        ("signatureDefs", r"model\.signature_defs"),
        ("builtinOptions2", r"model\.subgraphs\[0\]\.operators\[\d+\]\.builtin_options_2"),
        ("intermediates", r"model\.subgraphs\[0\]\.operators\[0\]\.intermediates"),
    ],
)
def test_a_field_that_the_code_does_not_know_is_not_lost(lacking: str, field: str) -> None:
    with pytest.raises(RewriteError, match=f"older does not know {field}, and would lose it"):
        Model.read(everything(0)).to_tflite(older(lacking))


@pytest.mark.parametrize("value", [None, 1, "model", b"TFL3", object()])
def test_what_is_no_tree_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="no tree of a whole model"):
        from_tflite(value)


def test_a_part_of_a_model_is_no_model() -> None:
    tree = Model.read(FOLDER / "mobilenet_tiny_80.tflite").to_tflite()
    with pytest.raises(UsageError, match="SubGraph is no tree of a whole model"):
        from_tflite(tree.Subgraphs(0))


def test_the_tflite_package_has_no_tree_that_could_be_edited() -> None:
    model = Model.read(FOLDER / "mobilenet_tiny_80.tflite")
    with pytest.raises(UsageError, match="tflite has no object API"):
        model.to_tflite(tflite)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda tree: setattr(tree, "version", "three"),
        lambda tree: setattr(tree, "version", 2**40),
        lambda tree: setattr(tree, "subgraphs", [1]),
        lambda tree: setattr(tree.buffers[0], "data", "text"),
        lambda tree: setattr(tree, "subgraphs", 7),
        lambda tree: setattr(tree, "buffers", [None]),
    ],
)
def test_a_tree_that_holds_something_else_makes_no_model(spoil) -> None:
    tree = load(every_option_model())
    spoil(tree)
    with pytest.raises(ModelError, match="the tree makes no model"):
        from_tflite(tree)


def test_data_that_the_tree_does_not_hold_is_refused() -> None:
    tree = load(every_option_model())
    tree.buffers[0].offset, tree.buffers[0].size = 64, 16
    with pytest.raises(RewriteError, match="buffer 0 refers to data that the tree does not hold"):
        from_tflite(tree)
    tree = load(every_option_model())
    operator = tree.subgraphs[0].operators[3]
    operator.customOptions, operator.largeCustomOptionsOffset = None, 64
    with pytest.raises(RewriteError, match="operator 3 refers to options"):
        from_tflite(tree)


def test_damaged_bytes_behind_a_tree_are_refused() -> None:
    data = bytearray(every_option_model())
    tree = tflite.Model.GetRootAs(data, 0)
    data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    with pytest.raises(FormatError):
        from_tflite(tree)


def test_a_tree_that_others_have_built_is_taken() -> None:
    builder = flatbuffers.Builder(0)
    description = builder.CreateString("empty")
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddDescription(builder, description)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    assert from_tflite(tflite.Model.GetRootAs(builder.Output(), 0)).description == "empty"
