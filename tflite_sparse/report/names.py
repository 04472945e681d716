"""Long names in little room: converters join the names of all layers that they fuse."""

from __future__ import annotations

import re

from tflite_sparse.flatbuffer.appended import AppendedKind

__all__ = ["APPENDED", "MORE", "SHORT_OPERATORS", "common_prefix", "layer_part", "shorten"]

SHORT_OPERATORS = {
    "DEPTHWISE_CONV_2D": "DEPTHWISE",
    "TRANSPOSE_CONV": "TRANSP_CONV",
    "FULLY_CONNECTED": "FULLY_CONN",
    "EMBEDDING_LOOKUP": "EMBEDDING",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "SEQUENCE_LSTM",
}
"""Kinds of operators whose names are long -> what tables call them."""

APPENDED = {
    AppendedKind.ZIP: "of a zip archive that cannot be listed",
    AppendedKind.BYTE_CODE: "of byte code for an NPU",
    AppendedKind.ZEROS: "of zeros",
    AppendedKind.UNKNOWN: "that belong to no table",
}
"""What follows the size of bytes behind the flatbuffer that are no archive of files."""

_GAP = "…"
_SEPARATOR = ";"

MORE = f"{_SEPARATOR}{_GAP}"
"""What ends a name of which parts were left out."""

# What a converter calls the layer that gives an operator its weights.
_WORDS = {
    "CONV_2D": re.compile(r"(?<!depthwise_)(?<!depthwise)conv(?!.*transpose)", re.IGNORECASE),
    "DEPTHWISE_CONV_2D": re.compile(r"depthwise", re.IGNORECASE),
    "TRANSPOSE_CONV": re.compile(r"transpose", re.IGNORECASE),
    "FULLY_CONNECTED": re.compile(r"dense|matmul|linear|fc", re.IGNORECASE),
}


def shorten(name: str, width: int) -> str:
    """A name in at most `width` characters: the middle goes, both ends stay.

    Args:
        name: the name.
        width: the room for it, at least 1.
    """
    if len(name) <= width:
        return name
    if width <= 1:
        return _GAP[:width]
    # The end tells layers apart more often than the start does.
    tail = (width - 1) * 3 // 5
    head = width - 1 - tail
    return name[:head] + _GAP + (name[-tail:] if tail else "")


def layer_part(name: str, operator: str) -> str:
    """The part of a joined name that tells of the layer with the weights.

    Args:
        name: a name, perhaps of several parts joined by ";".
        operator: name of the operator, such as "CONV_2D".

    Returns:
        One part, with an ellipsis when others were left out.
    """
    parts = [part for part in name.split(_SEPARATOR) if part]
    if len(parts) <= 1:
        return name
    word = _WORDS.get(operator)
    chosen = next((part for part in parts if word and word.search(part)), parts[0])
    return f"{chosen}{MORE}"


def common_prefix(names: list[str]) -> str:
    """The scopes, up to and with a "/", that all names start with; "" for fewer than two names."""
    if len(names) < 2:  # noqa: PLR2004 - a single name has nothing in common
        return ""
    first, last = min(names), max(names)
    length = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    return first[: first.rfind("/", 0, length) + 1]
