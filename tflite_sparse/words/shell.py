"""Names of files and tensors as words of a shell."""

from __future__ import annotations

import shlex
from pathlib import PurePath

from tflite_sparse.words.names import readable

__all__ = ["file_word", "shell_word"]


def shell_word(text: str) -> str:
    """A word for a shell, never taken for an option.

    Args:
        text: a path or a name; one that begins with "-" is taken for a path.
    """
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def file_word(path: str, suffix: str = "") -> str:
    """The path of a model, or the name of what is made of it in the folder at hand, for a shell.

    Args:
        path: the path.
        suffix: what the name of the other file ends with; "" for the model itself.
    """
    return shell_word(readable(f"{PurePath(path).stem}_{suffix}.tflite" if suffix else path))
