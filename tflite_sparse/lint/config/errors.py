"""What is wrong with a configuration: the key, where it stands, and what would be right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tflite_sparse.errors import Place, UsageError
from tflite_sparse.lint.config.tables import Budgets, ConfigFile, MatchedFiles
from tflite_sparse.lint.finding import Severity

if TYPE_CHECKING:
    import msgspec

__all__ = ["explained"]

_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<key>.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_TYPE = re.compile(r"Expected `(\w+)`, got .*")
_KINDS = {"object": "a table", "array": "a list of strings", "str": "a string"}


def explained(error: msgspec.ValidationError, file: str) -> UsageError:
    """An error of msgspec in the terms of the configuration.

    Args:
        error: the error; the `UsageError` of a value is its cause.
        file: the configuration.
    """
    # The pattern matches every text: what msgspec may say tomorrow is passed on as it is.
    what, key = _MESSAGE.fullmatch(str(error)).groups("")  # type: ignore[union-attr]
    hint = error.__cause__.__cause__ if error.__cause__ else None
    message, advice = _message(what, key)
    if isinstance(hint, UsageError):
        advice = hint.hint
    return UsageError(message, place=Place(file=file), hint=advice)


def _message(what: str, key: str) -> tuple[str, str | None]:
    """What is wrong at a key, and what is possible there."""
    subject = repr(key) if key else "the configuration"
    if match := _UNKNOWN.fullmatch(what):
        if key.endswith("budgets"):
            return f"unknown budget {match[1]!r}", "known: " + ", ".join(Budgets.names())
        name = f"{key}.{match[1]}" if key else match[1]
        names = (MatchedFiles if key else ConfigFile).names()
        return f"unknown key {name!r}", "known: " + ", ".join(sorted(names))
    if match := _MISSING.fullmatch(what):
        return f"{key} needs {match[1]!r}, the files that it is about", None
    if what.startswith("Invalid enum value"):
        labels = ", ".join(severity.label for severity in sorted(Severity))
        return f"{subject} must be one of {labels}", None
    if match := _TYPE.fullmatch(what):
        kind = "an array of tables" if key == "files" else _KINDS.get(match[1], match[1])
        return f"{subject} must be {kind}", None
    return f"{subject}{' ' if what.startswith('must be ') else ': '}{what}", None
