"""What `inspect` tells of models as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.inspection.inspection import Inspection
from tflite_sparse.records import Count, Record

if TYPE_CHECKING:
    from tflite_sparse.errors import TfliteSparseError

__all__ = ["InspectReport", "ReadFailure", "UnreadModel", "unread"]


class FailurePlace(Record, frozen=True):
    """Where in a model something is wrong.

    Attributes:
        subgraph: name or index of the subgraph.
        operator: name and index of the operator.
        tensor: index and name of the tensor.
        offset: byte offset in the file.
    """

    subgraph: str | None
    operator: str | None
    tensor: str | None
    offset: Count | None


class ReadFailure(Record, frozen=True):
    """An error.

    Attributes:
        kind: class of the error.
        message: what is wrong, in one line.
        hint: what to do about it.
        place: where in the model it is wrong.
    """

    kind: str
    message: str
    hint: str | None
    place: FailurePlace


class UnreadModel(Record, frozen=True):
    """A model that could not be read.

    Attributes:
        path: the file as the user named it.
        error: what stopped the inspection.
    """

    path: str
    error: ReadFailure


class InspectReport(Record, frozen=True):
    """One document for all models of a call, in the order in which they were named.

    Attributes:
        models: an entry for each model.
    """

    models: tuple[Inspection | UnreadModel, ...]


def unread(path: str, error: TfliteSparseError) -> UnreadModel:
    """The entry of a model that could not be read."""
    place = error.place
    return UnreadModel(
        path,
        ReadFailure(
            kind=type(error).__name__,
            message=error.message,
            hint=error.hint,
            place=FailurePlace(
                subgraph=None if place.subgraph is None else str(place.subgraph),
                operator=place.operator,
                tensor=place.tensor,
                offset=place.offset,
            ),
        ),
    )
