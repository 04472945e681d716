"""`dataclass` as in the standard library, for classes that are made in a third of the time.

The standard library generates and compiles up to eight methods for each class. A command needs
some seventy of these classes, and making them took longer than storing the weights of a small model
sparse. Here `__init__` alone is generated; the other methods are the same for all classes.
"""

from __future__ import annotations

import dataclasses
import operator
import reprlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    # To everybody who reads the code it is what it stands for.
    from dataclasses import dataclass

__all__ = ["dataclass"]

_MISSING = dataclasses.MISSING


def _dataclass(
    cls: type[Any] | None = None, *, frozen: bool = False, slots: bool = False, eq: bool = True
) -> Any:
    """Makes a data class; see `dataclasses.dataclass`.

    Args:
        cls: the class; None where options are given first.
        frozen: whether its fields stay what they are.
        slots: whether it has slots for its fields and nothing else.
        eq: whether objects with the same fields are equal.

    Raises:
        TypeError: a field is by keyword only, or is no parameter.
    """
    if cls is None:
        return lambda cls: _dataclass(cls, frozen=frozen, slots=slots, eq=eq)
    made: Any = dataclasses.dataclass(cls, init=False, repr=False, eq=False, slots=slots)
    fields = dataclasses.fields(made)
    if any(field.kw_only or not field.init for field in fields):
        raise TypeError(f"{cls.__qualname__} has fields that only the standard library knows")
    made.__dataclass_params__.frozen = frozen
    made.__dataclass_params__.eq = eq
    made.__init__ = _initializer(made, fields, frozen=frozen, slots=slots)
    made.__repr__ = _repr
    if eq:
        names = [field.name for field in fields if field.compare]
        made.__compared__ = operator.attrgetter(*names) if names else type
        made.__eq__ = _eq
        made.__hash__ = _hash if frozen else None
    if frozen:
        made.__setattr__ = _refuse_to_set
        made.__delattr__ = _refuse_to_delete
    if frozen and slots:
        made.__getstate__ = _state
        made.__setstate__ = _set_state
    return made


def _initializer(
    made: Any, fields: tuple[dataclasses.Field[Any], ...], *, frozen: bool, slots: bool
) -> Callable[..., None]:
    known: dict[str, Any] = {"_missing": _MISSING, "_set": object.__setattr__}
    parameters, lines = ["self"], []
    for field in fields:
        parameter = value = name = field.name
        if field.default_factory is not _MISSING:
            known[f"_make_{name}"] = field.default_factory
            parameter = f"{name}=_missing"
            value = f"_make_{name}() if {name} is _missing else {name}"
        elif field.default is not _MISSING:
            known[f"_default_{name}"] = field.default
            parameter = f"{name}=_default_{name}"
        parameters.append(parameter)
        if not frozen:
            lines.append(f"self.{name} = {value}")
        elif slots:
            # The slot itself lets a frozen object be filled.
            known[f"_set_{name}"] = getattr(made, name).__set__
            lines.append(f"_set_{name}(self, {value})")
        else:
            lines.append(f"_set(self, {name!r}, {value})")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    text = "\n ".join([f"def __init__({', '.join(parameters)}):", *(lines or ["pass"])])
    exec(text, known)  # noqa: S102 - made of the names of fields, as in the standard library
    found: Callable[..., None] = known["__init__"]
    found.__qualname__ = f"{made.__qualname__}.__init__"
    found.__annotations__ = {**{field.name: field.type for field in fields}, "return": None}
    return found


@reprlib.recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = self.__compared__
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    return hash(self.__compared__(self))


def _refuse_to_set(_: Any, name: str, __: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


if not TYPE_CHECKING:
    dataclass = _dataclass
