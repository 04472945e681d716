"""Runs a model on many inputs that lie in files, and leaves its outputs in files."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.errors import Place, RuntimeFailureError
from tflite_sparse.files.output import not_written
from tflite_sparse.runtime.litert.process import model_file
from tflite_sparse.runtime.litert.tasks import NOT_WRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.runtime.litert.process import Worker

__all__ = ["Stored", "run_stream"]

_ROOM = "TMPDIR names another folder for temporary files"

TIMEOUT = 7200.0
"""Seconds after which a run is given up."""


class Stored(msgspec.Struct, frozen=True):
    """Values of a tensor for one input after the other, as raw bytes in a file.

    Attributes:
        path: the file.
        shape: of the values for one input.
        kind: their type as numpy spells it.
    """

    path: Path
    shape: tuple[int, ...]
    kind: str

    @classmethod
    def write(cls, path: Path, values: Iterable[NDArray[Any]]) -> Stored:
        """Writes values of one shape and type."""
        first: NDArray[Any] | None = None
        try:
            with path.open("wb") as file:
                for value in values:
                    first = value if first is None else first
                    file.write(np.ascontiguousarray(value).tobytes())
        except OSError as error:
            raise not_written(error, Place(file=str(path)), _ROOM) from error
        if first is None:
            raise RuntimeFailureError("there is no input to run the model on")
        return cls(path, first.shape, first.dtype.str)

    def each(self) -> Iterator[NDArray[Any]]:
        """The values for one input after the other."""
        count = math.prod(self.shape)
        with self.path.open("rb") as file:
            while (value := np.fromfile(file, self.kind, count)).size == count and count:
                yield value.reshape(self.shape)


def run_stream(
    worker: Worker,
    model: bytes,
    inputs: Sequence[Stored],
    outputs: Sequence[Path],
    *,
    timeout: float = TIMEOUT,
) -> list[Stored]:
    """Runs a model on all inputs.

    Args:
        worker: what runs it.
        model: the bytes of a model.
        inputs: its inputs, by position.
        outputs: where its outputs go, by position.
        timeout: seconds after which it is given up.

    Raises:
        RuntimeFailureError: the model does not run.
    """
    with model_file(model) as path:
        status, detail, answer = worker.perform(
            "stream",
            timeout=timeout,
            model=path,
            inputs=[(str(s.path), s.shape, s.kind) for s in inputs],
            outputs=[str(path) for path in outputs],
        )
    if status == NOT_WRITTEN:
        raise not_written(OSError(answer, os.strerror(answer)), Place(file=str(outputs[0])), _ROOM)
    if status != "ok":
        raise RuntimeFailureError(f"LiteRT does not run a part of the model: {status}, {detail}")
    return [
        Stored(path, tuple(shape), kind)
        for path, (shape, kind) in zip(outputs, answer, strict=True)
    ]
