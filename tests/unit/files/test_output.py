"""A name holds the old bytes or all of the new ones, whatever happens in between."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from tflite_sparse.errors import FileError
from tflite_sparse.files.output import replacing, scratch
from tflite_sparse.flatbuffer.source import Source


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_appears_whole_with_the_usual_mode(tmp_path):
    old = os.umask(0o027)
    try:
        with replacing(tmp_path / "out") as file:
            file.write(b"new")
            assert "out" not in names(tmp_path)
    finally:
        os.umask(old)
    assert (tmp_path / "out").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640
    assert names(tmp_path) == ["out"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "out").write_bytes(b"old")

    def write() -> None:
        with replacing(tmp_path / "out") as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert (tmp_path / "out").read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


def test_the_mode_of_the_old_file_is_kept(tmp_path):
    target = tmp_path / "out"
    target.write_bytes(b"old")
    target.chmod(0o604)
    with replacing(target) as file:
        file.write(b"new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o604


def test_a_symbolic_link_keeps_pointing_at_the_file_that_is_replaced(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with replacing(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_device_is_written_to_directly():
    with replacing(os.devnull) as file:
        file.write(b"gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116


def test_a_pipe_is_written_to_directly(tmp_path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    reader = subprocess.Popen(["cat", str(fifo)], stdout=subprocess.PIPE)
    with replacing(fifo) as file:
        file.write(b"through")
    assert reader.communicate(timeout=600)[0] == b"through"


@pytest.mark.parametrize(
    ("path", "message"), [("missing/out", "folder does not exist"), (".", "is a directory")]
)
def test_what_cannot_be_written_is_named(tmp_path, path, message):
    with pytest.raises(FileError, match=message), replacing(tmp_path / path):
        pass


def test_a_full_disk_is_an_error_and_keeps_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "out").write_bytes(b"old")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="no space left"), replacing(tmp_path / "out") as file:
        file.write(b"new")
    assert (tmp_path / "out").read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


def test_a_killed_process_leaves_the_old_file_and_no_stray_one(tmp_path):
    (tmp_path / "out").write_bytes(b"old")
    code = (
        "import sys, time\n"
        "from tflite_sparse.files.output import replacing\n"
        "with replacing(sys.argv[1]) as file:\n"
        "    file.write(b'x' * 100000); file.flush(); print('ready', flush=True); time.sleep(999)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "out")], stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=600)
    process.stdout.close()
    time.sleep(0.05)
    assert (tmp_path / "out").read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("named", [False, True], ids=["without a name", "with a name"])
@pytest.mark.parametrize("fresh", [False, True])
def test_a_file_that_came_meanwhile_is_kept_where_that_is_asked_for(
    tmp_path, monkeypatch, named, fresh
):
    if named:
        monkeypatch.delattr(os, "O_TMPFILE")

    def write() -> None:
        with replacing(tmp_path / "out", fresh=fresh) as file:
            file.write(b"ours")
            (tmp_path / "out").write_bytes(b"theirs")

    if fresh:
        with pytest.raises(FileError, match="somebody else has written the file meanwhile"):
            write()
    else:
        write()
    assert (tmp_path / "out").read_bytes() == (b"theirs" if fresh else b"ours")
    assert names(tmp_path) == ["out"]


def test_another_process_opens_a_scratch_file_and_a_kill_leaves_none(tmp_path):
    code = """
import os, signal, subprocess, sys
from tflite_sparse.files.output import scratch
with scratch() as (file, path):
    file.write(b"seen")
    file.flush()
    subprocess.run(["cat", path], check=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"seen")
    assert names(tmp_path) == []


def test_without_a_list_of_open_files_a_scratch_file_has_a_name_until_the_end(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tflite_sparse.files.output._OPEN_FILES", str(tmp_path / "none"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch() as (file, path):
        file.write(b"seen")
        file.flush()
        assert path.read_bytes() == b"seen"
        assert path.parent.parent == tmp_path
    assert names(tmp_path) == []


def test_a_file_is_written_and_replaced_as_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No fchmod, no O_TMPFILE, no locks, and nothing that is open may be replaced."""
    for name in ("fchmod", "O_TMPFILE"):
        monkeypatch.delattr(os, name)
    monkeypatch.setattr("tflite_sparse.files.leftovers.fcntl", None)
    monkeypatch.setattr("tflite_sparse.files.output.KEPT_OPEN", False)
    monkeypatch.setattr("tflite_sparse.files.output._OPEN_FILES", str(tmp_path / "nothing"))
    written: list[IO[bytes]] = []
    move = Path.replace

    def closed_before(self: Path, target: Path) -> Path:
        assert all(file.closed for file in written)
        return move(self, target)

    monkeypatch.setattr(Path, "replace", closed_before)
    target = tmp_path / "model.tflite"
    for content in (b"old", b"new"):
        with replacing(target) as file:
            written.append(file)
            file.write(content)
        assert target.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["model.tflite"]
    assert isinstance(Source.open(target)._buffer, bytes)
    with scratch() as (file, path):
        file.write(b"x")
        file.flush()
        assert path.read_bytes() == b"x"
