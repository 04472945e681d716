"""Builds HTML in which whatever a model says stays text: all is escaped but markup itself."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Markup", "el", "join", "svg_number"]

_VOID = frozenset({"input", "meta"})
_DRAWN = frozenset({"rect", "path", "use"})


class Markup(str):
    """Text that is HTML already; any other text is escaped where it is put into HTML."""

    __slots__ = ()


def el(tag: str, *children: str | Iterable[str] | None, **attributes: object) -> Markup:
    """An element.

    Args:
        tag: its name.
        children: what it holds: text, which is escaped, or markup; None for nothing.
        attributes: by name, with "_" for "-", and a last "_" for names that Python has taken;
            True is an attribute without a value, False and None are left out.
    """
    written = "".join(
        f" {_name(name)}" if value is True else f' {_name(name)}="{html.escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _DRAWN and not children:
        return Markup(f"<{tag}{written}/>")
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{join(*children)}</{tag}>")


def join(*parts: str | Iterable[str] | None) -> Markup:
    """Parts one after the other."""
    return Markup("".join(_piece(part) for part in parts if part is not None))


def svg_number(value: float) -> str:
    """A number of a picture in as few characters as do."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _piece(part: str | Iterable[str]) -> str:
    if isinstance(part, Markup):
        return part
    if isinstance(part, str):
        return html.escape(part)
    return "".join(_piece(item) for item in part)


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")
