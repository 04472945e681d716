"""Bad input: one line that says what and where, exit code 2, at once; never a traceback."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.command import Done, as_anybody, call
from tests.support.lint.models import forged
from tests.support.nets.builder import ModelBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = Path(__file__).parents[3] / "testdata" / "mobilenet_tiny_80.tflite"
SECONDS = 2.0
"""Of the processor's time, which a loaded machine does not stretch; it takes far less."""


def run(*arguments: str) -> Done:
    """Runs the program, and checks what holds for every failure."""
    start = time.process_time()
    done = call(*arguments)
    assert time.process_time() - start < SECONDS
    return done


def run_as_anybody(*arguments: str) -> Done:
    """Runs the program in a process of its own, without root's right to ignore modes."""
    done = subprocess.run(
        [*as_anybody(), *arguments], capture_output=True, text=True, check=False, timeout=600
    )
    assert "Traceback" not in done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def refused(path: Path | str, *words: str, run: Callable[..., Done] = run) -> None:
    """Checks that a model is refused in one line with the given words."""
    for options in ([], ["--json"]):
        done = run("inspect", str(path), *options)
        assert done.code == 2
        assert done.err.startswith(f"tflite-sparse: error: {path}: ")
        assert done.err.count("\n") == 1
        assert [word for word in words if word not in done.err] == []


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.tflite", b"TFL3")


def _with(offset: int, value: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        data = bytearray(GOOD.read_bytes())
        data[offset : offset + len(value)] = value
        path.write_bytes(data)

    return write


FOREIGN: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "empty": (lambda p: p.write_bytes(b""), ("is empty",)),
    "one_byte": (lambda p: p.write_bytes(b"\x00"), ("too short", "1 byte")),
    "text": (lambda p: p.write_text("conv1: 0.5\n" * 40), ("text file", "TFL3")),
    "png": (lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64)), ("PNG",)),
    "lfs": (
        lambda p: p.write_text(
            "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 42\n"
        ),
        ("Git LFS pointer", "git lfs pull"),
    ),
    "zip": (_zip, ("zip archive", "unpack")),
    "identifier": (_with(4, b"TFL2"), ("identifier", "TFL2")),
    "zeros": (lambda p: p.write_bytes(bytes(4096)), ("not a .tflite model",)),
    "root_out_of_range": (_with(0, struct.pack("<I", 2**31)), ("offset",)),
    "root_at_the_end": (_with(0, struct.pack("<I", 64840)), ("offset",)),
}


@pytest.mark.parametrize("kind", sorted(FOREIGN))
def test_what_is_no_model_is_refused(kind: str, tmp_path: Path) -> None:
    make, words = FOREIGN[kind]
    path = tmp_path / f"{kind}.tflite"
    make(path)
    refused(path, *words)


@pytest.mark.parametrize("keep", [8, 100, 1000, 20000, 64000])
def test_a_truncated_model_is_refused(keep: int, tmp_path: Path) -> None:
    path = tmp_path / "truncated.tflite"
    path.write_bytes(GOOD.read_bytes()[:keep])
    refused(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "missing.tflite", "no such file")


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.tflite"
    path.write_bytes(GOOD.read_bytes())
    path.chmod(0)
    refused(path, "permission", run=run_as_anybody)


def test_a_directory_without_models_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    refused(tmp_path, "no .tflite files")


def test_a_pattern_without_a_match_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "*.tflite", "no file matches")


def test_a_name_with_control_characters_commands_no_terminal(tmp_path: Path) -> None:
    done = run("inspect", str(tmp_path / "a\x1b[31mb.tflite"))
    assert done.code == 2
    assert "\x1b" not in done.err


def _mismatch(path: Path) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.conv2d(graph.input((1, 4, 4, 8)), 8, zeros=0.5, name="good")
    short = graph.constant(
        np.ones((8, 1, 1, 8), np.float32), name="short", buffer=builder.buffer(np.ones(7))
    )
    graph.output(graph.conv2d(x, 8, filters=short, name="bad"))
    path.write_bytes(builder.build())


def test_a_buffer_too_small_for_its_shape_is_told_with_all_that_can_be_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "short.tflite"
    _mismatch(path)
    refused(path, "tensor", "short", "needs 256 bytes", "has 56")
    text = run("inspect", "--weights", str(path)).out
    assert "good/filter" in text
    assert "50.0 %" in text
    (model,) = json.loads(run("inspect", str(path), "--json").out)["models"]
    assert [weight["zeros"] for weight in model["weights"]] == [32, None]
    assert len(model["problems"]) == 1


def test_a_malformed_encoding_is_told_with_all_that_can_be_read(tmp_path: Path) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.conv2d(graph.input((1, 4, 4, 8)), 8, zeros=0.5, name="good")
    graph.output(graph.conv2d(x, 8, zeros=0.5, storage="sparse", name="bad"))
    sparse = next(tensor for tensor in graph.table.tensors if tensor.sparsity is not None)
    sparse.sparsity.dimMetadata[3].arrayIndices.values[0] = 200
    path = tmp_path / "odd.tflite"
    path.write_bytes(builder.build())
    refused(path, "bad/filter", "200")
    assert "good/filter" in run("inspect", "--weights", str(path)).out


def test_one_bad_model_stops_none_of_the_others(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"")
    done = run(
        "inspect",
        "--weights",
        str(GOOD),
        str(bad),
        str(GOOD.with_name("mobilenet_tiny_80_same.tflite")),
    )
    assert done.code == 2
    assert done.out.count("\n  Model ") == 2
    assert done.err == f"tflite-sparse: error: {bad}: the file is empty\n"


def test_json_has_an_entry_for_a_bad_model(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    done = run("inspect", str(bad), str(GOOD), "--json")
    assert done.code == 2
    first, second = json.loads(done.out)["models"]
    assert first["path"] == str(bad)
    assert first["error"]["kind"] == "FileError"
    assert first["error"]["hint"]
    assert second["path"] == str(GOOD)


def test_an_unknown_target_is_wrong_usage() -> None:
    done = run("inspect", str(GOOD), "--target", "vax")
    assert done.code == 2
    assert "there is no target 'vax'" in done.err
    assert "arm64" in done.err


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tflite_sparse", "inspect", *[str(GOOD)] * 1, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()
    assert errors == b""
    assert process.returncode in {0, 141}


@pytest.mark.parametrize("command", ["verify", "profile", "bench"])
def test_a_model_without_a_subgraph_cannot_run(command: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.tflite"
    path.write_bytes(forged())
    done = call(command, *[path] * (2 if command == "verify" else 1))
    assert done.code == 2
    assert "no subgraph" in done.err
    assert "internal" not in done.err
