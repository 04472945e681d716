"""What the command line says in place of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from tflite_sparse.errors import UsageError
from tflite_sparse.lint.config.tables import Budgets, FileKeys
from tflite_sparse.lint.config.values import (
    RulePattern,
    RuntimeName,
    Share,
    Size,
    TargetName,
    decode_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["keys_of_arguments"]


def keys_of_arguments(
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    targets: Sequence[str] = (),
    runtimes: Sequence[str] = (),
    budgets: Sequence[str] = (),
    input_shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> FileKeys:
    """The keys that arguments stand for; what is not given stays as the configuration has it.

    Args:
        select: patterns of rules to check, several of them separated by commas.
        ignore: patterns of rules to leave out.
        targets: names of targets.
        runtimes: names of releases of the runtime.
        budgets: limits such as "max-size=4MiB".
        input_shapes: shapes by the names of inputs.

    Raises:
        UsageError: there is no such target, release or budget, or a limit cannot be read.
    """
    return FileKeys(
        select=_patterns(select) if select else UNSET,
        ignore=_patterns(ignore) if ignore else UNSET,
        targets=_targets(targets) if targets else UNSET,
        runtimes=_runtimes(runtimes) if runtimes else UNSET,
        budgets=_budgets(budgets) if budgets else UNSET,
        input_shapes=dict(input_shapes) if input_shapes else UNSET,
    )


def _patterns(items: Iterable[str]) -> tuple[RulePattern, ...]:
    return tuple(RulePattern(part) for item in items for part in item.split(","))


def _targets(names: Iterable[str]) -> tuple[TargetName, ...]:
    return tuple(TargetName.parse(name) for name in dict.fromkeys(names))


def _runtimes(names: Iterable[str]) -> tuple[RuntimeName, ...]:
    return tuple(RuntimeName.parse(name) for name in dict.fromkeys(names))


def _budgets(items: Iterable[str]) -> Budgets:
    limits: dict[str, float] = {}
    for item in items:
        name, _, limit = item.partition("=")
        if name not in Budgets.names() or not limit:
            raise UsageError(f"{item!r} is no budget", hint="known: " + ", ".join(Budgets.names()))
        kind = Size if name.endswith("size") else Share
        limits[name] = kind.parse(limit)
    return msgspec.convert(limits, Budgets, dec_hook=decode_value)
