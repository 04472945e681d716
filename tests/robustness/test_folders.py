"""Full and read-only folders, permissions, links: the old file stays whole, or the new one is."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from tests.support.command import as_anybody, call

DATA = Path(__file__).parents[2] / "testdata"
DENSE = DATA / "mobilenet_tiny_80.tflite"
SPARSE = DATA / "mobilenet_tiny_80_sparse.tflite"
OLD = b"old" * 5000
WRITING = {
    "sparsify": ("sparsify", DENSE, "--force", "-o"),
    "densify": ("densify", SPARSE, "--force", "-o"),
    "densify with nothing to do": ("densify", DENSE, "--force", "-o"),
    "lint": ("lint", DENSE, "--format", "sarif", "--output-file"),
    "baseline": ("lint", DENSE, "--write-baseline"),
}


def refused(done, path: Path, reason: str) -> None:
    assert done.err == f"tflite-sparse: error: {path}: cannot write the file: {reason}\n"
    assert done.code == 2


@pytest.mark.parametrize("command", WRITING)
def test_a_full_disk_keeps_the_old_file_and_nothing_else(command, mounted, tmp_path):
    with mounted(tmp_path / "disk", "32k"):
        target = tmp_path / "disk" / "out"
        target.write_bytes(OLD)
        (tmp_path / "disk" / "rest").write_bytes(bytes(16 * 1024 - 20))
        refused(call(*WRITING[command], target), target, "no space left on the device")
        assert target.read_bytes() == OLD
        assert sorted(p.name for p in target.parent.iterdir()) == ["out", "rest"]


@pytest.mark.parametrize("command", WRITING)
def test_a_folder_that_is_read_only_keeps_the_old_file(command, mounted, tmp_path):
    with mounted(tmp_path / "disk", "1m") as remount:
        target = tmp_path / "disk" / "out"
        target.write_bytes(OLD)
        remount("ro")
        refused(call(*WRITING[command], target), target, "the file system is read-only")
        refused(
            call(*WRITING[command], target.with_name("new")),
            target.with_name("new"),
            "the file system is read-only",
        )
        assert target.read_bytes() == OLD


@pytest.mark.parametrize("command", WRITING)
def test_a_folder_without_permission_keeps_the_old_file(command, tmp_path):
    target = tmp_path / "folder" / "out"
    target.parent.mkdir()
    target.write_bytes(OLD)
    target.parent.chmod(0o555)
    done = subprocess.run(
        [*as_anybody(), *WRITING[command], target], capture_output=True, text=True, check=False
    )
    target.parent.chmod(0o755)
    reason = "no permission to write here"
    assert done.stderr == f"tflite-sparse: error: {target}: cannot write the file: {reason}\n"
    assert done.returncode == 2
    assert target.read_bytes() == OLD
    assert [p.name for p in target.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize("links", [1, 2])
def test_a_link_stays_one_and_points_at_the_new_content(command, links, tmp_path):
    real = tmp_path / "elsewhere" / "real"
    real.parent.mkdir()
    real.write_bytes(OLD)
    real.chmod(0o640)
    link = real
    for number in range(links):
        before, link = link, tmp_path / f"link{number}"
        link.symlink_to(before)
    done = call(*WRITING[command], link)
    assert done.code in {0, 1}
    assert link.is_symlink()
    assert real.read_bytes() != OLD
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert [p.name for p in real.parent.iterdir()] == ["real"]


def test_a_link_that_leads_nowhere_makes_its_file(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    assert call("sparsify", DENSE, "-o", link).code == 0
    assert link.is_symlink()
    assert (tmp_path / "real").stat().st_size < DENSE.stat().st_size


def test_the_input_may_be_the_output(tmp_path):
    target = tmp_path / "model"
    target.write_bytes(DENSE.read_bytes())
    target.chmod(0o600)
    (tmp_path / "link").symlink_to(target)
    for output in ("model", "link"):
        assert call("sparsify", target, "--force", "-o", tmp_path / output).code == 0
    small = target.stat().st_size
    assert small < DENSE.stat().st_size
    assert call("densify", tmp_path / "link", "--in-place").code == 0
    assert target.stat().st_size > small
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "model"]
