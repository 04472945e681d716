"""Names from a file, made fit to be shown: a file may call a tensor anything."""

from __future__ import annotations

import re

__all__ = ["layer_path", "readable", "without_modules"]

# Where PyTorch has the class of a layer: "torch.nn.modules.conv.Conv2d_project"; without the class
# it is called as in a state_dict: "project".
_MODULES = re.compile(r"(?<![^/;])(?:\w+\.)+(?=_?[A-Z])")
_CLASSES = re.compile(r"(?<![^/;])(?:\w+\.)+_?[A-Z][^\W_]*_(?=\w)")


def without_modules(name: str) -> str:
    """A name without the modules of PyTorch's classes: "Sequential_0/Conv2d_project"."""
    return _MODULES.sub("", name)


def layer_path(name: str) -> str:
    """What a layer is called in a state_dict of PyTorch, with "/": "0/project".

    Args:
        name: a name; one that is not of PyTorch stays as it is.
    """
    return without_modules(_CLASSES.sub("", name))


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
