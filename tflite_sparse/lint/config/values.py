"""Values of the configuration that are more than the text or number which stands for them.

Each class reads what was written; a `ValueError` says what is wrong, in terms of the value alone.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from tflite_sparse.errors import UsageError
from tflite_sparse.lint.finding import Severity
from tflite_sparse.lint.rule import matching
from tflite_sparse.words.units import parse_share, parse_size
from tflite_sparse.xnnpack.releases.runtimes import runtime
from tflite_sparse.xnnpack.releases.targets import target

__all__ = [
    "RulePattern",
    "RulePatterns",
    "RuntimeName",
    "RuntimeNames",
    "Severities",
    "Severity",
    "SeverityTable",
    "Share",
    "ShareValue",
    "Size",
    "SizeValue",
    "TargetName",
    "TargetNames",
    "decode_value",
]


class Size(float):
    """A number of bytes."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Size:
        """Reads 4096 or "4 MiB"."""
        return cls(parse_size(value))


class Share(float):
    """A part of a whole, from 0 upwards."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Share:
        """Reads 0.7 or "70%"."""
        return cls(parse_share(value))


class RulePattern(str):
    """A code, a name or a prefix of rules, or "ALL"."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> RulePattern:
        """Reads a pattern that chooses at least one rule."""
        matching([_text(value)])
        return cls(value)


class TargetName(str):
    """The name of a target."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> TargetName:
        """Reads the name of a target that there is."""
        return cls(target(_text(value)).name)


class RuntimeName(str):
    """The name of a release of the runtime."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> RuntimeName:
        """Reads the name of a release that is modelled."""
        return cls(runtime(_text(value)).slug)


class Severities(dict[str, Severity]):
    """Severities by code."""

    @classmethod
    def parse(cls, value: Any) -> Severities:
        """Reads a table of severities by patterns; the last one that chooses a rule counts."""
        if not isinstance(value, dict):
            raise UsageError("must be a table")
        by_name = {severity.label: severity for severity in sorted(Severity)}
        severities = cls()
        for pattern, name in value.items():
            if not isinstance(name, str) or name not in by_name:
                raise UsageError(f"{pattern!r} must be one of {', '.join(by_name)}")
            severities.update(dict.fromkeys(matching([pattern]), by_name[name]))
        return severities


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError("must be a string")
    return value


def decode_value(kind: type[Any], value: Any) -> Any:
    """Reads a value of one of the classes above, for `msgspec.convert`.

    Raises:
        ValueError: it cannot be read; a `UsageError` that says why is its cause.
    """
    try:
        return kind.parse(value)
    except UsageError as error:
        raise ValueError(error.message) from error


# As they stand in the JSON Schema of the configuration.
_NAMES = {"type": "array", "items": {"type": "string"}}
SizeValue = Annotated[
    Size, Meta(extra_json_schema={"type": ["number", "string"], "examples": [4096, "4 MiB"]})
]
ShareValue = Annotated[
    Share, Meta(extra_json_schema={"type": ["number", "string"], "examples": [0.7, "70%"]})
]
RulePatterns = tuple[Annotated[RulePattern, Meta(extra_json_schema={"type": "string"})], ...]
RuntimeNames = tuple[Annotated[RuntimeName, Meta(extra_json_schema={"type": "string"})], ...]
TargetNames = tuple[Annotated[TargetName, Meta(extra_json_schema={"type": "string"})], ...]
SeverityTable = Annotated[
    Severities,
    Meta(
        extra_json_schema={
            "type": "object",
            "additionalProperties": {"enum": [severity.label for severity in Severity]},
        }
    ),
]
