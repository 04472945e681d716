"""Shares of zeros and recipes as users ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.cli.output import free_target
from tflite_sparse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.sweeping.options import SweepOptions
    from tflite_sparse.sweeping.result import Sweep

__all__ = ["parse_shares", "written_recipe"]

_STEP = 5.0
_MOST = 100
_HINT = "write 70,80,90, or 50..95, or 60..90:10, in per cent"


def parse_shares(text: str) -> tuple[float, ...]:
    """Shares of zeros: "70,80,90", "0.7,0.8", "50..95", "60..90:10"; a number above 1 is per cent.

    Raises:
        UsageError: they are none.
    """
    shares: list[float] = []
    for part in text.split(","):
        span, _, step = part.partition(":")
        first, dots, last = span.partition("..")
        try:
            # One share alone has no steps.
            low, high = _percent(first), _percent(last if dots or step else first)
            shares += _range(low, high, float(step or _STEP))
        except ValueError:
            raise UsageError(f"{text!r}: no shares of zeros", hint=_HINT) from None
    if len(shares) > _MOST:
        raise UsageError(f"{text!r} are {len(shares)} shares", hint=f"{_MOST} are enough")
    if not all(0 <= share < _MOST for share in shares):
        raise UsageError(f"{text!r}: a share of zeros lies from 0 to below 100 %", hint=_HINT)
    return tuple(round(share / 100, 6) for share in sorted(set(shares)))


def _percent(text: str) -> float:
    number = float(text.strip().removesuffix("%"))
    return 100 * number if 0 < number < 1 and "%" not in text else number


def _range(first: float, last: float, step: float) -> list[float]:
    if not (step > 0 and first <= last and (last - first) / step <= _MOST):
        raise ValueError(step)
    return [first + number * step for number in range(int((last - first) / step + 1e-9) + 1)]


def written_recipe(
    text: str, options: SweepOptions, *, force: bool
) -> tuple[float, Callable[[Sweep], None]]:
    """(a share, what writes its recipe once the sweep is done), of "80=recipe.json".

    Args:
        text: what the user asks for.
        options: of the sweep.
        force: whether a file that is there is overwritten.

    Raises:
        UsageError: it is no share and file, or the share is not looked at.
        FileError: the file is there already.
    """
    asked, equals, path = text.partition("=")
    if not equals or not path:
        raise UsageError(f"{text!r} is no recipe", hint="write 80=recipe.json")
    shares = parse_shares(asked)
    if len(shares) != 1 or shares[0] not in options.shares:
        raise UsageError(
            f"{asked!r} is no share that is looked at", hint=f"add it to --zeros: {asked}"
        )
    free_target(path, force=force)

    def write(swept: Sweep) -> None:
        swept.recipe(shares[0]).write(path, overwrite=force)

    return shares[0], write
