"""What all results have in common: frozen, comparable, and plain data when asked."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Record", "plain"]

_DIGITS = "%.6g"


class Record(msgspec.Struct, frozen=True):
    """A result: its fields never change, and two with the same fields are equal.

    Types that a field is annotated with are imported when the program runs, not for type checkers
    only, so that JSON Schemas can be made from the class.
    """

    def to_dict(self) -> dict[str, Any]:
        """The fields by their names in JSON: nested results as dicts, floats to six digits."""
        names = zip(self.__struct_encode_fields__, self.__struct_fields__, strict=True)
        return {key: plain(getattr(self, name)) for key, name in names}


def plain(value: Any) -> Any:
    """A value as JSON can say it: results as dicts, enums by their value, floats to six digits."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(_DIGITS % value)
    return msgspec.to_builtins(value)
