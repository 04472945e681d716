"""LiteRT's WebAssembly runtime for browsers, @litertjs/core: what a page needs of it."""

from __future__ import annotations

from pathlib import Path

from tflite_sparse.errors import Place, RuntimeUnavailableError
from tflite_sparse.runtime.packages.bundles import Bundle
from tflite_sparse.runtime.packages.package import Package, contents

__all__ = ["CORE", "LITERTJS", "WASM_UTILS", "litertjs_files"]

CORE = Package(
    "@litertjs/core",
    "2.5.3",
    "sha512-PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
)
"""The runtime."""

WASM_UTILS = Package(
    "@litertjs/wasm-utils",
    "2.5.3",
    "sha512-4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
)
"""What it imports."""

LITERTJS = Bundle("litertjs", f"LiteRT.js {CORE.version} for browsers", (CORE, WASM_UTILS))
"""What `bench --on web` fetches when it first runs."""

_ENDINGS = (".js", ".wasm")
_HOMES = ("", "@litertjs", "node_modules/@litertjs")
_ENTRY = "dist/index.js"


def litertjs_files(folder: str | None = None) -> dict[str, bytes]:
    """The files that a page loads, as "core/dist/index.js", "core/wasm/...", "wasm-utils/...".

    Args:
        folder: where npm installed the packages: a folder with node_modules, or one that holds
            core and wasm-utils. None takes the pinned packages, through npm the first time.

    Raises:
        RuntimeUnavailableError: a package cannot be had.
    """
    if folder is not None:
        return _from_folder(Path(folder))
    files = {}
    for package in (CORE, WASM_UTILS):
        short = package.name.partition("/")[2]
        for path, data in contents(package).items():
            if path.endswith(_ENDINGS):
                files[f"{short}/{path}"] = data
    return files


def _from_folder(folder: Path) -> dict[str, bytes]:
    for home in _HOMES:
        root = folder / home
        if (root / "core" / _ENTRY).is_file() and (root / "wasm-utils" / _ENTRY).is_file():
            break
    else:
        raise RuntimeUnavailableError(
            "this folder has no @litertjs/core and @litertjs/wasm-utils",
            place=Place(file=str(folder)),
            hint=f"run 'npm install {CORE.name}@{CORE.version}' there, or leave --litertjs out",
        )
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for part in ("core/dist", "core/wasm", "wasm-utils/dist")
        for path in sorted((root / part).rglob("*"))
        if path.suffix in _ENDINGS
    }
