"""Values of options as users write them."""

from __future__ import annotations

import re

import typer

__all__ = ["parse_share", "parse_size"]

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def parse_size(text: str | float) -> int:
    """A number of bytes: "4096", "64K", "1.5 MiB".

    Raises:
        typer.BadParameter: it is none.
    """
    found = _SIZE.fullmatch(str(text).strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no size; write bytes, or 64K, 1.5M")
    return int(float(found[1]) * _UNITS[found[2].lower()])


def parse_share(text: str | float) -> float:
    """A share from 0 to 1: "0.7", "70%".

    Raises:
        typer.BadParameter: it is none.
    """
    cleaned = str(text).strip()
    try:
        value = float(cleaned.rstrip("% ")) / (100 if cleaned.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"{text!r} is no share; write 0.7 or 70%")
    return value
