"""Pairs the operators of two graphs: by their names where these were kept, else by their kinds."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from tflite_sparse.model import Operator

__all__ = ["aligned"]

_EXACT = 1_000_000

_Pair = tuple["Operator | None", "Operator | None"]


def aligned(first: Sequence[Operator], second: Sequence[Operator]) -> Iterator[_Pair]:
    """Pairs of operators, both in their order; None beside one that has no partner.

    Operators of a kind that write a value of the same name are a pair. What lies between two such
    pairs is matched by kind, and all of it where no name was kept.

    Args:
        first: operators of one graph.
        second: those of the other.
    """
    a, b = ([_name(op) for op in ops] for ops in (first, second))
    done = done2 = 0
    matcher = SequenceMatcher(None, a, b, autojunk=len(first) * len(second) > _EXACT)
    for low, low2, size in matcher.get_matching_blocks():
        yield from _by_kind(first[done:low], second[done2:low2])
        done, done2 = low + size, low2 + size
        yield from zip(first[low:done], second[low2:done2], strict=True)


def _name(operator: Operator) -> Hashable:
    """Its kind and what it writes; nothing like it where that has no name."""
    name = operator.outputs[0].name if operator.outputs else ""
    return (_kind(operator), name) if name else operator


def _kind(operator: Operator) -> str:
    return operator.custom_code or operator.name


def _by_kind(first: Sequence[Operator], second: Sequence[Operator]) -> Iterator[_Pair]:
    a, b = ([_kind(op) for op in ops] for ops in (first, second))
    shorter = min(len(a), len(b))
    head = next((i for i in range(shorter) if a[i] != b[i]), shorter)
    tail = next((i for i in range(shorter - head) if a[-1 - i] != b[-1 - i]), shorter - head)
    yield from zip(first[:head], second[:head], strict=True)
    yield from _matched(first[head : len(a) - tail], second[head : len(b) - tail])
    yield from zip(first[len(a) - tail :], second[len(b) - tail :], strict=True)


def _matched(first: Sequence[Operator], second: Sequence[Operator]) -> Iterator[_Pair]:
    # Matching takes the product of both lengths where many are alike; names are seldom alike.
    exact = len(first) * len(second) <= _EXACT
    a, b = ([_kind(op) for op in ops] for ops in (first, second))
    if not exact:
        a, b = ([str(_name(op)) for op in ops] for ops in (first, second))
    matcher = SequenceMatcher(None, a, b, autojunk=not exact)
    for tag, low, high, low2, high2 in matcher.get_opcodes():
        if tag == "equal":
            yield from zip(first[low:high], second[low2:high2], strict=True)
            continue
        yield from ((op, None) for op in first[low:high])
        yield from ((None, op) for op in second[low2:high2])
