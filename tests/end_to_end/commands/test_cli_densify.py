"""`tflite-sparse densify` end to end, on models of Google's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.support.command import as_anybody, call
from tests.support.outputs import outputs
from tests.support.real_models import real_model

SPARSE = Path(__file__).parents[3] / "testdata" / "mobilenet_tiny_80_sparse.tflite"
GOOGLES = [
    "face_detection_full_range_sparse",
    "face_detection_full_range_sparse_mediapipe",
    "pose_detection",
]


@pytest.mark.parametrize("name", GOOGLES)
def test_google_models_compute_the_same_bit_for_bit(name: str, tmp_path: Path) -> None:
    model = real_model(name)
    dense = tmp_path / "dense.tflite"
    told = call("densify", model, "-o", dense, "--json", "--no-gzip").document("rewrite")
    assert told["kind"] == "densify"
    assert {w["after"] for w in told["weights"]} == {"dense"}
    assert told["operators"] == [
        {"name": "DENSIFY", "added": 0, "removed": len(told["weights"]), "versions": []}
    ]
    before, after = outputs(model.read_bytes(), dense.read_bytes())
    assert before is not None
    assert after is not None
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert call("diff", model, dense).code == 0


def test_a_dense_model_is_left_as_it_is(tmp_path: Path) -> None:
    once, twice = tmp_path / "once.tflite", tmp_path / "twice.tflite"
    assert call("densify", SPARSE, "-o", once).code == 0
    done = call("densify", once, "-o", twice)
    assert "no weight is stored sparse" in done.out
    assert once.read_bytes() == twice.read_bytes()
    assert call("densify", once, "--check").code == 0
    assert call("densify", SPARSE, "--check").code == 1


def test_only_some_weights_become_dense(tmp_path: Path) -> None:
    everything = call("densify", SPARSE, "-n", "--json").document("rewrite")["weights"]
    first = everything[0]["name"]
    told = call("densify", SPARSE, "-n", "--json", "--only", first).document("rewrite")
    assert [weight["name"] for weight in told["weights"]] == [first]
    assert {left["code"] for left in told["left"]} == {"not-asked"}
    out = tmp_path / "out.tflite"
    call("densify", SPARSE, "-o", out, "--exclude", first)
    left = call("inspect", out, "--json")
    assert '"storage": "sparse"' in left.out


def test_a_file_is_replaced_through_a_symbolic_link_with_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "target.tflite"
    target.write_bytes(SPARSE.read_bytes())
    target.chmod(0o640)
    link = tmp_path / "link.tflite"
    link.symlink_to(target)
    assert call("densify", link, "--in-place").code == 0
    assert link.is_symlink()
    assert target.stat().st_size > SPARSE.stat().st_size
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    command = [*as_anybody(), "densify", str(SPARSE), "-o", str(tmp_path / "out.tflite")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "permission" in done.stderr
    assert done.stderr.count("\n") == 1
