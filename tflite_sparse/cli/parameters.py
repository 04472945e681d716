"""Commands that take text as it is.

typer lets pydantic convert every value, and importing that takes longer than most commands run.
What a user writes is text already, so only numbers, choices and the like need converting.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from tflite_sparse.cli.usage.emulation import with_values
from tflite_sparse.cli.usage.verbosity import add_options

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LeanCommand", "LeanGroup"]

_TEXTS = (str, list[str])
_NUMBER = re.compile("<(int|float)( range)?>")
_TYPE = re.compile(" <[^>]*>$")


class LeanCommand(TyperCommand):
    """A command that converts no more values than it must."""

    def __init__(self, name: str | None, **settings: Any) -> None:
        super().__init__(name, **settings)
        self._lean = _LeanParameters(self.callback)
        add_options(self)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Takes the words of the command line; an option may stand without its value."""
        remaining: list[str] = super().parse_args(ctx, with_values(args))
        return remaining

    def get_params(self, ctx: Any) -> Any:
        """The arguments and options of the command."""
        return self._lean.of(super().get_params(ctx))


class LeanGroup(TyperGroup):
    """A group of commands that converts no more values of its own options than it must."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._lean = _LeanParameters(self.callback)

    def get_params(self, ctx: Any) -> Any:
        """The options of the group."""
        return self._lean.of(super().get_params(ctx))


class _LeanParameters:
    """Stands in for the parameters that typer has made of a function."""

    def __init__(self, function: Callable[..., Any] | None) -> None:
        hints = {} if function is None else get_type_hints(function)
        self._texts = {name for name, hint in hints.items() if _is_text(hint)}
        self._lean: dict[Any, Any] = {}

    def of(self, parameters: list[Any]) -> list[Any]:
        """For each parameter always the same one."""
        for parameter in parameters:
            if parameter not in self._lean:
                kind = _LeanOption if isinstance(parameter, TyperOption) else _LeanArgument
                self._lean[parameter] = kind(parameter, is_text=parameter.name in self._texts)
        return [self._lean[parameter] for parameter in parameters]


def _is_text(hint: Any) -> bool:
    """Whether an annotation is str or list[str], or one of these or None."""
    return hint in _TEXTS or (type(None) in get_args(hint) and get_args(hint)[0] in _TEXTS)


class _Lean:
    """A parameter that is as typer made it, but for how its value is processed."""

    def __init__(self, parameter: Any, *, is_text: bool) -> None:
        vars(self).update(vars(parameter))
        self._is_text = is_text

    def process_value(self, ctx: Any, value: Any) -> Any:
        """The value as the command's function takes it."""
        parent: Any = super()
        parameter: Any = self
        is_text = self._is_text and _holds_text(value)
        if not is_text and (parameter.required or not _same(value, parameter.default)):
            return parent.process_value(ctx, value)
        if value is None and (parameter.multiple or parameter.nargs == -1):
            value = ()
        return value if parameter.callback is None else parameter.callback(ctx, self, value)


class _LeanOption(_Lean, TyperOption):
    def get_help_record(self, ctx: Any) -> tuple[str, str] | None:
        """The option, and what it does: numbers are N and X, not types of Python."""
        record = super().get_help_record(ctx)
        return record and (_NUMBER.sub(_letter, record[0]), record[1])


class _LeanArgument(_Lean, TyperArgument):
    def get_help_record(self, ctx: Any) -> tuple[str, str] | None:
        """The argument without its type in Python, and what it is."""
        record = super().get_help_record(ctx)
        return record and (_TYPE.sub("", record[0]), record[1])

    def get_usage_pieces(self, ctx: Any) -> list[str]:
        """The argument as manuals write it: MODEL, and MODEL... for several."""
        return [piece.strip("{}").replace("}...", "...") for piece in super().get_usage_pieces(ctx)]


def _letter(found: re.Match[str]) -> str:
    return "N" if found[1] == "int" else "X"


def _holds_text(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(item, str) for item in value)
    )


def _same(value: object, default: object) -> bool:
    """Whether a value is the default that the program states itself; 1 and 1.0 are not the same."""
    return type(value) is type(default) and value == default
