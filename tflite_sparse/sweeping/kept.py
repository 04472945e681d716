"""What a sweep has done already, in a folder, so that one that was stopped goes on from there."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tflite_sparse._version import __version__
from tflite_sparse.errors import FileError
from tflite_sparse.files.output import replacing

if TYPE_CHECKING:
    from tflite_sparse.sweeping.options import SweepData, SweepOptions

__all__ = ["drop_files", "folder_of", "keep", "keep_file", "kept", "name_of"]

_T = TypeVar("_T")


def folder_of(root: Path, sha256: str, options: SweepOptions, data: SweepData | None) -> Path:
    """Where what is done of a sweep is kept: another model or option has another folder.

    Args:
        root: the folder of all sweeps.
        sha256: digest of the model.
        options: what is asked for; which shares does not matter.
        data: where inputs come from, whose content is taken to stay the same.
    """
    same = msgspec.structs.replace(options, shares=(0.5,))
    content = msgspec.msgpack.encode((__version__, sha256, same, data))
    return root / hashlib.sha256(content).hexdigest()[:16]


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
    """Keeps a result under a name, whole or not at all; a full disk keeps nothing."""
    if folder is None:
        return
    with contextlib.suppress(FileError):
        Path(folder).mkdir(parents=True, exist_ok=True)
        with replacing(Path(folder) / f"{name}.msgpack") as file:
            file.write(msgspec.msgpack.encode(result))


def keep_file(folder: str, name: str, content: bytes) -> Path:
    """Keeps a model to be run.

    Raises:
        FileError: it cannot be written.
    """
    path = Path(folder) / f"{name}.tflite"
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(content)
    return path


def drop_files(folder: str) -> None:
    """Removes the models that were kept to be run, or all where nothing else is there."""
    for path in Path(folder).glob("*.tflite"):
        with contextlib.suppress(OSError):
            path.unlink()
    if Path(folder).is_dir() and not any(Path(folder).iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
