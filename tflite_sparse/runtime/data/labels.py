"""Classes that users give for their inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tflite_sparse.errors import FileError, Place, UsageError

__all__ = ["given_labels"]


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
    try:
        if Path(path).suffix == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            values = np.array([int(word) for word in Path(path).read_text("utf-8").split()])
    except (OSError, EOFError, ValueError) as error:
        reason = getattr(error, "strerror", None) or f"no classes: {error}"
        raise FileError(reason, place=place, hint="one whole number for each input") from None
    if values.dtype.kind not in "iu" and values.size:
        raise FileError(
            f"no classes, but values of type {values.dtype}",
            place=place,
            hint="one whole number for each input",
        )
    if values.size != count:
        raise UsageError(f"there are {count} inputs and {values.size} labels", place=place)
    return [int(value) for value in values.reshape(-1)]
