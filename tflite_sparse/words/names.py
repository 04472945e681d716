"""Names from a file, made fit to be shown: a file may call a tensor anything."""

from __future__ import annotations

__all__ = ["readable"]


def readable(name: str) -> str:
    r"""A name as text that is safe to print and to put into JSON.

    Bytes that are not UTF-8, and control characters, which could command a terminal, show as
    escapes such as "\x1b".
    """
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else _escaped(c) for c in name)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - surrogateescape keeps a byte so
        code -= 0xDC00
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - one byte
