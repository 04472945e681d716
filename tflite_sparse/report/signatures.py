"""The signatures of a model of which a run of its main subgraph tells nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["left_out"]

_SHOWN = 3


def left_out(keys: Sequence[str], verb: str) -> str:
    """What was not run, in words; "" where everything was.

    Args:
        keys: keys of the signatures.
        verb: what was done with the main subgraph, such as "timed".
    """
    if not keys:
        return ""
    names = [repr(readable(key)) for key in keys[:_SHOWN]]
    more = len(keys) - len(names)
    if more:
        names.append(f"{more} more")
    noun, was = ("signature", "was") if len(keys) == 1 else ("signatures", "were")
    return f"{noun} {listing(names)} {was} not {verb}: the main subgraph alone was"
