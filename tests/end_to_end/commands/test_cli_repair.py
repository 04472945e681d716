"""What the runtime gets wrong is repaired by default, or told; what was not run is told too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.runtime_model.cases import CASES
from tests.support.command import call
from tests.support.lint.models import grouped
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.failing import refused, unknown
from tests.support.nets.small_nets import head, trunk
from tflite_sparse.model import Model
from tflite_sparse.rewrite.failing import failing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.nets.builder import GraphBuilder, Value

BROKEN = [
    name
    for name in (
        "ends.mean_kept_and_softmax",
        "ends.mean_kept_and_squeezed",
        "ends.excite_and_softmax",
        "depthwise.same_with_stride_two",
        "pointwise.mean_and_one",
        "clusters.max_pool",
        "hints.filter_read_without_densify_of_a_late_version",
        "other.quantized_convolution_that_is_sparse",
    )
    if name in CASES
]


def broken(g: GraphBuilder) -> Value:
    x = g.max_pool(trunk(g, storage="sparse"))
    return head(g, g.conv2d(x, 16, zeros=0.9, storage="sparse"))


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.fixture
def wrong(tmp_path):
    """A model that computes wrong numbers where the sparse path is on."""
    model = ModelBuilder()
    g = model.graph()
    g.output(broken(g))
    path = put(tmp_path / "wrong.tflite", model.build())
    assert failing(Model.read(path)) is not None
    return path


@pytest.mark.parametrize("command", ["optimize", "adapt"])
def test_wrong_numbers_are_repaired_by_default(wrong, tmp_path, command):
    out = tmp_path / "out.tflite"
    done = call(command, wrong, "-o", out, "--json", "--verify")
    assert done.code == 0
    told = done.document("rewrite")
    assert told["changed"]
    assert told["verified"]
    assert told["fails"] is None
    assert told["repaired"]["outcome"] == "wrong_numbers"
    assert failing(Model.read(out)) is None
    # Its dense twin is right, and on the sparse path the repaired model computes the same.
    dense = tmp_path / "dense.tflite"
    assert call("densify", wrong, "-o", dense).code == 0
    assert call("verify", dense, out, "--emulate", "--outputs-only", "--trials", 1).code == 0
    assert call("verify", dense, wrong, "--emulate", "--outputs-only", "--trials", 1).code == 1
    again = call(command, out, "-n", "--json").document("rewrite")
    assert not again["changed"]


def test_the_text_says_what_was_repaired(wrong, tmp_path):
    done = call("optimize", wrong, "-o", tmp_path / "out.tflite")
    assert "Repaired    it computed wrong numbers on arm64" in done.out
    assert "as the reference kernels for the model as it was" in " ".join(done.out.split())


@pytest.mark.parametrize("name", BROKEN)
def test_every_kind_of_failure_is_repaired_and_proved(tmp_path, name):
    path = put(tmp_path / "model.tflite", CASES[name].build())
    done = call("optimize", path, "-o", tmp_path / "out.tflite", "--json")
    assert done.code == 0
    told = done.document("rewrite")
    assert told["repaired"] is not None
    assert told["verified"], told["verification"]
    assert failing(Model.read(tmp_path / "out.tflite")) is None


def test_a_model_that_xnnpack_refuses_is_repaired_and_proved_by_other_kernels(tmp_path):
    path = put(tmp_path / "refused.tflite", refused())
    done = call("optimize", path, "-o", tmp_path / "out.tflite", "--json")
    assert done.code == 0
    told = done.document("rewrite")
    assert told["repaired"]["outcome"] == "load_failure"
    assert told["verified"]


@pytest.mark.parametrize("name", BROKEN[-2:])
def test_what_is_repaired_may_get_other_values_too(tmp_path, name):
    path = put(tmp_path / "model.tflite", CASES[name].build())
    done = call("optimize", path, "-o", tmp_path / "out.tflite", "--values", "int8", "--json")
    assert done.code == 0, done.err
    assert done.document("rewrite")["verified"]


def test_what_cannot_be_repaired_is_told_with_exit_code_1(tmp_path):
    path = put(tmp_path / "grouped.tflite", grouped(4))
    done = call("optimize", path, "-o", tmp_path / "out.tflite")
    assert done.code == 1
    assert "Broken      it does not load on arm64" in done.out
    assert "operands that its kernels reject" in " ".join(done.out.split())


def custom() -> bytes:
    model = ModelBuilder()
    g = model.graph()
    x = g.fully_connected(g.input((1, 256)), 256, zeros=0.9)
    g.output(*g.op("NobodyHasThisOperator", [x], [((1, 256), "FLOAT32")], version=1))
    return model.build()


def test_what_nothing_runs_is_not_verified(tmp_path):
    path = put(tmp_path / "custom.tflite", custom())
    done = call("optimize", path, "-o", tmp_path / "out.tflite")
    assert done.code == 0
    text = " ".join(done.out.split())
    assert "Unverified the models could not be run: Encountered unresolved custom op" in text
    assert "only the weights were compared" in text
    assert "LiteRT computes the same" not in text
    demanded = call("optimize", path, "-o", tmp_path / "other.tflite", "--verify", "--json")
    assert demanded.code == 1
    told = demanded.document("rewrite")
    assert not told["verified"]
    assert "NobodyHasThisOperator" in told["verification"]
    both = call("verify", path, tmp_path / "out.tflite")
    assert both.code == 1
    assert both.out.splitlines()[0].endswith("not verified; weights equal")
    found = call("verify", path, tmp_path / "out.tflite", "--json").document("verify")
    assert not found["verification"]["verified"]
    assert "NobodyHasThisOperator" in found["verification"]["unverified"]


@pytest.mark.parametrize("command", ["optimize", "sparsify"])
def test_without_litert_it_says_how_to_get_a_proof(wrong, tmp_path, monkeypatch, command):
    import importlib.util

    right = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ai_edge_litert" else right(name)
    )
    path = put(tmp_path / "model.tflite", custom())
    done = call(command, path, "-o", tmp_path / "out.tflite")
    text = " ".join(done.out.split())
    assert "Unverified the models were not run" in text
    assert "pip install 'tflite-sparse[litert]'" in text
    told = call(command, path, "-o", tmp_path / "two.tflite", "--json").document("rewrite")
    assert not told["verified"]
    assert "tflite-sparse[litert]" in told["verification"]
    if command == "optimize":
        # Whoever wants no proof is not told how to get one.
        done = call(command, path, "-o", tmp_path / "three.tflite", "--no-verify")
        assert "Unverified" not in done.out
        assert "pip install" not in done.out


def test_tolerances_are_taken_from_the_command_line(tmp_path):
    from tests.support.docs.make_testdata import FOLDER

    stock = FOLDER / "mobilenet_tiny_80_same.tflite"
    strict = call("optimize", stock, "-o", tmp_path / "a.tflite", "--atol", "0", "--rtol", "0")
    assert strict.code == 2
    assert "allow more by --atol and --rtol" in strict.err
    assert not (tmp_path / "a.tflite").exists()
    loose = call("adapt", stock, "-o", tmp_path / "b.tflite", "--verify", "--atol", "1e-4")
    assert loose.code == 0


def test_a_custom_operator_alone_is_nothing_to_write(tmp_path):
    path = put(tmp_path / "unknown.tflite", unknown())
    assert call("optimize", path, "-o", tmp_path / "out.tflite").code == 0
