"""Spares the program the import of pydantic, by which typer converts the values of options.

That import takes longer than most commands run, and what a user writes is text already: only what
is wanted as a number, or comes from outside a default, needs a conversion.
"""

from __future__ import annotations

import typing
from typing import Any

from typer.core import TyperCommand

__all__ = ["LeanCommand", "spare_coercion"]


class LeanCommand(TyperCommand):
    """A command that converts no more values than it must."""

    def get_params(self, ctx: Any) -> Any:
        """The arguments and options of the command."""
        return spare_coercion(super().get_params(ctx))


def spare_coercion(parameters: Any) -> Any:
    """Lets values pass that are of their type already, and defaults; returns the parameters.

    Args:
        parameters: arguments and options that typer made. Where they do not convert values in the
            way known here, they stay as they are.
    """
    for parameter in parameters:
        convert = getattr(parameter, "get_runtime_param", None)
        if convert is not None and not isinstance(convert, _Spared):
            parameter.get_runtime_param = _Spared(parameter, convert)
    return parameters


class _Spared:
    """Stands in for the conversion of a parameter's values."""

    def __init__(self, parameter: Any, convert: Any) -> None:
        self._convert = convert
        self._default = parameter.default
        descriptor = parameter.type_descriptor
        parsed = descriptor.parameter_info.parser is not None
        self._annotation = None if parsed else descriptor.annotation

    def __call__(self) -> _Spared:
        return self

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value as the command's function takes it."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if self._is_plain(value) or _same(value, self._default):
            return value
        return self._convert().coerce(value, param=param, ctx=ctx)

    def _is_plain(self, value: Any) -> bool:
        if self._annotation is str:
            return type(value) is str
        is_list = typing.get_origin(self._annotation) is list
        if not is_list or typing.get_args(self._annotation) != (str,):
            return False
        return isinstance(value, (list, tuple)) and all(type(item) is str for item in value)


def _same(value: Any, default: Any) -> bool:
    """Whether a value is the default that the program states itself; 1 and 1.0 are not the same."""
    return type(value) is type(default) and bool(value == default)
