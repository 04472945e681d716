"""What the worker does with inputs that lie in files: no more than one is in memory at a time."""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["InFile", "run_through"]


class InFile(NamedTuple):
    """One array after the other, as raw bytes.

    Attributes:
        path: the file.
        shape: of each array.
        kind: its type as numpy spells it.
    """

    path: str
    shape: tuple[int, ...]
    kind: str

    @property
    def empty(self) -> Any:
        """An array of the shape and type."""
        return np.empty(self.shape, self.kind)

    def next(self, file: IO[bytes]) -> Any:
        """The next array; None behind the last one."""
        values = np.fromfile(file, self.kind, math.prod(self.shape))
        return values.reshape(self.shape) if values.size == math.prod(self.shape) else None


def run_through(
    interpreter: Any, sources: Sequence[InFile], outputs: Sequence[int], targets: Sequence[str]
) -> list[tuple[list[int], str]]:
    """Runs a model on every input.

    Args:
        interpreter: the model, ready to run.
        sources: its inputs.
        outputs: numbers of its outputs.
        targets: files to write these to.

    Returns:
        Shape and type of each output.
    """
    inputs = [detail["index"] for detail in interpreter.get_input_details()]
    forms: list[tuple[list[int], str]] = []
    with ExitStack() as stack:
        reading = [stack.enter_context(Path(source.path).open("rb")) for source in sources]
        writing = [stack.enter_context(Path(path).open("wb")) for path in targets]
        while True:
            values = [source.next(file) for source, file in zip(sources, reading, strict=True)]
            if not values or any(value is None for value in values):
                return forms
            for index, value in zip(inputs, values, strict=True):
                interpreter.set_tensor(index, value)
            interpreter.invoke()
            results = [interpreter.get_tensor(index) for index in outputs]
            forms = forms or [(list(value.shape), value.dtype.str) for value in results]
            for file, value in zip(writing, results, strict=True):
                file.write(value.tobytes())
