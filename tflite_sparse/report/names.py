"""Long names in little room: converters join the names of all layers that they fuse."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tflite_sparse.flatbuffer.appended import AppendedKind
from tflite_sparse.words.names import layer_path, readable, without_modules
from tflite_sparse.words.numbers import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "APPENDED",
    "MORE",
    "SHORT_OPERATORS",
    "Apart",
    "common_prefix",
    "constant_words",
    "labels",
    "layer_part",
    "shorten",
]

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
_ALL_BUT = 5
# What parts of a name stand between, the larger parts first.
_BETWEEN = (re.compile("(/)"), re.compile("([/_])"))

# What adapting puts behind a joined name, and before it the number that keeps two of them apart.
_ADDED = re.compile(r";\d*(/[^;]+)$")
_LETTERS = re.compile(r"[^\W\d_]+")
_LONGEST_WORD = 8

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
        One part, with an ellipsis when others were left out, and with what adapting added.
    """
    added = _ADDED.search(name)
    if added:
        return layer_part(name[: added.start()], operator).removesuffix(MORE) + added[1]
    parts = [part for part in name.split(_SEPARATOR) if part]
    if len(parts) <= 1:
        return "".join(parts)
    word = _WORDS.get(operator)
    chosen = next((part for part in parts if word and word.search(part)), parts[0])
    return f"{chosen}{MORE}"


def common_prefix(names: Sequence[str]) -> str:
    """The scopes, up to and with a "/", that names start with: all of them but one in five.

    The few others are those of inputs and outputs, and of tensors that a rewrite added.

    Args:
        names: the names; those without a "/" count too.

    Returns:
        The scopes; "" for fewer than two names.
    """
    prefix = ""
    if len(names) < 2:  # noqa: PLR2004 - a single name has nothing in common
        return prefix
    while True:
        heads = Counter(
            name[: name.index("/", len(prefix)) + 1]
            for name in names
            if name.startswith(prefix) and "/" in name[len(prefix) :]
        )
        scope, count = heads.most_common(1)[0] if heads else ("", 0)
        if count * _ALL_BUT < len(names) * (_ALL_BUT - 1):
            return prefix
        prefix = scope


def labels(names: Sequence[str], *widths: int) -> tuple[str, list[tuple[str, ...]]]:
    """Names of one model in each of some widths, without what nearly all of them start with.

    Args:
        names: the names, such as `layer_part` makes them.
        widths: the room for a name in characters, each at least 1.

    Returns:
        The scopes that were left out, "" for none; and the names, each as short as the widths ask.
    """
    # The few names without a scope are those that the exporter gave to inputs and outputs.
    prefix = common_prefix([name for name in names if "/" in name])
    bare = [name.removeprefix(prefix).removesuffix(MORE) or name for name in names]
    apart = Apart(bare)
    return prefix, [tuple(apart.short(name, width) for width in widths) for name in bare]


class Apart:
    """Names of one model in little room: what they share goes first, what tells them apart stays.

    Names of layers in PyTorch lose the modules of their classes, then the classes.

    Args:
        names: all names of the model that are shown together.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(dict.fromkeys(names))
        self._plain = {name: without_modules(name) for name in self._names}
        self._paths = {name: layer_path(name) for name in self._names}
        self._counts = Counter(
            part
            for name in self._paths.values()
            for between in _BETWEEN
            for part in {*between.split(name)[::2]}
        )
        self._short: dict[int, dict[str, str]] = {}

    def short(self, name: str, width: int) -> str:
        """A name in at most `width` characters.

        Args:
            name: one of the names.
            width: the room for it, at least 1.
        """
        if len(name) <= width:
            return name
        if width not in self._short:
            self._short[width] = self._shortened(width)
        return self._short[width].get(name) or shorten(name, width)

    def _shortened(self, width: int) -> dict[str, str]:
        # Whole scopes go first; where what is left is the same, parts of them, then letters.
        ways: tuple[Callable[[str], str], ...] = (
            lambda name: name if len(name) <= width else self._plain[name],
            lambda name: self._paths[name],
            lambda name: self._without_common(self._paths[name], width, _BETWEEN),
            lambda name: self._without_common(self._paths[name], width, _BETWEEN[1:]),
            lambda name: shorten(self._paths[name], width),
            lambda name: _abbreviated(self._paths[name], width),
        )
        shorts: dict[str, str] = {}
        left = [*self._names]
        for way in ways:
            tried = {name: way(name) for name in left}
            alike = Counter([*shorts.values(), *tried.values()])
            shorts |= {
                name: short
                for name, short in tried.items()
                if len(short) <= width and alike[short] == 1 and short != _GAP
            }
            left = [name for name in left if name not in shorts]
        # Where the parts that are left are the same, the ends of the names may not be.
        return shorts | {name: shorten(name, width) for name in left}

    def _without_common(self, name: str, width: int, ways: Sequence[re.Pattern[str]]) -> str:
        for between in ways:
            # Parts and what stands between them, in turn.
            pieces = between.split(name)
            while len("".join(pieces)) > width:
                common = [i for i, p in enumerate(pieces) if not i % 2 and self._counts[p] > 1]
                if not common:
                    break
                # Numbers go last: they tell one block from another.
                most = max(common, key=lambda i: self._of_use(pieces[i]))
                pieces[most] = _GAP
                for i in (most, most - 2):
                    if pieces[max(i, 0) : i + 3 : 2] == [_GAP, _GAP]:
                        del pieces[i : i + 2]
            name = "".join(pieces)
        return shorten(name, width)

    def _of_use(self, part: str) -> tuple[bool, int, int]:
        """By what parts are compared; the largest is left out first."""
        return not part.isdigit(), self._counts[part], len(part)


def _abbreviated(name: str, width: int) -> str:
    """A name with all its numbers, of each word the first letters; a sentence stays one."""
    if " " in name:
        return shorten(name, width)
    for most in range(_LONGEST_WORD, 0, -1):
        short = _LETTERS.sub(lambda word, most=most: word[0][:most], name)  # type: ignore[misc]
        if len(short) <= width:
            return short
    return shorten(name, width)


def constant_words(names: Sequence[str]) -> str:
    """What outputs that are the same for every input say of two models, in a sentence.

    Args:
        names: the outputs; none are no sentence.
    """
    if not names:
        return ""
    shown = listing([repr(readable(name)) for name in names])
    what = f"output {shown} is" if len(names) == 1 else f"outputs {shown} are"
    agree = "it agrees" if len(names) == 1 else "they agree"
    return f"{what} the same for every input: that {agree} proves nothing"
