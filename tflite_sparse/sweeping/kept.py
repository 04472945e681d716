"""What a sweep has done already, in a folder, so that one that was stopped goes on from there."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tflite_sparse._version import __version__
from tflite_sparse.errors import FileError
from tflite_sparse.files.output import replacing

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from tflite_sparse.sweeping.options import SweepData, SweepOptions

__all__ = ["folder_of", "keep", "keep_file", "kept", "name_of"]

_T = TypeVar("_T")
_PACKAGE = Path(__file__).parents[1]


def folder_of(root: Path, sha256: str, options: SweepOptions, data: SweepData | None) -> Path:
    """Where what is done of a sweep is kept: another model or option has another folder.

    So has another state of this program, whose prices and passes may be others.

    Args:
        root: the folder of all sweeps.
        sha256: digest of the model.
        options: what is asked for; which shares does not matter.
        data: where inputs come from, whose content is taken to stay the same.
    """
    same = msgspec.structs.replace(options, shares=(0.5,))
    # A relative path, or a module, is another one elsewhere.
    place = None if data is None else str(Path.cwd())
    content = msgspec.msgpack.encode((__version__, _code(), sha256, same, data, place))
    return root / hashlib.sha256(content).hexdigest()[:16]


def _code() -> str:
    """What tells one state of the package from another of the same version, in a checkout."""
    files = sorted(_PACKAGE.rglob("*.py"))
    states = [(str(path), status.st_size, status.st_mtime_ns) for path, status in _stated(files)]
    return hashlib.sha256(msgspec.msgpack.encode(states)).hexdigest()


def _stated(files: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    for path in files:
        with contextlib.suppress(OSError):
            yield path, path.stat()


def name_of(share: float | None) -> str:
    """What a point is called in the folder."""
    return "own" if share is None else f"{share:.6f}"


def kept(folder: str | None, name: str, kind: type[_T]) -> _T | None:
    """What was kept under a name; None where there is nothing that can be read."""
    if folder is None:
        return None
    try:
        return msgspec.msgpack.decode((Path(folder) / f"{name}.msgpack").read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None


def keep(folder: str | None, name: str, result: msgspec.Struct) -> None:
    """Keeps a result under a name, whole or not at all; where nobody may write nothing is kept."""
    if folder is None:
        return
    with contextlib.suppress(FileError, OSError):
        Path(folder).mkdir(parents=True, exist_ok=True)
        with replacing(Path(folder) / f"{name}.msgpack") as file:
            file.write(msgspec.msgpack.encode(result))


def keep_file(folder: str, name: str, content: NDArray[np.uint8]) -> Path:
    """Keeps a model to be run.

    Raises:
        FileError: it cannot be written.
    """
    path = Path(folder) / f"{name}.tflite"
    with replacing(path) as file:
        file.write(content.data)
    return path
