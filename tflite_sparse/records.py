"""What all results have in common: frozen, comparable, and plain data when asked."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "VIEWS",
    "Amount",
    "Count",
    "Decibels",
    "Distance",
    "Measure",
    "Record",
    "Share",
    "plain",
]

_DIGITS = "%.6g"

Count = Annotated[int, msgspec.Meta(ge=0)]
"""A number of things; what tells a JSON Schema that it is never negative."""

Amount = Annotated[float, msgspec.Meta(ge=0)]
"""A quantity that is never negative."""

Distance = Annotated[float, msgspec.Meta(ge=0, extra={"null": "infinite"})]
"""A difference of values, which may be infinite; null in JSON then."""

Decibels = Annotated[float, msgspec.Meta(extra={"null": "infinite"})]
"""A ratio of powers as a logarithm: below 0 where the second is the larger one."""

Measure = Annotated[float, msgspec.Meta(extra={"null": "not finite"})]
"""What a user's own function says, which may be infinite or no number; null in JSON then."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A part of a whole, from 0 to 1."""


VIEWS: dict[type, Callable[[Any], str]] = {}
"""How notebooks show results: HTML of a result by its type. Floors above fill it in."""


class Record(msgspec.Struct, frozen=True):
    """A result: its fields never change, and two with the same fields are equal.

    Types that a field is annotated with are imported when the program runs, not for type checkers
    only, so that JSON Schemas can be made from the class.

    Attributes:
        derived: names of properties that JSON has too, after the fields.
        flat: names of fields that are results themselves, and whose fields JSON has in their place.
    """

    derived: ClassVar[tuple[str, ...]] = ()
    flat: ClassVar[tuple[str, ...]] = ()

    def _repr_html_(self) -> str | None:
        """The result as a notebook shows it; None where it has no picture."""
        view = VIEWS.get(type(self))
        return None if view is None else view(self)

    def to_dict(self) -> dict[str, Any]:
        """The fields by their names in JSON: nested results as dicts, floats to six digits."""
        fields: dict[str, Any] = {}
        for key, name in zip(self.__struct_encode_fields__, self.__struct_fields__, strict=True):
            value = plain(getattr(self, name))
            fields.update(value if name in self.flat else {key: value})
        return fields | {name: plain(getattr(self, name)) for name in self.derived}


def plain(value: Any) -> Any:
    """A value as JSON can say it.

    Results become dicts, enums their value, floats have six digits; JSON knows no infinity, and
    None stands for it. What else a dict holds beside results and enums is left as it is.
    """
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, dict):
        return {
            key: plain(item) if isinstance(item, (Record, Enum)) or _endless(item) else item
            for key, item in value.items()
        }
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(_DIGITS % value) if math.isfinite(value) else None
    return msgspec.to_builtins(value)


def _endless(value: Any) -> bool:
    """Whether a value is a float that is no finite number."""
    return isinstance(value, float) and not math.isfinite(value)
