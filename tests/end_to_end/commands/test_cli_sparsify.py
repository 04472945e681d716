"""`tflite-sparse sparsify` end to end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.command import call
from tests.support.nets.builder import ModelBuilder
from tests.support.peers.object_api import differences, load
from tests.support.real_models import real_model

DENSE = Path(__file__).parents[3] / "testdata" / "mobilenet_tiny_80.tflite"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copy(DENSE, tmp_path / "model.tflite"))


def test_writes_a_smaller_model_and_says_what_was_done(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    done = call("sparsify", model, "-o", out)
    assert (done.code, done.err) == (0, "")
    assert out.stat().st_size < model.stat().st_size
    assert model.read_bytes() == DENSE.read_bytes()
    for words in ("stored sparse", "Installed", "After gzip", "DENSIFY added", "left as they are"):
        assert words in done.out
    assert all(len(line) <= 80 for line in done.out.splitlines())


def test_a_second_run_changes_nothing_and_says_so(model: Path, tmp_path: Path) -> None:
    once, twice = tmp_path / "once.tflite", tmp_path / "twice.tflite"
    call("sparsify", model, "-o", once)
    done = call("sparsify", once, "-o", twice)
    assert "stored sparse already" in done.out
    assert once.read_bytes() == twice.read_bytes()


def test_check_fails_before_and_passes_after(model: Path) -> None:
    assert call("sparsify", model, "--check").code == 1
    assert model.read_bytes() == DENSE.read_bytes()
    assert call("sparsify", model, "--in-place").code == 0
    assert call("sparsify", model, "--check").code == 0
    assert model.stat().st_size < DENSE.stat().st_size


def test_a_dry_run_tells_all_and_writes_nothing(model: Path, tmp_path: Path) -> None:
    done = call("sparsify", model, "--dry-run")
    assert done.code == 0
    assert "nothing written" in done.out
    assert [path.name for path in tmp_path.iterdir()] == ["model.tflite"]


def test_sizes_that_are_told_are_those_of_the_file(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    told = call("sparsify", model, "-o", out, "--json").document("rewrite")
    assert told["sizes"]["before"] == model.stat().st_size
    assert told["sizes"]["after"] == out.stat().st_size
    assert told["written"] == str(out)
    foretold = call("sparsify", model, "-n", "--json", "--no-gzip").document("rewrite")
    assert foretold["sizes"]["after"] == out.stat().st_size
    assert foretold["sizes"]["gzip_after"] is None
    assert foretold["written"] is None
    assert foretold["weights"] == told["weights"]
    saved = sum(w["bytes_before"] - w["bytes_after"] for w in told["weights"])
    assert told["sizes"]["before"] - told["sizes"]["after"] >= saved - 256


def test_standard_output_carries_the_model_and_nothing_else(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    call("sparsify", model, "-o", out)
    done = subprocess.run(
        [sys.executable, "-m", "tflite_sparse", "sparsify", str(model), "-o", "-"],
        capture_output=True,
        check=True,
    )
    assert done.stdout == out.read_bytes()
    assert b"stored sparse" in done.stderr


def test_nothing_is_overwritten_by_accident(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    out.write_bytes(b"precious")
    done = call("sparsify", model, "-o", out)
    assert done.code == 2
    assert "exists already" in done.err
    assert out.read_bytes() == b"precious"
    assert call("sparsify", model, "-o", out, "--force").code == 0
    assert out.read_bytes() != b"precious"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no output given"),
        (("-o", "x.tflite", "--in-place"), "contradict"),
        (("-o", "-", "--json"), "standard output"),
        (("-n", "--block", "4by1"), "no block"),
        (("-n", "--layout", "best"), "no layout"),
        (("-n", "--fc", "always"), "fc is"),
        (("-n", "--min-sparsity", "2"), "no share"),
        (("-n", "--layout", "google", "--block", "4x1"), "no blocks in front of DENSIFY"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    model: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = call("sparsify", model, *arguments)
    assert done.code == 2
    assert words in done.err
    assert len(done.err.splitlines()) == 1


def test_weights_can_be_chosen(model: Path) -> None:
    def chosen(*options: str) -> list[str]:
        told = call("sparsify", model, "-n", "--json", *options).document("rewrite")
        return [weight["name"] for weight in told["weights"]]

    everything = chosen()
    assert len(everything) > 1
    first = everything[0]
    assert chosen("--only", first) == [first]
    assert chosen("--exclude", first) == everything[1:]
    assert chosen("--ops", "DEPTHWISE_CONV_2D") == []
    assert chosen("--ops", "CONV_2D,FULLY_CONNECTED") == everything
    assert chosen("--min-sparsity", "99.9%") == []
    assert len(chosen("--min-saving", "1M")) < len(everything)
    assert chosen("--min-saving", "99%") == []


def test_zero_below_loses_small_values_and_says_so(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.tflite"
    done = call("sparsify", model, "-o", out, "--zero-below", "1e-2")
    assert "Set to zero" in done.out
    told = call("diff", model, out, "--json").document("diff")
    assert not told["equal"]
    changed = [weight for weight in told["weights"] if not weight["equal"]]
    assert changed
    assert all(0 < weight["largest"] < 1e-2 for weight in changed)


def test_blocks_are_chosen_where_they_are_smaller_and_can_be_forced(tmp_path: Path) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    mask = np.repeat(builder.rng.random((16, 1, 1, 64)) < 0.2, 4, axis=0)
    graph.output(graph.conv2d(graph.input((1, 8, 8, 64)), 64, mask=mask))
    path = tmp_path / "blocks.tflite"
    path.write_bytes(builder.build())

    def encoding(*options: str) -> str:
        told = call("sparsify", path, "-n", "--json", *options).document("rewrite")
        assert bool(told["notes"]) == ("blocks" in told["weights"][0]["after"])
        return str(told["weights"][0]["after"])

    assert "blocks 4x1" in encoding()
    assert "blocks" not in encoding("--block", "none")
    assert "blocks 2x1" in encoding("--block", "2x1")
    assert "blocks" not in encoding("--layout", "google")
    refused = call("sparsify", path, "-n", "--json", "--block", "5x1").document("rewrite")
    assert [left["code"] for left in refused["left"]] == ["block"]


def test_a_weight_that_is_sparse_already_is_encoded_anew_only_when_asked(tmp_path: Path) -> None:
    google, smaller = real_model("pose_detection"), tmp_path / "smaller.tflite"
    assert call("sparsify", google, "--check").code == 0
    assert call("sparsify", google, "-o", smaller, "--reencode").code == 0
    assert smaller.stat().st_size < 0.95 * google.stat().st_size
    assert call("diff", google, smaller).code == 0


def test_verify_runs_both_models_before_the_file_takes_its_place(
    model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.tflite"
    assert call("sparsify", model, "-o", out, "--verify").code == 0
    assert out.exists()
    done = call("sparsify", model, "-o", out, "--force", "--verify", "--zero-below", "1")
    assert done.code == 2
    assert "leave out one" in done.err
    assert call("sparsify", model, "--check").code == 1


def test_densify_gives_back_the_model(model: Path, tmp_path: Path) -> None:
    sparse, dense = tmp_path / "sparse.tflite", tmp_path / "dense.tflite"
    said = " ".join(call("sparsify", model, "-o", sparse).out.split())
    assert "to 2.2.0, which counts in releases of TensorFlow Lite" in said
    call("densify", sparse, "-o", dense)
    before, after = load(model.read_bytes()), load(dense.read_bytes())
    (version,) = (m.buffer for m in before.metadata if m.name == b"min_runtime_version")
    # DENSIFY asked for a newer runtime, and what the model asked for before is not kept.
    assert after.buffers[version].data.tobytes() == b"2.2.0".ljust(16, b"\0")
    after.buffers[version].data = before.buffers[version].data
    assert differences(before, after) == []
