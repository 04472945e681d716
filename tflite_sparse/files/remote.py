"""What is given as a file: a path, an address such as gs://models/a.tflite, or bytes."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from tflite_sparse.errors import FileError, Place, RuntimeUnavailableError, UsageError

__all__ = ["fetch", "is_remote", "listed", "name_of", "require_files"]

_BYTES = (bytes, bytearray, memoryview)

_MARK = "://"
_MAGIC = frozenset("*?[")


def is_remote(path: object) -> bool:
    """Whether a path is an address."""
    return isinstance(path, str) and _MARK in path


def fetch(address: str) -> bytes:
    """The bytes of a file.

    Raises:
        FileError: it cannot be read.
        RuntimeUnavailableError: fsspec is not installed, or what it needs for such addresses.
    """
    fsspec = _fsspec(address)
    try:
        with fsspec.open(address, "rb") as file:
            content: bytes = file.read()
    except ImportError as error:
        raise _missing(address, str(error)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise FileError(f"cannot be read: {reason}", place=Place(file=address)) from error
    return content


def listed(address: str) -> list[str]:
    """The files that an address with *, ** and ? names; the address itself where it has none.

    Raises:
        FileError: the store cannot be asked.
        RuntimeUnavailableError: as `fetch`.
    """
    if not _MAGIC & set(address):
        return [address]
    fsspec = _fsspec(address)
    try:
        system, _, _ = fsspec.get_fs_token_paths(address)
        return sorted(system.unstrip_protocol(name) for name in system.glob(address))
    except ImportError as error:
        raise _missing(address, str(error)) from error
    except (OSError, ValueError) as error:
        raise FileError(f"cannot be listed: {error}", place=Place(file=address)) from error


def _fsspec(address: str) -> Any:
    if importlib.util.find_spec("fsspec") is None:
        raise _missing(address, "fsspec is not installed")
    import fsspec

    return fsspec


def _missing(address: str, reason: str) -> RuntimeUnavailableError:
    return RuntimeUnavailableError(
        reason,
        place=Place(file=address),
        hint="install tflite-sparse with the extra [remote], and what fsspec needs for this store",
    )


def require_files(function: str, *given: Any) -> None:
    """Refuses what is no path: a model that was read, most of all.

    Args:
        function: the function that takes files.
        given: its arguments; the bytes of a model pass.

    Raises:
        UsageError: one of them is neither a path nor bytes.
    """
    for argument in given:
        if not isinstance(argument, (str, os.PathLike, *_BYTES)):
            raise UsageError(
                f"{function} takes files, not a {type(argument).__name__}",
                hint="write the model to a file, and give its path",
            )


def name_of(model: Any) -> str:
    """What a report calls a model: its path, or that it has none."""
    return "a model in memory" if isinstance(model, _BYTES) else str(model)
