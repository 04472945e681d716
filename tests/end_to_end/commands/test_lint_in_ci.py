"""The ways into CI work: the hook from a clone, the action's commands, the documented settings."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import jsonschema_rs
import msgspec
import pytest
import yaml

from tests.support.lint.cases import CASES
from tests.support.lint.models import good
from tflite_sparse.lint.config.config import read_config
from tflite_sparse.model import Model

ROOT = Path(__file__).parents[3]


def git(*arguments: str, cwd: Path) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with what a user of the hook would fetch, as it is in the working tree."""
    target = tmp_path / "clone"
    target.mkdir()
    for name in ("tflite_sparse", "schema"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, target / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, target / name)
    git("init", "--quiet", cwd=target)
    git("add", "--all", cwd=target)
    git("commit", "--quiet", "-m", "all", cwd=target)
    return target


def test_the_hook_runs_from_a_clone_and_stops_a_broken_model(clone, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    git("init", "--quiet", cwd=project)
    (project / "model.tflite").write_bytes(CASES["TFS201"].trigger())
    revision = git("rev-parse", "HEAD", cwd=clone)
    (project / ".pre-commit-config.yaml").write_text(
        f"repos: [{{repo: {clone}, rev: {revision}, hooks: [{{id: tflite-sparse-lint}}]}}]\n"
    )
    git("add", "--all", cwd=project)
    # What is installed runs twice: to compile it takes longer than that saves.
    environment = {
        **os.environ,
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "PIP_NO_COMPILE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose"]

    def hook() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, check=False
        )

    broken = hook()
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert "TFS201" in broken.stdout
    (project / "model.tflite").write_bytes(Model.read(good()).to_bytes())
    fine = hook()
    assert fine.returncode == 0, fine.stdout + fine.stderr


class Step(NamedTuple):
    """What a step of the action has done."""

    code: int
    out: str
    summary: str


def action(folder: Path, paths: str, arguments: str = "", sarif: str = "out.sarif") -> Step:
    """The step of the action that lints, as a runner runs it in a folder."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["runs"]["steps"]
    (step,) = [step for step in steps if step.get("name") == "Lint"]
    bin_ = folder / "bin"
    bin_.mkdir()
    (bin_ / "tflite-sparse").write_text(f'#!/bin/sh\nexec {sys.executable} -m tflite_sparse "$@"\n')
    (bin_ / "tflite-sparse").chmod(0o755)
    inputs = {"PATHS": paths, "ARGUMENTS": arguments, "SARIF": sarif}
    assert set(step["env"]) == set(inputs)
    environment = {
        **os.environ,
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        **inputs,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    summary = folder / "summary.md"
    return Step(done.returncode, done.stdout, summary.read_text() if summary.exists() else "")


def test_the_action_annotates_summarizes_and_fails_on_a_broken_model(tmp_path):
    for name in ("my model.tflite", "other.tflite"):
        (tmp_path / name).write_bytes(CASES["TFS201"].trigger())
    done = action(tmp_path, "my model.tflite\nother.tflite\n", "--select TFS2")
    assert done.code == 1
    assert done.out.count("::error file=my model.tflite,title=TFS201") == 1
    assert "## `other.tflite`" in done.summary
    results = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    assert [r["ruleId"] for r in results] == ["TFS201", "TFS201"]


def test_the_action_says_what_is_wrong_with_a_configuration_and_writes_no_report(tmp_path):
    (tmp_path / "model.tflite").write_bytes(Model.read(good()).to_bytes())
    (tmp_path / "tflite-sparse.toml").write_text("selekt = 1")
    done = action(tmp_path, "model.tflite")
    assert done.code == 2
    (line,) = done.out.splitlines()
    assert line.startswith("::error title=tflite-sparse lint::")
    assert "unknown key 'selekt'" in line
    assert not (tmp_path / "out.sarif").exists()


def test_the_action_passes_a_good_model_in_silence(tmp_path):
    (tmp_path / "model.tflite").write_bytes(Model.read(good()).to_bytes())
    done = action(tmp_path, ".", "--select TFS2", sarif="")
    assert (done.code, done.out) == (0, "")


def test_a_change_of_the_configuration_or_the_baseline_checks_all_models():
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    changed, every = hooks
    assert [hook["require_serial"] for hook in hooks] == [True, True]
    assert not every["pass_filenames"]
    for name, hook in (
        ("a/b.tflite", changed),
        ("tflite-sparse.toml", every),
        ("pyproject.toml", every),
        ("ci/lint-baseline.json", every),
        ("package.json", None),
    ):
        assert [h for h in hooks if re.search(h["files"], name)] == ([hook] if hook else [])


def test_the_documented_configuration_is_valid(tmp_path):
    text = (ROOT / "docs" / "lint-in-ci.md").read_text("utf-8")
    (block,) = re.findall(r"```toml\n(.+?)```", text, re.DOTALL)
    path = tmp_path / "app" / "pyproject.toml"
    path.parent.mkdir()
    path.write_text(block)
    # What it extends.
    (tmp_path / "models.toml").write_text("")
    schema = json.loads((ROOT / "schema" / "config.schema.json").read_text("utf-8"))
    jsonschema_rs.validate(schema, msgspec.toml.decode(block)["tool"]["tflite-sparse"])
    config = read_config(path)
    app = path.parent
    assert config.settings(str(app / "m.tflite")).budgets["max-size"] == 4 * 2**20
    assert config.settings(str(app / "experimental" / "m.tflite")).budgets["max-size"] == 2**24
