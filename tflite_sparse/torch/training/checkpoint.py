"""The state of a training in a file, to go on from."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from tflite_sparse.errors import FileError, Place, UsageError
from tflite_sparse.files.output import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_place", "digest", "load", "save"]


def check_place(path: str | os.PathLike[str]) -> None:
    """Makes sure that a state can be written there, before anything long is done for it.

    Raises:
        FileError: it is a folder, or its own folder does not exist.
    """
    if Path(path).is_dir():
        raise FileError("is a directory, and not the state of a training", place=_place(path))
    if not Path(path).parent.is_dir():
        raise FileError("the folder of the checkpoint does not exist", place=_place(path))


def save(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Writes the state; the file is replaced only when all of it is there.

    Raises:
        FileError: it cannot be written.
    """
    with replacing(path) as file:
        torch.save(state, file)


def load(path: str | os.PathLike[str], like: dict[str, Any], device: torch.device) -> Any | None:
    """The state in a file, None where there is no file.

    Args:
        path: the file.
        like: what the state must say of the training that it belongs to.
        device: where its values go.

    Raises:
        FileError: the file cannot be read, or holds no state.
        UsageError: it belongs to another training.
    """
    check_place(path)
    if not Path(path).exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        training = dict(state["training"])
    except Exception as error:
        raise FileError("holds no state of a training", place=_place(path)) from error
    differing = [key for key, value in like.items() if training.get(key) != value]
    if differing:
        raise UsageError(
            f"belongs to another training: {differing[0]} differs",
            place=_place(path),
            hint="name another checkpoint, or remove this one",
        )
    return state


@torch.no_grad()
def digest(weights: Mapping[str, torch.Tensor]) -> str:
    """Tells the weights of one model from those of another.

    Args:
        weights: the weights by name.
    """
    sums = hashlib.sha256()
    for name, weight in weights.items():
        sums.update(f"{name} {tuple(weight.shape)}".encode())
        sums.update(weight.detach().cpu().numpy().tobytes())
    return sums.hexdigest()


def _place(path: str | os.PathLike[str]) -> Place:
    return Place(file=os.fspath(path))
