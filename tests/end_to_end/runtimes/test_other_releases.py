"""Models run on releases of LiteRT beside the one that is installed."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import pytest

from tests.runtime_model.cases import CASES
from tests.runtime_model.releases.wheels import WHEELS, site
from tests.support.command import call
from tests.support.emulator import needs_emulator
from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.runtime import plan_match
from tflite_sparse.runtime.litert import releases
from tflite_sparse.runtime.litert.releases import LITERT_RELEASES, on_release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD, NAME = "1.3.0", "litert-1.3"


@pytest.fixture
def old_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache in which one older release is installed."""
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(tmp_path / "cache"))
    bundle = next(each for each in LITERT_RELEASES if each.name == NAME)
    bundle.folder.mkdir(parents=True)
    unpacked = site(OLD)
    assert unpacked is not None
    for path in unpacked.iterdir():
        (bundle.folder / path.name).symlink_to(path)
    (bundle.folder / ".pins").write_text(bundle.pins, "utf-8")


@pytest.fixture
def models(tmp_path: Path) -> tuple[Path, Path]:
    """A model that is wrong on releases before 2.1, and its dense twin."""
    sparse, dense = tmp_path / "sparse.tflite", tmp_path / "dense.tflite"
    sparse.write_bytes(CASES["elementwise.minimum_with_a_scalar_in_front"].build())
    assert call("densify", sparse, "-o", dense).code == 0
    return dense, sparse


def refusal(name: str) -> TfliteSparseError:
    """Why models are not run on a release."""
    with pytest.raises(TfliteSparseError) as told, on_release(name):
        pass
    return told.value


@needs_emulator
@pytest.mark.usefixtures("old_release")
def test_verify_finds_the_wrong_numbers_of_an_older_release(models: tuple[Path, Path]) -> None:
    few = ("--emulate", "--outputs-only", "--trials", 1)
    done = call("verify", *few, "--runtime", NAME, *models)
    assert (done.code, "differ" in done.out) == (1, True), done.out


@pytest.mark.usefixtures("old_release")
def test_bench_names_the_release_that_it_ran_on(models: tuple[Path, Path]) -> None:
    before = list(sys.path)
    done = call("bench", "--runtime", NAME, "--runs", 1, *models)
    assert done.code == 0, done.err
    assert done.out.startswith(f"LiteRT {OLD},")
    assert sys.path == before


def test_a_release_that_is_not_installed_says_how_to_install_it(
    models: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(tmp_path / "empty"))
    done = call("bench", "--runtime", NAME, *models)
    assert done.code != 0
    assert f"tflite-sparse runtime install {NAME}" in done.err


def test_another_python_is_told_to_use_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases.platform, "machine", lambda: "riscv64")
    told = refusal(NAME)
    assert "cannot be run here" in str(told)
    assert f"ai-edge-litert=={OLD}" in str(told.hint)


@pytest.mark.parametrize(("name", "hint"), [("litertjs-0.2", "--litertjs"), ("litert-1.0", NAME)])
def test_what_cannot_be_run_says_what_can(name: str, hint: str) -> None:
    told = refusal(name)
    assert "not one to run models on" in str(told)
    assert hint in str(told.hint)


def test_an_installed_release_that_is_not_known_changes_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(releases, "litert_version", lambda: "9.9.9")
    told = refusal("tflite-runtime-2.14")
    assert "not one to run models on" in str(told)
    assert NAME in str(told.hint)


def test_options_that_go_without_a_release_refuse_it(models: tuple[Path, Path]) -> None:
    done = call("bench", "--on", "web", "--runtime", NAME, *models)
    assert "--runtime means nothing in a browser" in done.err
    done = call("verify", "--emulate", "arm64", "--runtime", NAME, *models)
    assert "--runtime means nothing on emulated Arm" in done.err


def test_the_wheels_are_those_that_the_cases_were_recorded_on() -> None:
    for bundle in LITERT_RELEASES:
        (package,) = bundle.packages
        assert package.integrity == f"sha256:{WHEELS[package.version].sha256}"


@pytest.mark.usefixtures("old_release")
def test_profile_says_that_a_release_has_no_profiler_and_what_tells_of_it(
    models: tuple[Path, Path],
) -> None:
    done = call("profile", models[0], "--runtime", NAME)
    assert (done.code, done.out) == (2, "")
    assert f"LiteRT {OLD} has no profiler" in done.err
    assert "inspect --runtime" in done.err


def test_profile_runs_on_the_release_that_is_named_and_is_held_against_its_plan(
    models: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str | None] = []

    @contextlib.contextmanager
    def noted(name: str | None) -> Iterator[None]:
        names.append(name)
        with monkeypatch.context() as patched:
            patched.setattr(plan_match, "litert_version", lambda: "2.1.6")
            yield

    monkeypatch.setattr(releases, "on_release", noted)
    done = call("profile", models[0], "--runtime", "litert-2.1", "--against-plan", "--json")
    assert done.document("profile")["profile"]["plan"]["target"].endswith("@litert-2.1")
    assert names == ["litert-2.1"]


def test_profile_refuses_a_release_on_emulated_arm(models: tuple[Path, Path]) -> None:
    done = call("profile", models[0], "--emulate", "arm64", "--runtime", NAME)
    assert done.code == 2
    assert "a LiteRT of its own" in done.err
