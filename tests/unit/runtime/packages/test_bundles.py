"""What is installed by name: whole or not at all."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.support.command import call
from tflite_sparse.errors import RuntimeUnavailableError, UsageError
from tflite_sparse.report.text.lists.runtimes import runtimes_lines
from tflite_sparse.runtime.arm64.packages import PACKAGES
from tflite_sparse.runtime.packages.bundles import (
    Bundle,
    BundleState,
    bundle,
    bundles,
    install,
    remove,
    state,
)
from tflite_sparse.runtime.packages.clients import _platform
from tflite_sparse.runtime.packages.package import Package, cache_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DATA = b"an archive"
DIGEST = hashlib.sha256(DATA).hexdigest()
PACKAGE = Package("thing", "1", f"sha256:{DIGEST}", "pip", "thing-1-py3-none-any.whl")


def unpack(archives: Sequence[Path], folder: Path) -> None:
    (folder / "thing").write_bytes(archives[0].read_bytes())


def interrupted(archives: Sequence[Path], folder: Path) -> None:
    unpack(archives, folder)
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(tmp_path))
    (tmp_path / PACKAGE.file).write_bytes(DATA)
    return tmp_path


def test_what_is_unpacked_takes_the_place_of_the_archives(cache):
    thing = Bundle("thing", "A thing", (PACKAGE,), unpack)
    assert not state(thing).installed
    assert install(thing)
    assert [path.name for path in cache.iterdir()] == ["thing"]
    assert (state(thing).installed, state(thing).bytes) == (True, len(DATA))
    assert not install(thing)
    assert remove(thing)
    assert not remove(thing)
    assert list(cache.iterdir()) == []


def test_one_of_other_packages_is_told_and_gives_way(cache):
    other = Package("thing", "0", PACKAGE.integrity[:-1] + "0", "pip", "thing-0-py3-none-any.whl")
    thing, before = (Bundle("thing", "A thing", (p,), unpack) for p in (PACKAGE, other))
    assert install(thing)
    assert (state(before).installed, state(before).outdated) == (False, True)
    assert (state(thing).installed, state(thing).outdated) == (True, False)
    # As before there were stamps.
    (cache / "thing" / ".pins").unlink()
    (cache / "thing" / "old").touch()
    (cache / PACKAGE.file).write_bytes(DATA)
    assert state(thing).outdated
    assert install(thing)
    assert state(thing).installed
    assert not (cache / "thing" / "old").exists()
    assert [path.name for path in cache.iterdir()] == ["thing"]


def test_an_interrupted_installation_leaves_nothing_half(cache):
    thing = Bundle("thing", "A thing", (PACKAGE,), interrupted)
    with pytest.raises(KeyboardInterrupt):
        install(thing)
    assert not state(thing).installed
    assert [path.name for path in cache.iterdir()] == [PACKAGE.file]


def test_archives_alone_may_be_all(cache):
    thing = Bundle("thing", "A thing", (PACKAGE,))
    assert state(thing).installed
    assert not install(thing)
    assert remove(thing)
    assert not state(thing).installed


def test_what_a_client_brings_is_checked(cache, monkeypatch):
    def brings(packages: Sequence[Package], folder: Path) -> list[Path]:
        (folder / "x").write_bytes(b"another")
        return [folder / "x"]

    (cache / PACKAGE.file).unlink()
    monkeypatch.setitem(
        __import__("tflite_sparse.runtime.packages.package", fromlist=["CLIENTS"]).CLIENTS,
        "pip",
        brings,
    )
    with pytest.raises(RuntimeUnavailableError, match="is pinned"):
        install(Bundle("thing", "A thing", (PACKAGE,)))
    assert list(cache_folder().iterdir()) == []


def test_names_that_are_not_there_are_refused():
    with pytest.raises(UsageError, match="there is no runtime 'nothing'"):
        bundle("nothing")
    assert {each.name for each in bundles()} >= {"arm64", "litertjs"}


def test_a_wheels_platform_is_in_its_name():
    assert _platform("typing_extensions-4.16.0-py3-none-any.whl") == []
    found = _platform("numpy-2.2.6-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl")
    assert found[:4] == ["--implementation", "cp", "--python-version", "311"]
    assert found[4:8] == ["--platform", "manylinux_2_17_aarch64", "--platform", *found[7:8]]
    assert found[8:] == ["--abi", "cp311"]


def test_every_pin_is_whole():
    assert len({package.file for package in PACKAGES}) == len(PACKAGES)
    assert all(len(package.integrity) == len("sha256:") + 64 for package in PACKAGES)


def test_the_command_lists_what_there_is():
    done = call("runtime", "list")
    assert done.code == 0
    assert "arm64" in done.out
    assert "litertjs" in done.out


def test_titles_of_runtimes_are_whole_however_long_the_folder_is(tmp_path):
    place = str(tmp_path / ("x" * 60))
    states = [BundleState(n, "LiteRT for 64-bit Arm", True, 1, place, ()) for n in ("a", "b")]
    lines = [str(line) for line in runtimes_lines(states, 80)]
    assert sum("LiteRT for 64-bit Arm" in line for line in lines) == 2
    assert f"  kept in {place}" in lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "arm64"], "list takes no names"),
        (["install"], "say what to install"),
        (["remove", "nothing"], "there is no runtime 'nothing'"),
    ],
)
def test_the_command_says_what_is_wrong(words, said):
    done = call("runtime", *words)
    assert done.code == 2
    assert said in done.err
