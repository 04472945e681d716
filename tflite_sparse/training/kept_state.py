"""The state of masks in a file, for a framework that keeps none of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.errors import FileError, Place, UsageError
from tflite_sparse.files.output import replacing
from tflite_sparse.runtime.inputs import read_arrays

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["read_state", "write_state"]


class _About(msgspec.Struct):
    training: dict[str, Any]
    step: int
    first: dict[str, float]
    complete: int
    names: list[str]


def write_state(
    path: str | os.PathLike[str], training: Mapping[str, Any], step: int, state: Mapping[str, Any]
) -> None:
    """Writes the state of masks; the file is replaced only when all of it is there.

    Args:
        path: the file.
        training: what tells one training from another.
        step: steps done.
        state: that of the engine, with masks of NumPy.

    Raises:
        FileError: it cannot be written.
    """
    kept: Mapping[str, NDArray[Any]] = state["kept"]
    about = _About(dict(training), step, state["first"], state["complete"], [*kept])
    words = np.frombuffer(msgspec.json.encode(about), np.uint8)
    masks: dict[str, Any] = {f"mask{number}": mask for number, mask in enumerate(kept.values())}
    with replacing(path) as file:
        np.savez_compressed(file, about=words, **masks)


def read_state(
    path: str | os.PathLike[str], training: Mapping[str, Any]
) -> tuple[int, dict[str, Any]]:
    """The steps done, and the state of the engine.

    Args:
        path: the file.
        training: what the state must say of the training that it belongs to.

    Raises:
        FileError: the file cannot be read, or holds no state of masks.
        UsageError: it is the state of another training.
    """
    place = Place(file=str(path))
    arrays: Any = read_arrays(Path(path), ".npz")
    try:
        about = msgspec.json.decode(arrays["about"].tobytes(), type=_About)
        kept = {name: arrays[f"mask{number}"] for number, name in enumerate(about.names)}
    except (IndexError, KeyError, msgspec.MsgspecError) as error:
        raise FileError("holds no state of masks", place=place) from error
    differing = next((k for k, v in training.items() if about.training.get(k) != v), None)
    if differing is not None:
        raise UsageError(
            f"the state belongs to another training: {differing} of its masks differ",
            place=place,
            hint="make the masks with the same layers and options",
        )
    return about.step, {"kept": kept, "first": about.first, "complete": about.complete}
