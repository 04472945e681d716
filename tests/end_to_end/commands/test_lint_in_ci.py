"""The ways into CI work: the hook from a clone, the action's commands, the documented settings."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest

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


def test_the_commands_of_the_action_run(tmp_path):
    text = (ROOT / "action.yml").read_text("utf-8")
    commands = [c.strip() for c in re.findall(r"run: (tflite-sparse .+)", text)]
    assert len(commands) == 2
    (tmp_path / "model.tflite").write_bytes(CASES["TFS201"].trigger())
    (tmp_path / "tflite-sparse").write_text(
        f'#!/bin/sh\nexec {sys.executable} -m tflite_sparse "$@"\n'
    )
    (tmp_path / "tflite-sparse").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PATHS": "model.tflite",
        "ARGUMENTS": "--select TFS2",
        "SARIF": "out.sarif",
    }
    codes = [
        subprocess.run(
            ["bash", "-ec", command],
            cwd=tmp_path,
            env=environment,
            check=False,
            capture_output=True,
        ).returncode
        for command in commands
    ]
    # The report never fails the job, the check does.
    assert codes == [0, 1]
    assert (tmp_path / "out.sarif").exists()


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
