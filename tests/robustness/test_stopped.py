"""Commands that write, stopped at every step: the old file is whole, or the new one is."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DENSE = ROOT / "testdata" / "mobilenet_tiny_80.tflite"
SPARSE = ROOT / "testdata" / "mobilenet_tiny_80_sparse.tflite"
COMMANDS = {
    "sparsify to a new file": ("sparsify", "dense", "-o", "out"),
    "sparsify over a file": ("sparsify", "dense", "-o", "old", "--force"),
    "sparsify in place": ("sparsify", "dense", "--in-place"),
    "sparsify with a check": ("sparsify", "dense", "-o", "out", "--verify"),
    "densify in place": ("densify", "sparse", "--in-place"),
    "densify onto its input": ("densify", "sparse", "-o", "sparse", "--force"),
    "densify with nothing to do": ("densify", "dense", "-o", "old", "--force"),
    "lint into a file": ("lint", "dense", "-j", "1", "--output-file", "old"),
    "a baseline": ("lint", "dense", "-j", "1", "--write-baseline", "old"),
    "lint with fixes": ("lint", "dense", "-j", "1", "--fix", "--output-file", "report"),
}
SEVERAL = {"lint with fixes": {"dense", "report"}}
HIDDEN = ".tflite-sparse-"


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def keep(tmp_path):
    folder = tmp_path / "keep"
    folder.mkdir()
    for name, source in (("dense", DENSE), ("sparse", SPARSE)):
        (folder / name).write_bytes(source.read_bytes())
    (folder / "old").write_bytes(b"what was there before")
    for path in folder.iterdir():
        path.chmod(0o604)
    return folder


def sweep(signal: str, folder: Path, keep: Path, arguments: tuple[str, ...]):
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.robustness.stopper", signal, folder, keep, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "TMPDIR": str(folder.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    first, *runs = json.loads(done.stdout)
    assert len(runs) > 5
    assert runs[-1]["finished"]
    assert runs[-1]["files"] == first["files"]
    return first, runs


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_file_is_old_or_new(command, signal, keep, tmp_path):
    first, runs = sweep(signal, tmp_path / "work", keep, COMMANDS[command])
    before = {path.name: sha(path) for path in keep.iterdir()}
    hidden = 0
    for run in runs:
        files = dict(run["files"])
        strays = [name for name in files if name.startswith(HIDDEN)]
        hidden += len(strays)
        for stray in strays:
            # A finished file that was about to be moved; the next write takes it away.
            assert files.pop(stray) in first["files"].values()
        assert files.keys() <= first["files"].keys() | before.keys()
        for name, found in files.items():
            assert found in {before.get(name), first["files"].get(name)}, (run, name)
        assert all(run["modes"][name] == 0o604 for name in before)
        if signal == "SIGINT":
            assert not strays
            assert "Traceback" not in run["said"]
            if not run["finished"]:
                assert run["code"] in {0, 1, 130}
                assert run["code"] != 130 or run["said"].strip() == "tflite-sparse: interrupted"
    # There is one instant for each file that is replaced in which a kill leaves a hidden one.
    assert hidden <= len(SEVERAL.get(command, "1"))
    # Nothing is left among the temporary files either.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keep", "work"]


def test_the_next_write_takes_a_hidden_file_away(keep, tmp_path):
    folder = tmp_path / "work"
    _, runs = sweep("SIGKILL", folder, keep, COMMANDS["sparsify over a file"])
    (stray,) = [n for run in runs for n in run["files"] if n.startswith(HIDDEN)]
    (folder / stray).write_bytes(b"left behind")
    command = [sys.executable, "-m", "tflite_sparse", "densify", "sparse", "-o", "again"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    assert not (folder / stray).exists()
