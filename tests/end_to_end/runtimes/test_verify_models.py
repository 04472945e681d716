"""`verify`: models that mean the same, and all the ways in which they may not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.failing import aborting, endless, refused, unknown
from tests.support.nets.small_nets import head, trunk
from tests.support.real_models import real_model
from tflite_sparse.errors import RewriteError
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.runtime.prove import proof_of, verify_files
from tflite_sparse.runtime.verify import Tolerance, verify

if TYPE_CHECKING:
    from collections.abc import Callable

DENSE = str(FOLDER / "mobilenet_tiny_80.tflite")
SPARSE = str(FOLDER / "mobilenet_tiny_80_sparse.tflite")
BACKENDS = ["xnnpack", "reference"]


def small(change: Callable[[np.ndarray], None] = lambda _: None, bias: float = 0.0) -> bytes:
    """A 1x1 convolution and its activation; `change` gets the filters before they are stored."""
    filters = np.random.default_rng(3).uniform(-1, 1, (4, 1, 1, 8)).astype(np.float32)
    filters[:, :, :, ::2] = 0.0
    change(filters)
    model = ModelBuilder()
    g = model.graph()
    x = g.conv2d(g.input((1, 6, 6, 8), name="x"), 4, filters=filters)
    g.output(g.add(x, np.float32(bias)) if bias else x)
    return model.build()


def test_dense_and_sparse_twins_are_equal_to_the_last_bit():
    found = verify(DENSE, SPARSE)
    assert found.equal
    assert found.weights == ()
    assert found.weights_equal > 5
    assert [backend.backend for backend in found.backends] == BACKENDS
    for backend in found.backends:
        assert backend.tolerance == Tolerance()
        assert all(output.max_abs == 0 and output.cosine == 1 for output in backend.outputs)


def test_a_model_without_inputs_is_not_held_to_give_others_for_others(store):
    model = ModelBuilder()
    g = model.graph()
    g.output(g.add(g.constant(np.ones(4, np.float32)), np.float32(1)))
    path, twin = store(model.build(), model.build())
    assert verify(path, twin).constant == ()
    dead, other = store(small(lambda values: values.fill(0)), small(lambda values: values.fill(0)))
    assert len(verify(dead, other).constant) == 1


def test_the_face_model_and_its_dense_twin_are_equal(store):
    face = real_model("face_detection_full_range_sparse")
    dense = Model.read(face)
    assert densify(dense).changed
    assert verify(face, *store(dense.to_bytes()), trials=1).equal


def test_on_an_emulated_processor_sparse_kernels_agree_within_rounding():
    found = verify(DENSE, SPARSE, emulate=True, trials=1, backends=["xnnpack"])
    (backend,) = found.backends
    assert found.equal
    assert found.emulated
    assert backend.tolerance.atol > 0
    # With the same kernels on both sides there would be no difference at all.
    assert max(output.max_abs for output in backend.outputs) > 0


def test_wrong_numbers_of_the_sparse_path_are_found(store):
    # The first 1x1 convolution writes the sparse layout, MAX_POOL_2D reads the other one.
    def net(storage: str) -> bytes:
        model = ModelBuilder()
        g = model.graph()
        x = g.max_pool(trunk(g, storage=storage))
        g.output(head(g, g.conv2d(x, 16, zeros=0.9, storage=storage)))
        return model.build()

    paths = store(net("dense"), net("sparse"))
    assert verify(*paths, trials=1).equal
    found = verify(*paths, trials=1, emulate=True)
    assert found.weights == ()
    assert not found.equal
    assert [backend.agree for backend in found.backends] == [False, True]
    assert found.backends[0].outputs[0].max_abs > 0.01


def test_one_changed_weight_is_found_with_its_size(store):
    def change(filters: np.ndarray) -> None:
        filters[1, 0, 0, 3] += 0.25

    found = verify(*store(small(), small(change)))
    (weight,) = found.weights
    assert weight.differing == 1
    assert weight.largest == pytest.approx(0.25)
    assert not found.equal
    assert all(0 < b.outputs[0].max_abs <= 0.26 for b in found.backends)


def test_negative_zero_is_zero(store):
    def change(filters: np.ndarray) -> None:
        filters[filters == 0] = -0.0

    assert verify(*store(small(), small(change))).equal


def test_tolerances_decide(store):
    paths = store(small(), small(bias=1e-3))
    assert not verify(*paths, backends=["xnnpack"]).equal
    assert not verify(*paths, backends=["xnnpack"], tolerance=Tolerance(atol=5e-4)).equal
    assert verify(*paths, backends=["xnnpack"], tolerance=Tolerance(atol=2e-3)).backends[0].agree


def test_the_same_seed_gives_the_same_figures_and_another_one_others(store):
    paths = store(small(), small(lambda filters: filters.__imul__(1.5)))
    a, b, c = (verify(*paths, seed=seed, backends=["xnnpack"]) for seed in (1, 1, 2))
    assert a == b
    assert a.backends[0].outputs != c.backends[0].outputs


def test_inputs_of_a_file_are_used(store, tmp_path):
    def change(filters: np.ndarray) -> None:
        filters[0, 0, 0, 1] += 1.0

    paths = store(small(), small(change))
    values = np.zeros((2, 1, 6, 6, 8), np.float32)
    values[1, 0, 2, 3, 1] = 0.5
    np.savez(tmp_path / "x.npz", x=values)
    found = verify(*paths, inputs=str(tmp_path / "x.npz"), backends=["xnnpack"])
    assert found.trials == 2
    assert found.seed is None
    assert found.backends[0].outputs[0].max_abs == pytest.approx(0.5)


def test_signatures_several_inputs_and_dynamic_batches_run(store):
    def net() -> bytes:
        model = ModelBuilder()
        g = model.graph()
        x = g.input((1, 4), name="x", signature=(-1, 4))
        y = g.input((1, 4), name="y", signature=(-1, 4))
        z = g.add(x, y)
        g.output(z)
        model.signature("sum", g, {"left": x, "right": y}, {"sum": z})
        return model.build()

    found = verify(*store(net(), net()), signature="sum", batch=3)
    assert found.equal
    for backend in found.backends:
        assert backend.compared
        assert [(output.name, output.shape) for output in backend.outputs] == [("sum", (3, 4))]


@pytest.mark.parametrize("kind", ["INT8", "UINT8", "INT32", "BOOL"])
def test_inputs_of_every_kind_run(store, kind):
    model = ModelBuilder()
    g = model.graph()
    x = g.input((1, 4, 4, 2), kind)
    g.output(g.reverse(x, [1]))
    found = verify(*store(model.build(), model.build()))
    assert found.equal
    assert all(backend.compared for backend in found.backends)


def test_outputs_that_do_not_pair_are_a_difference(store):
    def net(outputs: int) -> bytes:
        model = ModelBuilder()
        g = model.graph()
        x = g.input((1, 4))
        g.output(*[g.add(x, np.float32(i + 1)) for i in range(outputs)])
        return model.build()

    found = verify(*store(net(1), net(2)))
    assert not found.equal
    assert found.backends[0].problem == "1 outputs against 2"


def test_a_model_that_the_runtime_refuses_differs_from_one_that_runs(store):
    fine = Model.read(refused())
    assert densify(fine).changed
    found = verify(*store(refused(), fine.to_bytes()), trials=1)
    xnnpack, reference = found.backends
    assert (xnnpack.status_a, xnnpack.agree) == ("load-failure", False)
    assert "CONV_2D" in xnnpack.detail_a
    assert reference.agree


def test_a_model_that_hangs_is_a_result(store):
    found = verify(*store(endless(), endless()), timeout=1, trials=1, backends=["xnnpack"])
    assert found.backends[0].status_a == "timed-out"
    assert not found.backends[0].compared
    assert not found.equal
    assert not found.verified
    assert "not done after 1 s" in found.unverified


def test_models_that_neither_side_can_run_are_not_verified(store):
    found = verify(*store(unknown(), unknown()))
    assert found.alike
    assert not found.equal
    assert not found.verified
    assert "NobodyHasThisOperator" in found.unverified
    proof = proof_of(found)
    assert not proof.verified
    assert "could not be run" in proof.words
    assert proof.words.endswith("only the weights were compared")


def test_kernels_that_run_neither_are_told_where_others_run_both(store):
    found = verify(*store(refused(), refused()), trials=1)
    assert found.equal
    assert [entry.backend for entry in found.failing] == ["xnnpack"]
    assert "without XNNPACK, which runs neither model" in proof_of(found).words


def test_a_model_that_writes_past_its_memory_does_not_agree(store):
    dense = Model.read(aborting())
    assert densify(dense).changed
    paths = store(dense.to_bytes(), aborting())
    (backend,) = verify(*paths, emulate=True, trials=1, backends=["xnnpack"]).backends
    assert backend.status_a == "ok"
    # The interpreter grows the output to the wrong shape; without room for that it ends.
    assert backend.status_b in {"ok", "crashed"}
    assert not backend.agree


def test_verify_files_raises_where_something_differs(store):
    def change(filters: np.ndarray) -> None:
        filters[0] = 0.5

    same, other, biased = store(small(), small(change), small(bias=1.0))
    assert verify_files(same, same).equal
    with pytest.raises(RewriteError, match="weights"):
        verify_files(same, other)
    with pytest.raises(RewriteError):
        verify_files(same, biased)


# The command


def test_the_command_says_equal_and_exits_0():
    done = call("verify", DENSE, SPARSE, "--trials", 1)
    assert done.code == 0
    assert done.out.splitlines()[0].endswith(": equal")


def test_the_text_fits_80_columns(store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    paths = store(refused(), small(), small(bias=1.0))
    for arguments in ((DENSE, SPARSE, "--emulate"), paths[:2], paths[1:]):
        done = call("verify", *arguments, "--trials", 1)
        assert max(map(len, done.out.splitlines())) <= 80
        assert "\x1b" not in done.out


def test_the_json_of_models_that_differ_follows_its_schema(store):
    def change(filters: np.ndarray) -> None:
        filters[0] = math.inf

    done = call("verify", *store(small(), small(change)), "--json", "--trials", 1)
    assert done.code == 1
    found = done.document("verify")["verification"]
    assert not found["equal"]
    assert [backend["backend"] for backend in found["backends"]] == BACKENDS


def test_weights_only_needs_no_runtime(monkeypatch):
    monkeypatch.setattr("tflite_sparse.runtime.litert.driver.Worker", None)
    done = call("verify", DENSE, SPARSE, "--weights-only", "--json")
    assert done.code == 0
    assert done.document("verify")["verification"]["backends"] == []


def test_the_command_allows_what_it_is_told_to(store):
    paths = store(small(), small(bias=1e-3))
    assert call("verify", *paths).code == 1
    # Another graph all the same: a constant is there that the first one does not have.
    done = call("verify", *paths, "--atol", "0.01", "--json")
    backends = done.document("verify")["verification"]["backends"]
    assert all(backend["agree"] for backend in backends)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--signature", "none"], "signature"),
        (["--inputs", "missing.npz"], "no such file"),
    ],
)
def test_mistakes_exit_2(arguments, said):
    done = call("verify", DENSE, SPARSE, *arguments)
    assert done.code == 2
    assert said in done.err
