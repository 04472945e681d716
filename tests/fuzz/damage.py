"""Ways to damage a file, as hypothesis strategies of small edits that print well when they fail."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy

__all__ = ["Cut", "Edit", "Splice", "apply", "damages"]

_EDGES = (0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_CODES = {1: "<B", 2: "<H", 4: "<I"}


@dataclass(frozen=True)
class Edit:
    """Writes a number of `width` bytes."""

    place: int
    width: int
    value: int


@dataclass(frozen=True)
class Splice:
    """Copies a run of bytes over another place."""

    source: int
    target: int
    size: int


@dataclass(frozen=True)
class Cut:
    """Cuts the file short."""

    size: int


@st.composite
def _edits(draw: st.DrawFn, size: int) -> Edit:
    width = draw(st.sampled_from((1, 2, 4)))
    place = draw(st.integers(0, (size - width) // width)) * width
    value = draw(st.sampled_from(_EDGES) | st.integers(0, size))
    return Edit(place, width, value & (256**width - 1))


@st.composite
def _splices(draw: st.DrawFn, size: int) -> Splice:
    run = draw(st.integers(1, min(256, size)))
    return Splice(draw(st.integers(0, size - run)), draw(st.integers(0, size - run)), run)


def damages(size: int) -> SearchStrategy[list[Edit | Splice | Cut]]:
    """One to six edits of a file of `size` bytes."""
    cuts = st.integers(0, size - 1).map(Cut)
    return st.lists(
        st.one_of(_edits(size), _edits(size), _splices(size), cuts), min_size=1, max_size=6
    )


def apply(data: bytes, damage: Sequence[Edit | Splice | Cut]) -> bytes:
    """The damaged file."""
    out = bytearray(data)
    for step in damage:
        if isinstance(step, Edit) and step.place + step.width <= len(out):
            struct.pack_into(_CODES[step.width], out, step.place, step.value)
        elif isinstance(step, Splice):
            run = data[step.source : step.source + step.size]
            out[step.target : step.target + step.size] = run
        elif isinstance(step, Cut):
            del out[step.size :]
    return bytes(out)
