"""The faults that were found on users' models, looked for on what the real converters write.

Nets of testdata/exports: by LiteRT's converter for PyTorch (channels first and last, an open batch,
open height and width, two signatures), by onnx2tf, and with a custom operator by TensorFlow's.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.support.command import call
from tests.support.peers.exports import EXPORTS, export
from tflite_sparse.model import Model
from tflite_sparse.rewrite.failing import failing
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.runtime.litert.driver import profile_many
from tflite_sparse.runtime.verify import verify
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

CUSTOM = "custom"
RUN = [name for name in EXPORTS if name != CUSTOM]
SIDES = {"": (1, 3, 40, 56)}


def sizes(name: str) -> dict[str, tuple[int, ...]] | None:
    """Sizes of inputs that are asked for, other than those that stand in the file."""
    return SIDES if name == "hw" else None


def sparse(name: str) -> bytes:
    """The model with its weights stored sparse and nothing else changed."""
    model = Model.read(export(name))
    assert sparsify(model).weights
    return model.to_bytes()


def optimized(name: str) -> bytes:
    """The model made to run sparse."""
    result = optimize(Model.read(export(name)), input_shapes=sizes(name))
    assert result.adaptation is not None
    assert result.adaptation.done
    assert len(result.weights) >= 5
    return result.model.to_bytes()


def put(folder, name: str, data: bytes) -> str:
    path = folder / f"{name}.tflite"
    path.write_bytes(data)
    return str(path)


def test_the_converters_and_what_they_are_asked_for_are_all_there():
    assert EXPORTS == ("batch", "custom", "first", "hw", "last", "onnx", "onnx_map", "two")


@pytest.mark.parametrize("name", RUN)
def test_it_is_made_to_run_sparse_and_executes_what_is_planned(name):
    models = [sparse(name), optimized(name)]
    opened = [Model.read(data) for data in models]
    plans = [plan(model.main, "x86-noavx") for model in opened]
    assert failing(opened[1]) is None
    assert plans[1].outcome is Outcome.SPARSE
    assert plans[1].verdict.sparse_pointwise >= 5
    shapes = [[tensor.shape for tensor in model.main.inputs] for model in opened]
    found = list(profile_many(models, emulate=True, shapes=shapes))
    for profile, planned in zip(found, plans, strict=True):
        assert profile.ok, profile.detail
        assert profile.delegated == planned.executed


@pytest.mark.parametrize("name", RUN)
def test_it_computes_the_same_in_every_signature(name, tmp_path):
    dense, made = put(tmp_path, "a", export(name)), put(tmp_path, "b", optimized(name))
    found = verify(dense, made, emulate=True, trials=1, input_shapes=sizes(name))
    assert found.verified
    assert found.equal
    # A copy of fixed size is another graph for `diff`.
    assert found.adapted or name == "hw"
    assert {entry.signature for entry in found.backends} >= (
        {"features"} if name == "two" else set()
    )


@pytest.mark.parametrize("name", RUN)
def test_sparse_storage_is_undone_without_loss_and_lint_finds_no_error(name, tmp_path):
    stored = sparse(name)
    model = Model.read(stored)
    densify(model)
    back, before = Model.read(model.to_bytes()), Model.read(export(name))
    for ours, theirs in zip(back.subgraphs, before.subgraphs, strict=True):
        for mine, its in zip(ours.tensors, theirs.tensors, strict=True):
            assert mine.name == its.name
            assert mine.shape_signature == its.shape_signature
            assert mine.data is None or np.array_equal(mine.data, its.data)
    done = call("lint", put(tmp_path, "model", optimized(name)), "--format", "json")
    assert not [f for f in json.loads(done.out)["findings"] if f["severity"] == "error"]


def test_what_is_proved_for_open_sides_is_proved_at_real_sizes(tmp_path):
    path = put(tmp_path, "model", export("hw"))
    told = call("inspect", path)
    assert "the file leaves height and width open" in " ".join(told.out.split())
    document = call("inspect", path, "--json", "--input-shape", "1,3,40,56").document("inspect")
    (entry,) = document["models"][0]["input_shapes"]["inputs"]
    assert entry["shape"] == [1, 3, 40, 56]
    left = optimize(Model.read(export("hw")))
    assert left.adaptation is not None
    assert not left.adaptation.done
    assert "leaves height and width open" in left.adaptation.reason


def test_a_copy_of_fixed_size_is_not_verified_at_another_one(tmp_path):
    path, fixed = put(tmp_path, "a", export("hw")), put(tmp_path, "b", optimized("hw"))
    done = call("verify", path, fixed, "--input-shape", "1,3,32,32")
    assert done.code == 2
    assert "is fixed to [1, 3, 40, 56] and does not take [1, 3, 32, 32]" in " ".join(
        done.err.split()
    )


def test_a_difference_in_the_second_signature_alone_is_seen(tmp_path):
    model = Model.read(export("two"))
    stem = next(op for op in model.subgraphs[1].operators if op.name == "CONV_2D").inputs[1]
    # Both subgraphs share their weights.
    assert len(model.users(stem.buffer)) > 1
    stem.table["buffer"] = model.add_buffer(np.asarray(stem.data) * 2).index
    path, other = put(tmp_path, "a", export("two")), put(tmp_path, "b", model.to_bytes())
    assert call("verify", path, path, "--trials", 1).code == 0
    done = call("verify", path, other, "--trials", 1)
    assert done.code == 1
    assert "features" in done.out


def test_a_custom_operator_is_said_not_to_load_and_proves_nothing(tmp_path):
    path = put(tmp_path, "model", export(CUSTOM))
    made = plan(Model.read(path).main, "arm64")
    assert made.outcome is Outcome.LOAD_FAILURE
    assert any("Igamma" in reason.message for reason in made.verdict.reasons)
    found = json.loads(call("lint", path, "--format", "json").out)["findings"]
    assert "TFS210" in {finding["code"] for finding in found}
    done = call("verify", path, path, "--trials", 1, "--json")
    assert done.code == 1
    assert not json.loads(done.out)["verification"]["verified"]
