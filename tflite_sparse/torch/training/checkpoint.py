"""The state of a training in a file, to go on from."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from tflite_sparse.errors import FileError, UsageError
from tflite_sparse.files.output import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["digest", "load", "save"]


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
    if not Path(path).exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        training = state["training"]
    except Exception as error:
        raise FileError(f"{os.fspath(path)}: holds no state of a training") from error
    differing = [key for key, value in like.items() if training.get(key) != value]
    if differing:
        raise UsageError(
            f"{os.fspath(path)}: belongs to another training: {differing[0]} differs",
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
