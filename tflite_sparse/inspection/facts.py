"""What all results have in common: they are frozen, and turn themselves into plain data."""

from __future__ import annotations

import dataclasses
from typing import Any

from tflite_sparse.records import Record

__all__ = ["Facts", "share"]

_DIGITS = "%.6g"


def share(part: float, whole: float) -> float:
    """The part of a whole as a number from 0 to 1; 0 of an empty whole."""
    return part / whole if whole else 0.0


class Facts:
    """A result that turns itself into what JSON can say."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, nested results as dicts, tuples as lists."""
        return {
            field.name: _plain(getattr(self, field.name))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }


def _plain(value: Any) -> Any:
    if isinstance(value, (Facts, Record)):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(_DIGITS % value)
    return value
