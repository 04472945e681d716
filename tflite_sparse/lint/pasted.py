"""The command that fixes a finding, ready to paste into a shell."""

from __future__ import annotations

import glob
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from tflite_sparse.files.remote import is_remote
from tflite_sparse.words.shell import shell_word

if TYPE_CHECKING:
    from tflite_sparse.lint.finding import Spot

__all__ = ["pasted"]

_WORD = re.compile(r"-o OUT\b|\b(?:(\w+)_)?MODEL\b|\bTENSOR\b")


def pasted(template: str, path: str, spot: Spot | None) -> str:
    """A rule's command for one finding: with the file that it is in, which it replaces.

    Args:
        template: the command, with MODEL for the file, `-o OUT` for where the result goes, such as
            INT8_MODEL for a file beside it, and TENSOR for the tensor at the place.
        path: the file, as the user named it.
        spot: the place.
    """

    def word(match: re.Match[str]) -> str:
        found = match[0]
        if found == "-o OUT":
            # Nothing is written to an address.
            return f"-o {shell_word(PurePath(path).name)}" if is_remote(path) else "--in-place"
        if found == "TENSOR":
            # Options that choose weights take patterns.
            return shell_word(glob.escape(spot.tensor)) if spot and spot.tensor else found
        return shell_word(_beside(path, match[1].lower()) if match[1] else path)

    return _WORD.sub(word, template)


def _beside(path: str, suffix: str) -> str:
    file = PurePath(path)
    name = f"{file.stem}_{suffix}.tflite"
    return name if is_remote(path) else str(file.with_name(name))
