"""Pinned packages: taken once, checked each time, and a clear word where they cannot be had."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.runtime.packages.package import Package, archive, cache_folder, contents
from tflite_sparse.runtime.web import litertjs

if TYPE_CHECKING:
    from pathlib import Path


def packed(**files: bytes) -> bytes:
    """An archive as npm makes it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as made:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    return stream.getvalue()


ARCHIVE = packed(readme=b"read me", index=b"export {}")
DIGEST = base64.b64encode(hashlib.sha512(ARCHIVE).digest()).decode()
PACKAGE = Package("@someone/thing", "1.2.3", f"sha512-{DIGEST}")


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """An npm that copies a file, counts its calls, and is the only program to be found."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(tmp_path / "cache"))
    calls = tmp_path / "calls"
    brought = tmp_path / "brought.tgz"

    def bring(data: bytes | None, said: str = "") -> Path:
        lines = ["#!/bin/sh", f'echo "$@" >> "{calls}"']
        if data is None:
            lines += [f'echo "{said}" >&2', "exit 1"]
        else:
            brought.write_bytes(data)
            lines.append(f'/bin/cp "{brought}" someone-thing-1.2.3.tgz')
        program = programs / "npm"
        program.write_text("\n".join(lines) + "\n")
        program.chmod(0o755)
        return calls

    return bring


def test_a_package_is_taken_once(npm):
    calls = npm(ARCHIVE)
    first, second = archive(PACKAGE), archive(PACKAGE)
    assert first == second
    assert first.parent == cache_folder()
    assert calls.read_text().splitlines() == ["pack --silent --ignore-scripts @someone/thing@1.2.3"]


def test_a_cache_that_is_named_relative_is_where_the_program_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", "cache")
    assert cache_folder() == tmp_path / "cache"


def test_its_files_have_their_paths(npm):
    npm(ARCHIVE)
    assert contents(PACKAGE) == {"readme": b"read me", "index": b"export {}"}


def test_a_damaged_archive_in_the_cache_is_taken_anew(npm):
    calls = npm(ARCHIVE)
    path = archive(PACKAGE)
    path.write_bytes(ARCHIVE[:-9])
    assert archive(PACKAGE).read_bytes() == ARCHIVE
    assert len(calls.read_text().splitlines()) == 2


def test_another_archive_than_the_pinned_one_is_refused_and_not_kept(npm):
    npm(packed(readme=b"something else"))
    with pytest.raises(RuntimeUnavailableError, match=r"is pinned"):
        archive(PACKAGE)
    assert list(cache_folder().iterdir()) == []


def test_what_npm_says_is_passed_on(npm):
    npm(None, "npm error code E404")
    with pytest.raises(RuntimeUnavailableError, match="E404"):
        archive(PACKAGE)


def test_an_npm_that_brings_nothing_is_an_error(npm):
    calls = npm(ARCHIVE)
    (calls.parent / "bin" / "npm").write_text("#!/bin/sh\n")
    with pytest.raises(RuntimeUnavailableError, match=r"could not bring @someone/thing@1\.2\.3"):
        archive(PACKAGE)


def test_without_npm_the_error_says_what_to_install(npm):
    with pytest.raises(RuntimeUnavailableError) as caught:
        archive(PACKAGE)
    assert "Node.js" in str(caught.value.hint)


def test_the_cache_is_enough_without_npm(npm):
    calls = npm(ARCHIVE)
    archive(PACKAGE)
    (calls.parent / "bin" / "npm").unlink()
    assert contents(PACKAGE)["readme"] == b"read me"


@pytest.mark.parametrize("home", ["", "@litertjs", "node_modules/@litertjs"])
def test_litertjs_is_found_where_npm_installs_it(tmp_path, home):
    for path in (
        "core/dist/index.js",
        "core/dist/index.d.ts",
        "core/wasm/litert.wasm",
        "core/src/no.js",
        "wasm-utils/dist/index.js",
    ):
        target = tmp_path / home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path)
    found = litertjs.litertjs_files(str(tmp_path))
    assert found == {
        path: path.encode()
        for path in ("core/dist/index.js", "core/wasm/litert.wasm", "wasm-utils/dist/index.js")
    }


def test_a_folder_without_litertjs_is_refused_by_name(tmp_path):
    with pytest.raises(RuntimeUnavailableError) as caught:
        litertjs.litertjs_files(str(tmp_path))
    assert str(tmp_path) in str(caught.value)
    assert litertjs.CORE.version in str(caught.value.hint)


def test_a_pinned_version_of_litertjs_is_taken_by_its_number(monkeypatch):
    taken = []
    monkeypatch.setattr(litertjs, "contents", lambda package: taken.append(package) or {})
    assert litertjs.litertjs_files("2.0.0") == {}
    assert {package.version for package in taken} == {"2.0.0"}
    assert litertjs.litertjs_version("2.0.0") == "2.0.0"
    assert litertjs.litertjs_version(None) == litertjs.CORE.version
    assert litertjs.litertjs_version("a/folder") == ""
