"""Values of options as users write them."""

from __future__ import annotations

import math

import typer

from tflite_sparse.errors import UsageError
from tflite_sparse.words import units

__all__ = ["parse_block", "parse_input_shapes", "parse_saving", "parse_share", "parse_size"]


def parse_size(text: str | float) -> int:
    """A number of bytes: "4096", "64K", "1.5 MiB".

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        size = units.parse_size(text)
    except UsageError:
        size = math.inf
    if math.isinf(size):
        raise typer.BadParameter(f"{text!r} is no size; write bytes, or 64K, 1.5M")
    return int(size)


def parse_input_shapes(texts: list[str] | None) -> dict[str, tuple[int, ...]]:
    """Shapes of inputs by name: "image=1,224,224,3", or "1x224x224x3" for the only one.

    Raises:
        UsageError: one is no shape, or an input has two.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for text in texts or ():
        name, _, sizes = text.rpartition("=")
        parts = sizes.replace("x", ",").split(",")
        if not all(part.strip().isdecimal() and int(part) for part in parts):
            raise UsageError(
                f"{text!r} is no shape of an input", hint="write 1,224,224,3 or name=1,224,224,3"
            )
        if name in shapes:
            raise UsageError(
                f"input {name!r} has two shapes" if name else "the only input has two shapes",
                hint="name the input in front of each: name=1,224,224,3",
            )
        shapes[name] = tuple(int(part) for part in parts)
    return shapes


def parse_share(text: str | float) -> float:
    """A share from 0 to 1: "0.7", "70%".

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        share = units.parse_share(text)
    except UsageError:
        share = math.inf
    if share > 1:
        raise typer.BadParameter(f"{text!r} is no share; write 0.7 or 70%")
    return share


def parse_block(text: str) -> tuple[int, ...] | None:
    """A block as a user writes it: "none" is (), "auto" is None, "4x1" is (4, 1).

    Raises:
        UsageError: it is none of these.
    """
    if text == "auto":
        return None
    if text == "none":
        return ()
    parts = text.lower().split("x")
    if len(parts) < 2 or not all(part.isdecimal() and int(part) for part in parts):  # noqa: PLR2004 - AxB
        raise UsageError(f"{text!r} is no block", hint="write none, auto, or sizes such as 4x1")
    return tuple(int(part) for part in parts)


def parse_saving(text: str) -> tuple[int, float]:
    """A smallest saving as (bytes, share): "4096" and "4K" are bytes, "10%" is a share."""
    if text.strip().endswith("%"):
        return 1, parse_share(text)
    return max(1, parse_size(text)), 0.0
