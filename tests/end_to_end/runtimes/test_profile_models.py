"""`profile`: what LiteRT executes, matched to the model's operators and to the plan."""

from __future__ import annotations

import pytest

from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.failing import aborting, endless, refused, unknown
from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.runtime import plan_match as match
from tflite_sparse.runtime.litert.driver import profile, profile_many
from tflite_sparse.runtime.litert.processor import native_target
from tflite_sparse.runtime.plan_match import against_plan

DENSE = FOLDER / "mobilenet_tiny_80.tflite"
SPARSE = FOLDER / "mobilenet_tiny_80_sparse.tflite"
SPMM = "Convolution (NCHW, F32) SPMM"
GEMM = "Fully Connected (NC, F32) GEMM"


def put(folder, data: bytes) -> str:
    path = folder / "model.tflite"
    path.write_bytes(data)
    return str(path)


def mixed() -> bytes:
    """Two convolutions with an operator between them that XNNPACK does not have."""
    model = ModelBuilder()
    g = model.graph()
    x = g.conv2d(g.input((1, 16, 16, 8)), 16, name="first")
    g.output(g.conv2d(g.reverse(x, [1]), 16, name="second"))
    return model.build()


def test_twins_differ_in_their_kernels_only_where_sparse_ones_run():
    dense, sparse = profile_many([DENSE, SPARSE], emulate=True)
    assert dense.ok
    assert sparse.ok
    assert not any(operator.sparse for operator in dense.operators)
    assert sparse.delegated.count(SPMM) == dense.delegated.count(GEMM) - 1, "not the classifier"
    here = [found.delegated for found in profile_many([DENSE, SPARSE])]
    if native_target() == "x86-avx":
        assert here[0] == here[1]


@pytest.mark.parametrize("name", ["face_detection_full_range_sparse", "pose_detection"])
@pytest.mark.parametrize("emulate", [False, True])
def test_real_models_execute_what_was_planned(name, emulate):
    path = real_model(name)
    found = profile(path, runs=1, emulate=emulate, timeout=300)
    target = "x86-noavx" if emulate else native_target()
    compared = against_plan(Model.read(path).subgraphs[0], found, target)
    assert found.ok, found.detail
    assert compared.agree
    assert any(operator.sparse for operator in found.operators) == (target != "x86-avx")


def test_every_operator_has_an_owner_in_the_model():
    found = profile(DENSE, runs=1)
    compared = against_plan(Model.read(DENSE).subgraphs[0], found, native_target())
    labels = [row.operator for row in compared.rows if row.executed == GEMM]
    assert labels
    assert all(labels)


def test_a_model_of_dynamic_sizes_is_profiled():
    model = ModelBuilder()
    g = model.graph()
    x = g.input((1, 16, 16, 3), signature=(-1, -1, -1, 3))
    g.output(g.reverse(g.conv2d(x, 4, kernel=1), [1]))
    found = profile(model.build(), runs=2)
    assert found.ok, found.detail
    assert [operator.delegated for operator in found.operators] == [True, False]


@pytest.mark.parametrize("kind", ["INT8", "INT32", "BOOL"])
def test_inputs_of_every_kind_are_profiled(kind):
    model = ModelBuilder()
    g = model.graph()
    g.output(g.reverse(g.input((1, 4, 4, 2), kind), [1]))
    assert [operator.name for operator in profile(model.build()).operators] == ["REVERSE_V2"]


def test_medians_are_taken_over_all_runs():
    found = profile(DENSE, runs=7)
    assert found.runs == 7
    assert found.microseconds > 0
    assert len(found.operators) == len(profile(DENSE, runs=1).operators)


def test_two_threads_execute_the_same():
    assert profile(DENSE, threads=2, runs=1).delegated == profile(DENSE, runs=1).delegated


# The command


def test_the_text_has_totals_and_fits_80_columns(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    put(tmp_path, mixed())
    done = call("profile", "model.tflite")
    assert done.code == 0
    assert "outside XNNPACK" in done.out
    assert "REVERSE_V2 #1" in done.out
    assert "CONV_2D" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert "\x1b" not in done.out


def test_it_says_that_this_processor_shows_no_sparse_kernels():
    done = call("profile", DENSE)
    said = "never runs sparse kernels on x86 with AVX" in done.out
    assert said == (native_target() == "x86-avx")


def test_emulated_the_json_shows_sparse_kernels_and_says_that_times_mean_nothing():
    done = call("profile", SPARSE, "--emulate", "--runs", 1, "--json")
    found = done.document("profile")["profile"]
    assert done.code == 0
    assert found["emulated"]
    assert sum(operator["sparse"] for operator in found["operators"]) == 5
    assert found["plan"]["target"] == "x86-noavx"
    assert found["plan"]["agree"]
    text = call("profile", SPARSE, "--emulate", "--runs", 1)
    assert "times are not" in text.out


def test_against_the_plan_it_exits_0_where_they_agree(tmp_path):
    done = call("profile", put(tmp_path, mixed()), "--against-plan")
    assert done.code == 0
    assert "as predicted" in done.out
    assert "NOT" not in done.out


def test_against_the_plan_it_exits_1_where_they_differ(tmp_path, monkeypatch):
    # The prediction for another processor is wrong on this one.
    right = match.plan
    other = "x86-noavx" if native_target() == "x86-avx" else "x86-avx"
    monkeypatch.setattr(match, "plan", lambda subgraph, _: right(subgraph, other))
    done = call("profile", SPARSE, "--against-plan")
    assert done.code == 1
    assert "NOT as predicted" in done.out
    found = call("profile", SPARSE, "--against-plan", "--json").document("profile")["profile"]
    rows = [row for row in found["plan"]["rows"] if not row["agrees"]]
    assert {SPMM, GEMM} <= {row["executed"] for row in rows} | {row["predicted"] for row in rows}


@pytest.mark.parametrize(
    ("data", "options", "status", "said"),
    [
        (aborting(), ["--emulate", "--runs", 1], "crashed", "SIG"),
        (endless(), ["--timeout", 1], "timed-out", "not done after 1 s"),
        (refused(), [], "load-failure", "failed to delegate CONV_2D"),
        (unknown(), [], "load-failure", "NobodyHasThisOperator"),
    ],
    ids=["aborting", "endless", "refused", "unknown"],
)
def test_a_model_that_fails_is_told_and_exits_1(tmp_path, data, options, status, said):
    path = put(tmp_path, data)
    done = call("profile", path, *options, "--json")
    assert done.code == 1
    found = done.document("profile")["profile"]
    assert found["status"] == status
    assert said in found["detail"]
    assert found["operators"] == []
    text = call("profile", path, *options)
    assert text.code == 1
    assert status.replace("-", " ") in text.out


def test_against_the_plan_a_predicted_failure_agrees(tmp_path):
    done = call("profile", put(tmp_path, refused()), "--against-plan")
    assert done.code == 0
    assert "predicted" in done.out
    assert call("profile", put(tmp_path, endless()), "--against-plan", "--timeout", 1).code == 1
