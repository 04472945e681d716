"""Classes that users give for their inputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import FileError, Place, UsageError
from tflite_sparse.runtime.inputs import read_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["given_labels"]

_WANTED = "one whole number for each input"


def given_labels(path: str, count: int) -> list[int]:
    """The class of each input.

    Args:
        path: an .npy file with one whole number for each, or text with one on each line.
        count: number of inputs.

    Raises:
        FileError: the file cannot be read, or holds something else.
        UsageError: it has more or fewer of them.
    """
    place = Place(file=path)
    values = _stored(path, place)
    if not isinstance(values, np.ndarray):
        raise FileError("no classes, but several arrays", place=place, hint=_WANTED)
    if values.dtype.kind not in "iu" and values.size:
        raise FileError(f"no classes, but values of type {values.dtype}", place=place, hint=_WANTED)
    if values.size != count:
        raise UsageError(f"there are {count} inputs and {values.size} labels", place=place)
    return [int(value) for value in values.reshape(-1)]


def _stored(path: str, place: Place) -> NDArray[Any] | dict[str, NDArray[Any]]:
    if Path(path).suffix.lower() == ".npy":
        return read_arrays(Path(path), ".npy")
    try:
        return np.array([int(word) for word in Path(path).read_text("utf-8").split()])
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or f"no classes: {error}"
        raise FileError(reason, place=place, hint=_WANTED) from None
