"""Names of files and tensors as words of a shell."""

from __future__ import annotations

import shlex

__all__ = ["shell_word"]


def shell_word(text: str) -> str:
    """A word for a shell, never taken for an option.

    Args:
        text: a path or a name; one that begins with "-" is taken for a path.
    """
    return shlex.quote(f"./{text}" if text.startswith("-") else text)
