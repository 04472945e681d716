"""`sweep` in a program: what it is given is what it looks at, whatever lies there from before."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tflite_sparse
from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tflite_sparse import processes
from tflite_sparse.errors import FileError, UsageError
from tflite_sparse.inspection.file.gzip_size import gzip_size
from tflite_sparse.pruning.options import PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.storage.options import SparsifyOptions
from tflite_sparse.sweeping import kept
from tflite_sparse.sweeping import sweep as engine
from tflite_sparse.sweeping.kept import folder_of
from tflite_sparse.sweeping.options import SweepData, SweepOptions

if TYPE_CHECKING:
    from pathlib import Path

MODEL = FOLDER / "mobilenet_tiny_80.tflite"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(tmp_path / "cache"))


def own_share(model: object) -> float:
    swept = tflite_sparse.sweep(model, shares=[0.95], resume=False)
    return round(swept.points[0].share, 2)


def test_a_model_that_was_edited_is_swept_as_it_is_now() -> None:
    model = prune(tflite_sparse.read(MODEL), PruneOptions(zeros=0.9)).model
    # It still tells where it came from.
    assert model.path == MODEL
    assert own_share(model) == 0.9
    assert own_share(tflite_sparse.read(MODEL)) == 0.8


def test_another_file_of_the_same_name_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    shutil.copy(MODEL, path)
    assert own_share(path) == 0.8
    model = prune(tflite_sparse.read(MODEL), PruneOptions(zeros=0.9)).model
    tflite_sparse.write(model, path, overwrite=True)
    assert own_share(path) == 0.9


def test_every_share_is_one() -> None:
    assert SweepOptions([0, 0.5]).shares == (0.0, 0.5)
    assert all(type(share) is float for share in SweepOptions([0, 0.5]).shares)
    for wrong in ((0.85, 90), (0.5, 1)):
        with pytest.raises(UsageError, match="between 0 and 1"):
            SweepOptions(wrong)


def test_blocks_are_those_that_prune_takes() -> None:
    options = PruneOptions(zeros=0.9, block=2)
    pruned = prune(tflite_sparse.read(MODEL), options).model
    made = optimize(pruned, storage=SparsifyOptions(lean_download=True)).model.to_bytes()
    _, point = tflite_sparse.sweep(MODEL, shares=[0.9], block=2, resume=False).points
    # Which values are left shows in what gzip makes of them.
    assert point.sizes[0].gzip == gzip_size(np.frombuffer(made, np.uint8))


def test_where_nobody_may_write_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(tmp_path / "file" / "cache"))
    assert len(tflite_sparse.sweep(MODEL, shares=(0.9,)).points) == 2


def test_a_rival_that_is_not_there_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "subject_of", None)
    with pytest.raises(FileError, match="no such file"):
        tflite_sparse.sweep(MODEL, rivals=(tmp_path / "none.tflite",))


def test_what_is_kept_is_of_these_data_and_this_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folder() -> Path:
        return folder_of(tmp_path, "0" * 64, SweepOptions(), SweepData("images"))

    here = folder()
    assert folder() == here
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    there = folder()
    assert there != here
    (other / "__init__.py").write_bytes(b"")
    monkeypatch.setattr(kept, "_PACKAGE", other)
    assert folder() != there


@pytest.mark.parametrize(("system", "workers"), [("win32", 61), ("linux", 200)])
def test_there_are_no_more_processes_than_windows_waits_for(
    system: str, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Pool:
        def __init__(self, max_workers: int, **_: object) -> None:
            asked.append(max_workers)

        def shutdown(self, **_: object) -> None:
            pass

    monkeypatch.setattr(processes, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(processes.sys, "platform", system)
    with processes.mapping(200, "swept"):
        pass
    assert asked == [workers]


def test_a_target_that_is_named_twice_is_one() -> None:
    assert SweepOptions(targets=("wasm", "arm64", "wasm")).names == ("wasm", "arm64")


@pytest.mark.parametrize("option", [("--top", 3), ("--batch", 2), ("--input-shape", "1,64,64,3")])
def test_what_if_ignores_no_option(option: tuple[str, object]) -> None:
    done = call("inspect", MODEL, "--what-if", 0.9, *option)
    assert (done.code, done.out) == (2, "")
    assert "--what-if" in done.err
