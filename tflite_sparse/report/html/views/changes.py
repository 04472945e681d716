"""What changed from one model to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.names import labels, layer_part
from tflite_sparse.words.numbers import kib, percent, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.comparison.diff_types import BlobDiff, ModelDiff, Side, WeightDiff

__all__ = ["ChangedConstant", "ChangesView", "changes_view"]

_MOST_WEIGHTS = 40
_MOST_WORDS = 20
_ROOM = 36  # characters for a name


class ChangedConstant(msgspec.Struct, frozen=True):
    """A constant that both models have, or one of them.

    Attributes:
        name: its name, in the room that there is.
        whole: the whole name.
        operator: what reads it.
        values: how its values differ.
        zeros: its share of zeros, before and after where they differ.
        before: its KiB before; "-" where it was not there.
        after: its KiB after.
        storage: how it is stored, before and after where they differ.
    """

    name: str
    whole: str
    operator: str
    values: str
    zeros: str
    before: str
    after: str
    storage: str


class ChangesView(msgspec.Struct, frozen=True):
    """What changed.

    Attributes:
        number: position of the second model on the page.
        names: what to call the two models.
        equal: whether they mean the same.
        adapted: whether the second looks like the first with its graph adapted.
        rounded: whether it looks like the first with its weights in fewer bits.
        sizes: what became of the size of the file.
        words: the changes in words.
        caption: of the table of constants.
        constants: the constants that differ; none leave the table out.
    """

    number: int
    names: tuple[str, str]
    equal: bool
    adapted: bool
    rounded: bool
    sizes: str
    words: tuple[str, ...]
    caption: str
    constants: tuple[ChangedConstant, ...]


def changes_view(diff: ModelDiff, titles: tuple[str, str], number: int) -> ChangesView:
    """What changed from one model to another.

    Args:
        diff: what differs.
        titles: what to call the two.
        number: position of the second on the page.
    """
    words = _words(diff)
    if len(words) > _MOST_WORDS:
        words[_MOST_WORDS:] = [f"and {len(words) - _MOST_WORDS} more differences"]
    changed = sorted(diff.weights, key=lambda weight: (weight.equal, -_bytes(weight)))
    shown = changed[:_MOST_WEIGHTS]
    prefix, names = labels([layer_part(_name(w), w.operator) for w in shown], _ROOM)
    caption = f"{len(changed)} constants that differ in storage or values"
    if len(shown) < len(changed):
        caption += f", the {len(shown)} largest shown"
    if prefix:
        caption += f"; names under {prefix}"
    return ChangesView(
        number,
        titles,
        diff.equal,
        diff.adapted,
        diff.rounded,
        _sizes(diff),
        tuple(words),
        caption,
        tuple(_constant(weight, name) for weight, (name,) in zip(shown, names, strict=True)),
    )


def _sizes(diff: ModelDiff) -> str:
    before, after = diff.size_before, diff.size_after
    change = f" ({100 * (after - before) / before:+.1f} %)" if before else ""
    return f"{size(before)}, then {size(after)}{change}"


def _words(diff: ModelDiff) -> list[str]:
    words = []
    if diff.tensors_before != diff.tensors_after:
        words.append(f"tensors: {diff.tensors_before}, then {diff.tensors_after}")
    words += [
        f"{kind.name} version {kind.version}: {kind.before}, then {kind.after}"
        for kind in diff.operators
    ]
    words += [*diff.graph, *diff.signatures, *(_blob(blob) for blob in diff.metadata)]
    if not diff.appended_equal:
        words.append("other bytes behind the model")
    words.append(f"constants with the same values and storage: {diff.same_weights}")
    return words


def _blob(blob: BlobDiff) -> str:
    if blob.before is None:
        return f"metadata {blob.name} is new"
    return f"metadata {blob.name} {'is gone' if blob.after is None else 'has other bytes'}"


def _constant(weight: WeightDiff, name: str) -> ChangedConstant:
    def both(words: Callable[[Side], str]) -> str:
        sides = [words(side) for side in (weight.before, weight.after) if side is not None]
        return sides[0] if len(set(sides)) == 1 else ", then ".join(sides)

    return ChangedConstant(
        name=name,
        whole=_name(weight),
        operator=weight.operator,
        values=_values(weight),
        zeros=both(_zero_share),
        before=_kib(weight.before),
        after=_kib(weight.after),
        storage=both(lambda side: side.storage),
    )


def _values(weight: WeightDiff) -> str:
    if weight.before is None or weight.after is None:
        return "new" if weight.before is None else "gone"
    if weight.equal:
        return "equal"
    if weight.differing is None:
        return "another shape or type"
    largest = "" if weight.largest is None else f", by up to {weight.largest:.3g}"
    return f"{weight.differing:,} differ{largest}"


def _zero_share(side: Side) -> str:
    return "?" if side.zeros is None else percent(side.zeros, side.elements)


def _kib(side: Side | None) -> str:
    return "-" if side is None else kib(side.bytes)


def _bytes(weight: WeightDiff) -> int:
    return max(side.bytes for side in (weight.before, weight.after) if side is not None)


def _name(weight: WeightDiff) -> str:
    side = weight.before or weight.after
    return "" if side is None else side.name
