"""LiteRT's WebAssembly runtime for browsers, @litertjs/core: what a page needs of it."""

from __future__ import annotations

from pathlib import Path

from tflite_sparse.errors import Place, RuntimeUnavailableError
from tflite_sparse.runtime.packages.bundles import Bundle
from tflite_sparse.runtime.packages.package import Package, contents

__all__ = ["CORE", "LITERTJS", "OLDER", "WASM_UTILS", "litertjs_files", "litertjs_version"]


def _release(version: str, core: str, wasm_utils: str) -> tuple[Package, Package]:
    """The runtime at a version, and what it imports."""
    return (
        Package("@litertjs/core", version, f"sha512-{core}"),
        Package("@litertjs/wasm-utils", version, f"sha512-{wasm_utils}"),
    )


_RELEASES = (
    _release(
        "2.5.3",
        "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
        "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
    ),
    _release(
        "2.0.0",
        "wt1ECMkxUrTwW5SlVa16aL59u5c1dKPDAWvNA+JyNVUHiXsqJAlpu+UhhiaeKhJkRPsf/wvRfY3yyXPnz1PxmA==",
        "TimssmDKn2zL2qSuJbgjrUIgB6oEXhneQjQyy1W6Hlyw15+dtMfLch5yZ40/MLn5TnE80hY46x3hnjXFF3UKsA==",
    ),
    _release(
        "0.2.1",
        "DhoP7VY6ibcGzcQTWqH3/rbtBjq/bi8iMaR4IeGRndq7FI+v6RLwhcdtPtbV2lNv0RmjWIQbaA75K/m57gqQqw==",
        "38/EbAu2u7DxXz3SCQbnIKYbj68x8x9HVmWVCX+UseRydYu0EDBaMPzUWYvhQCM1r79Q3Q7mn86SiFlWvlQrZw==",
    ),
)
"""All of them, the newest first."""

CORE, WASM_UTILS = _RELEASES[0]
"""The newest runtime and what it imports."""


def _bundle(name: str, packages: tuple[Package, Package]) -> Bundle:
    return Bundle(name, f"LiteRT.js {packages[0].version} for browsers", packages)


LITERTJS = _bundle("litertjs", _RELEASES[0])
"""What `bench --on web` fetches when it first runs."""

OLDER = tuple(_bundle(f"litertjs-{packages[0].version}", packages) for packages in _RELEASES[1:])
"""What `bench --on web --litertjs VERSION` fetches."""

_ENDINGS = (".js", ".wasm")
_HOMES = ("", "@litertjs", "node_modules/@litertjs")
_ENTRY = "dist/index.js"


def litertjs_version(named: str | None) -> str:
    """The version of LiteRT.js that is meant; "" for that which lies in a folder.

    Args:
        named: see `litertjs_files`.
    """
    core = _pinned(named)
    return "" if core is None else core[0].version


def litertjs_files(named: str | None = None) -> dict[str, bytes]:
    """The files that a page loads, as "core/dist/index.js", "core/wasm/...", "wasm-utils/...".

    Args:
        named: where npm installed the packages: a folder with node_modules, or one that holds
            core and wasm-utils. Or a pinned version such as "2.0.0", which npm brings the first
            time; None for the newest of these.

    Raises:
        RuntimeUnavailableError: a package cannot be had.
    """
    packages = _pinned(named)
    if packages is None:
        return _from_folder(Path(str(named)))
    files = {}
    for package in packages:
        short = package.name.partition("/")[2]
        for path, data in contents(package).items():
            if path.endswith(_ENDINGS):
                files[f"{short}/{path}"] = data
    return files


def _pinned(named: str | None) -> tuple[Package, Package] | None:
    """The packages of a version; None where a folder is named."""
    if named is None:
        return _RELEASES[0]
    if Path(named).is_dir():
        return None
    return next((packages for packages in _RELEASES if packages[0].version == named), None)


def _from_folder(folder: Path) -> dict[str, bytes]:
    for home in _HOMES:
        root = folder / home
        if (root / "core" / _ENTRY).is_file() and (root / "wasm-utils" / _ENTRY).is_file():
            break
    else:
        raise RuntimeUnavailableError(
            "this folder has no @litertjs/core and @litertjs/wasm-utils",
            place=Place(file=str(folder)),
            hint=f"run 'npm install {CORE.name}@{CORE.version}' there, or name a version that is"
            f" pinned: {', '.join(core.version for core, _ in _RELEASES)}",
        )
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for part in ("core/dist", "core/wasm", "wasm-utils/dist")
        for path in sorted((root / part).rglob("*"))
        if path.suffix in _ENDINGS
    }
