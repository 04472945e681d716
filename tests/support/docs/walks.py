"""Follows the walks of docs/dev: makes the files that a page shows, and runs its commands.

In a walk, a fenced block with a title is a file: `python` blocks are new files, `diff` blocks
change one that is there (lines after `+` come, lines after `-` go, the others say where). Blocks
marked `bash` hold commands, one a line. All of it happens in a copy of the checkout.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "WALKS", "changed", "follow"]

ROOT = Path(__file__).parents[3]
WALKS = sorted(path.name for path in (ROOT / "docs" / "dev").glob("add-*.md"))

_FENCE = re.compile(
    r'^```(?P<kind>python|diff|bash)(?: title="(?P<path>[^"]+)")?\n(?P<body>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
_COPIED = ("tflite_sparse", "schema", "docs", "tests", "testdata", "benchmarks", "pyproject.toml")


def follow(page: str, folder: Path) -> list[str]:
    """Follows a walk in a copy of the checkout; returns the commands that ran.

    Args:
        page: the page's name in docs/dev.
        folder: an empty folder, for the copy.

    Raises:
        AssertionError: a command fails, or a change does not fit the file.
    """
    # With what is compiled: a change of a module shows in its time.
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    commands = []
    for match in _FENCE.finditer((ROOT / "docs" / "dev" / page).read_text("utf-8")):
        body = match["body"]
        if match["kind"] == "bash":
            for command in body.splitlines():
                _run(command, folder)
                commands.append(command)
        elif match["path"] is not None:
            _make(folder / match["path"], match["kind"], body)
    return commands


def _make(path: Path, kind: str, body: str) -> None:
    if kind == "diff":
        path.write_text(changed(path.read_text("utf-8"), body), "utf-8")
        return
    assert not path.exists(), f"{path} is there already"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body, "utf-8")


def changed(text: str, diff: str) -> str:
    """A text after the changes of a diff without line numbers.

    Raises:
        AssertionError: what the diff says is there is not, or more than once.
    """
    lines = diff.splitlines()
    before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
    after = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
    assert text.count(before) == 1, f"stands {text.count(before)} times in the file:\n{before}"
    return text.replace(before, after)


def _run(command: str, folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "80"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
