"""The one exception hierarchy. Every error says what is wrong, where, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

__all__ = [
    "EncodingError",
    "FileError",
    "FormatError",
    "ModelError",
    "Place",
    "RewriteError",
    "RuntimeFailureError",
    "RuntimeUnavailableError",
    "TfliteSparseError",
    "UsageError",
    "shown_shape",
    "told",
]

_SHOWN_SIZES = 8


class Place(msgspec.Struct, frozen=True):
    """Where in a model something is; what is not known stays None.

    Attributes:
        file: path of the file as the user named it.
        subgraph: name or index of the subgraph.
        operator: name and index of the operator, such as "CONV_2D #4".
        tensor: name or index of the tensor.
        offset: byte offset in the file.
    """

    file: str | None = None
    subgraph: str | None = None
    operator: str | None = None
    tensor: str | None = None
    offset: int | None = None

    def __str__(self) -> str:
        parts = [
            f"{label}{value}"
            for label, value in (
                ("subgraph ", self.subgraph),
                ("operator ", self.operator),
                ("tensor ", self.tensor),
                ("offset ", self.offset),
            )
            if value is not None
        ]
        inner = ", ".join(parts)
        if self.file is None:
            return inner
        return f"{self.file}: {inner}" if inner else self.file


class TfliteSparseError(Exception):
    """Base of all errors of the project.

    Args:
        message: what is wrong, as one line without a final full stop.
        place: where it is.
        hint: what the user can do about it.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, place: Place | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = place or Place()
        self.hint = hint

    def at(self, **where: str | int | None) -> Self:
        """Fills in the parts of the place that are still unknown, and returns the error itself."""
        place = msgspec.structs.asdict(self.place)
        stated = {part: value for part, value in place.items() if value is not None}
        self.place = Place(**{**where, **stated})
        return self

    def __str__(self) -> str:
        where = str(self.place)
        text = f"{where}: {self.message}" if where else self.message
        return f"{text}; {self.hint}" if self.hint else text


class UsageError(TfliteSparseError):
    """The command or the call was given something that makes no sense."""


class FileError(TfliteSparseError):
    """A file cannot be found, read or written, or is not a .tflite file at all."""


class FormatError(TfliteSparseError):
    """The bytes are not a well-formed .tflite flatbuffer."""


class ModelError(TfliteSparseError):
    """The flatbuffer is well formed, but what it says makes no model (index, shape, buffer)."""


class EncodingError(TfliteSparseError):
    """A sparse encoding is malformed: the runtime would misread, over-read or silently fill it."""


class RewriteError(TfliteSparseError):
    """A rewrite cannot be done without losing or breaking something."""


class RuntimeUnavailableError(TfliteSparseError):
    """An optional runtime is not installed; the hint says how to install it."""


class RuntimeFailureError(TfliteSparseError):
    """A runtime refused a model, crashed on it or did not answer in time."""


def shown_shape(shape: Iterable[int]) -> str:
    """A shape in a message; a damaged file may claim thousands of dimensions."""
    sizes = list(shape)
    first = ", ".join(map(str, sizes[:_SHOWN_SIZES]))
    return f"[{first}, ...]" if len(sizes) > _SHOWN_SIZES else f"[{first}]"


def told(error: BaseException) -> str:
    """An error of somebody else's code, with its kind, in one line."""
    if isinstance(error, SystemExit):
        return f"it ends the program, with the code {error.code}"
    return " ".join(f"{type(error).__name__}: {error}".split())
