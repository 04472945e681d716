"""Values of options as users write them."""

from __future__ import annotations

import math

import typer

from tflite_sparse.errors import UsageError
from tflite_sparse.words import units

__all__ = ["parse_share", "parse_size"]


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
