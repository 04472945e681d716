"""A comparison of two models as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.names import common_prefix
from tflite_sparse.report.text.headings import Lines, heading, labelled
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import count_of, kib, percent, shape, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.comparison.diff_types import BlobDiff, ModelDiff, Side, WeightDiff

__all__ = ["diff_lines"]

_ADAPTED = (
    "inputs, outputs and weights are the same, operators are not, as adapting makes it; whether"
    " the numbers agree, tflite-sparse verify tells"
)
_REORDERED = (
    "graph, inputs and outputs are the same, and so are the values of each constant but for their"
    " order, as adapting puts channels in another one; whether the numbers agree, tflite-sparse"
    " verify tells"
)
_ROUNDED = (
    "most weights of one are in the other, in numbers of fewer bits; how far the outputs lie apart,"
    " tflite-sparse verify tells"
)
_MOST_WORDS = 12


def diff_lines(diff: ModelDiff, width: int, *, top: int = 20) -> Lines:
    """The lines of a comparison.

    Args:
        diff: what differs.
        width: the room for a line in characters.
        top: how many weights to show; 0 for all.
    """
    from rich.text import Text

    lines = _verdict(diff, width)
    lines += labelled("Size", [f"{size(diff.size_before)} and {size(diff.size_after)}"], width)
    if diff.tensors_before != diff.tensors_after:
        lines += labelled("Tensors", [f"{diff.tensors_before} and {diff.tensors_after}"], width)
    kinds = [f"{k.name} v{k.version} {k.before} and {k.after}" for k in diff.operators]
    lines += labelled("Operators", kinds, width, _MOST_WORDS) if kinds else []
    lines += labelled("Graph", diff.graph, width, _MOST_WORDS) if diff.graph else []
    lines += labelled("Signatures", diff.signatures, width) if diff.signatures else []
    if diff.metadata:
        lines += labelled("Metadata", [_blob(blob) for blob in diff.metadata], width)
    if not diff.appended_equal:
        lines += labelled("Appended", ["other bytes behind the model"], width)
    same = [f"{count_of(diff.same_weights, 'constant')} the same in values and storage"]
    lines += labelled("Constants", same, width)
    if diff.weights:
        lines += [Text(), *_weights(diff, width, top)]
    return lines


def _verdict(diff: ModelDiff, width: int) -> Lines:
    """What the second is to the first, and what makes it look so."""
    verdict, label, why = "equal in meaning" if diff.equal else "different", "Alike", ""
    if diff.adapted:
        verdict = f"{'another graph of' if diff.graph else 'another order of'} the same weights"
        why = _ADAPTED if diff.graph else _REORDERED
    elif diff.rounded:
        verdict, why = "the same weights, rounded", _ROUNDED
    elif diff.zeroed:
        verdict = f"{'another' if diff.graph else 'the same'} graph, pruned"
        label = "Pruned"
        why = f"{count_of(diff.zeroed, 'value')} of weights became zero, as pruning makes it"
    lines: Lines = [heading(f"{diff.before} and {diff.after}", verdict, width)]
    return lines + (labelled(label, [why], width) if why else [])


def _blob(blob: BlobDiff) -> str:
    if blob.before is None:
        return f"{blob.name} is new"
    if blob.after is None:
        return f"{blob.name} is gone"
    return f"{blob.name} has other bytes"


def _weights(diff: ModelDiff, width: int, top: int) -> Lines:
    changed = sorted(diff.weights, key=lambda w: (w.equal, -_bytes(w)))
    shown = changed[:top] if top else changed
    names = [_name(weight) for weight in shown]
    prefix = common_prefix(names)
    differing = sum(not weight.equal for weight in changed)
    title = f"{count_of(len(changed), 'constant')} stored otherwise"
    if differing:
        title = f"{count_of(len(changed), 'constant')} not the same, {differing} in values"
    if len(shown) < len(changed):
        title += f", {len(shown)} shown"
    columns = [
        Column("operator"),
        Column("constant", gives_way=True),
        Column("shape", right=True),
        Column("zeros", right=True),
        Column("KiB", right=True),
        Column("and", right=True),
        Column("differ", right=True, style="bold"),
        Column("up to", right=True),
    ]
    rows = [
        [
            weight.operator,
            name.removeprefix(prefix),
            _both(weight, lambda side: shape(side.shape)),
            _both(weight, _zeros),
            "-" if weight.before is None else kib(weight.before.bytes),
            "-" if weight.after is None else kib(weight.after.bytes),
            _differing(weight),
            "" if weight.largest is None else f"{weight.largest:.3g}",
        ]
        for weight, name in zip(shown, names, strict=True)
    ]
    note = f"under {prefix}" if prefix else ""
    return [heading(title, note, width, path=False), *table(columns, rows, width)]


def _bytes(weight: WeightDiff) -> int:
    return max(side.bytes for side in (weight.before, weight.after) if side is not None)


def _name(weight: WeightDiff) -> str:
    side = weight.before or weight.after
    return "" if side is None else side.name


def _both(weight: WeightDiff, words: Callable[[Side], str]) -> str:
    sides = [words(side) for side in (weight.before, weight.after) if side is not None]
    return sides[0] if len(set(sides)) == 1 else " and ".join(sides)


def _zeros(side: Side) -> str:
    return "?" if side.zeros is None else percent(side.zeros, side.elements)


def _differing(weight: WeightDiff) -> str:
    if weight.before is None:
        return "new"
    if weight.after is None:
        return "gone"
    if weight.equal:
        return "equal"
    if weight.differing is None:
        return "in kind"
    return f"{weight.differing:,}"
