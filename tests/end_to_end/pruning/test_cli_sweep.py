"""`sweep`: what it says is what `prune` and `optimize` then make."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tflite_sparse
from tests.support.architectures import build
from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.open_sizes import opened
from tflite_sparse.model import Model
from tflite_sparse.sweeping import point
from tflite_sparse.sweeping import sweep as engine

if TYPE_CHECKING:
    from pathlib import Path

SHARES = "50,80"


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "dense.tflite"
    path.write_bytes(build("mobilenet_v1", small=True, zeros=0.0))
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(cache))


@pytest.fixture(scope="module")
def swept(dense: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    recipe = tmp_path_factory.mktemp("recipes") / "recipe.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFLITE_SPARSE_CACHE", str(cache))
        arguments = ("--zeros", SHARES, "--jobs", 1, "--format", "json")
        done = call("sweep", dense, *arguments, "--recipe", f"80={recipe}")
    assert done.code == 0, done.err
    return done.document("sweep")["sweep"] | {"recipe": recipe}


def point_at(swept: dict, share: float) -> dict:
    return next(p for p in swept["points"] if p["asked"] == share)


def test_the_curve_has_the_step_of_the_rule_of_two_thirds(swept: dict) -> None:
    # The runtime changes its mind between 50 and 80 %, so that a point is put there.
    assert [p["asked"] for p in swept["points"]] == [None, 0.5, 0.67, 0.8]
    assert point_at(swept, 0.5)["times"][2]["sparse"] == 0
    assert all(t["sparse"] > 0 for p in swept["points"][2:] for t in p["times"])
    assert point_at(swept, 0.8)["adapted"]
    assert "66.7 %" in point_at(swept, 0.5)["reason"]
    wasm = swept["thresholds"][2]
    assert swept["least_zeros"] - 0.01 < wasm["sparse_from"] <= 0.671
    assert wasm["faster_from"] >= wasm["sparse_from"]


def test_a_point_is_what_prune_and_optimize_make(swept: dict, dense: Path, tmp_path: Path) -> None:
    pruned, out, other = (tmp_path / f"{name}.tflite" for name in ("pruned", "out", "other"))
    assert call("prune", dense, "--zeros", 0.8, "-o", pruned).code == 0
    assert call("prune", dense, "--recipe", swept["recipe"], "-o", other).code == 0
    assert pruned.read_bytes() == other.read_bytes()
    optimized = json.loads(call("optimize", pruned, "-o", out, "--no-verify", "--json").out)
    at_80 = point_at(swept, 0.8)
    assert out.stat().st_size == at_80["sizes"][0]["bytes"]
    assert optimized["sizes"]["gzip_after"] == at_80["sizes"][0]["gzip"]
    wasm = next(o for o in optimized["adaptation"]["outlook"] if o["target"] == "wasm")
    assert at_80["times"][2]["ms"] == pytest.approx(wasm["after_ms"], rel=1e-3)
    int8 = tmp_path / "int8.tflite"
    assert call("optimize", pruned, "-o", int8, "--no-verify", "--values", "int8").code == 0
    assert int8.stat().st_size == at_80["sizes"][2]["bytes"]
    by_name = {w.name: w for w in tflite_sparse.inspect(pruned).weights}
    for layer in at_80["layers"]:
        assert by_name[layer["name"]].zeros == layer["zeros"]
        assert layer["sparse"] == ["arm64", "armv7", "wasm"]


def test_rivals_are_made_of_the_model_or_named(swept: dict, dense: Path, tmp_path: Path) -> None:
    rivals = {rival["kind"]: rival for rival in swept["rivals"]}
    assert rivals["dense-fp32"]["bytes"] == dense.stat().st_size
    assert rivals["dense-fp16"]["bytes"] < 0.6 * dense.stat().st_size
    assert rivals["weights-int8"]["bytes"] < 0.4 * dense.stat().st_size
    assert rivals["full-int8"]["bytes"] is None
    assert "--data" in rivals["full-int8"]["note"]
    small = FOLDER / "mobilenet_tiny_80.tflite"
    arguments = ("--zeros", SHARES, "--jobs", 1, "--format", "csv", "--rival", small)
    done = call("sweep", dense, *arguments, "-o", tmp_path / "sweep.csv")
    assert (tmp_path / "sweep.csv").read_text() == done.out
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["kind"] for row in rows] == ["sparse"] * 4 + [*rivals, "file"]
    assert rows[-1]["bytes_fp32"] == str(small.stat().st_size)
    assert rows[3]["gain_wasm"] == str(point_at(swept, 0.8)["times"][2]["gain"])
    missing = call("sweep", dense, "--zeros", SHARES, "--jobs", 1, "--rival", "none.tflite")
    assert (missing.code, missing.out) == (2, "")


def test_what_is_done_is_taken_and_not_done_again(
    swept: dict, dense: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise KeyboardInterrupt

    arguments = ("sweep", dense, "--jobs", 1, "--format", "json", "--zeros")
    monkeypatch.setattr(point, "_stored", refuse)
    stopped = call(*arguments, "50,80,85")
    assert stopped.code == 130
    assert "the same command goes on from there" in stopped.err
    monkeypatch.setattr(tflite_sparse.sweeping.sweep, "thresholds", lambda *_: ())
    again = call(*arguments, SHARES).document("sweep")["sweep"]
    assert again["points"] == swept["points"]
    assert again["rivals"] == swept["rivals"]


def test_two_processes_find_quality_with_data(tmp_path: Path) -> None:
    model = FOLDER / "mobilenet_tiny_80.tflite"
    shape = Model.read(model).main.inputs[0].shape
    np.save(
        tmp_path / "all.npy",
        np.random.default_rng(0).normal(size=(8, *shape)).astype(np.float32),
    )
    # Another converter may call the same output something else.
    renamed = Model.read(model)
    renamed.main.outputs[0].table["name"] = "other"
    renamed.main.edited = True
    renamed.write(tmp_path / "renamed.tflite")
    fields = {"data": str(tmp_path / "all.npy"), "shares": (0.5, 0.9), "resume": False}
    fields["rivals"] = (str(tmp_path / "renamed.tflite"),)
    one = tflite_sparse.sweep(model, processes=2, **fields)
    assert [p.asked for p in one.points] == [None, 0.9]
    assert "80.0 % zeros as they are" in one.notes[0]
    assert (one.fitted, one.held_out) == (6, 2)
    assert all(p.quality is not None for p in one.points)
    assert one.points[0].quality.outputs[0].cosine > one.points[1].quality.outputs[0].cosine
    full = one.rivals[3]
    assert full.bytes is not None or "pip install 'tflite-sparse[rivals]'" in full.note
    assert one.rivals[-1].note is None
    assert one.rivals[-1].quality.outputs[0].cosine > 0.999
    assert one.rivals[1].quality.outputs[0].cosine > 0.999


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--zeros", "lots"), "no shares of zeros"),
        (("--zeros", "100"), "from 0 to below 100 %"),
        (("--zeros", "60:5"), "no shares of zeros"),
        (("--zeros", "0..95:0.1"), "no shares of zeros"),
        (("-o", "sweep.txt"), "a sweep is written as"),
        (("--recipe", "80"), "is no recipe"),
        (("--recipe", "81=r.json"), "is no share that is looked at"),
        (("--mean", "127"), "ask for --data"),
        (("--block", "3"), "blocks of 3"),
        (("--target", "toaster"), "toaster"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_line(
    dense: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = call("sweep", dense, *arguments)
    assert done.code == 2
    assert says in done.err
    assert len(done.err.splitlines()) == 1


def test_a_file_that_is_no_recipe_is_refused(dense: Path, swept: dict, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    content = json.loads(swept["recipe"].read_text())
    for wrong in ({}, content | {"recipe_version": 2}, content | {"zeros": 2}, [content]):
        other.write_text(json.dumps(wrong))
        done = call("prune", dense, "--recipe", other, "-n")
        assert done.code == 2
        assert "recipe" in done.err
    done = call("prune", dense, "--recipe", swept["recipe"], "--zeros", 0.8, "-n")
    assert "--recipe says what --zeros would" in done.err


def test_a_recipe_of_fewer_zeros_than_the_model_has_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_all", None)
    model, recipe = FOLDER / "mobilenet_tiny_80.tflite", tmp_path / "recipe.json"
    done = call("sweep", model, "--zeros", "70,90", "--jobs", 1, "--recipe", f"70={recipe}")
    assert done.code == 2
    assert "80.0 % zeros as they are" in done.err
    assert not recipe.exists()


def test_open_sizes_are_swept_as_they_are_asked_for(dense: Path, tmp_path: Path) -> None:
    model = tmp_path / "open.tflite"
    model.write_bytes(opened(dense.read_bytes()))
    arguments = ("--zeros", "80", "--jobs", 1, "--format", "json")
    refused = call("sweep", model, *arguments)
    assert refused.code == 2
    done = call("sweep", model, *arguments, "--input-shape", "1,96,96,3")
    assert done.code == 0, done.err
    swept = done.document("sweep")["sweep"]
    assert swept["input_shapes"]["inputs"][0]["shape"] == [1, 96, 96, 3]
    fixed = call("sweep", dense, *arguments).document("sweep")["sweep"]
    assert [p["times"] for p in swept["points"]] == [p["times"] for p in fixed["points"]]
    arm64 = point_at(swept, 0.8)["times"][0]
    assert arm64["dense_instructions"] / arm64["instructions"] == pytest.approx(
        arm64["fewer"], rel=1e-4
    )
    assert arm64["fewer"] > 1
