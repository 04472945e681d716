"""What adapting a model did, as text: what comes of it, each change with its cost, what is left."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tflite_sparse.report.names import SHORT_OPERATORS
from tflite_sparse.report.text.headings import Lines, heading, labelled, linked, sentence
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.report.verdict import fewer_words
from tflite_sparse.words.numbers import count_of, millions, rounded_percent, size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.rewrite.adapt.adaptation import Adaptation, Outlook, Step
    from tflite_sparse.xnnpack.cost.instructions import InstructionEstimate

__all__ = ["adaptation_lines"]

_NEAREST = 6
_COUNTED = (
    "1x1 sparse: how many 1x1 convolutions skip zeros, before and after; of the work: their share"
    " of all multiplications"
)


def adaptation_lines(adaptation: Adaptation, width: int, top: int) -> Lines:
    """The lines of an adaptation.

    Args:
        adaptation: what was done.
        width: the room for a line in characters.
        top: how many changes to show; 0 for all.
    """
    from rich.text import Text

    lines: Lines = []
    if not adaptation.done:
        lines += labelled("Not adapted", [adaptation.reason], width)
    if adaptation.done:
        title = "Once its weights are stored sparse"
        lines += [Text(), heading(title, "", width, path=False)]
        lines += _outlook(adaptation.outlook, "after", width)
        lines += _memory(adaptation, width)
        lines += [Text(), *_steps(adaptation.steps, "", width, top)] if adaptation.steps else []
    elif adaptation.attempt is not None:
        attempt = adaptation.attempt
        title = "Tried and given up: its weights stored sparse, and the changes below"
        lines += [Text(), heading(title, "", width, path=False)]
        lines += _outlook(attempt.outlook, "would be", width)
        lines += [Text(), *_steps(attempt.steps, ", tried and given up", width, top)]
    if adaptation.blocked and adaptation.done:
        lines += [Text(), *_blocked(adaptation, width)]
    return lines


def _outlook(outlook: Sequence[Outlook], then: str, width: int) -> Lines:
    columns = [
        Column("target"),
        Column("before"),
        Column(then, style="bold"),
        Column("1x1 sparse", right=True),
        Column("of the work", right=True),
        Column("estimated ms", right=True),
    ]
    rows = [
        [
            view.target,
            view.before.value.replace("_", " "),
            view.after.value.replace("_", " "),
            f"{view.sparse_before} to {view.sparse_after}",
            f"{rounded_percent(view.share_before)} to {rounded_percent(view.share_after)}",
            _times(view),
        ]
        for view in outlook
    ]
    lines: Lines = list(table(columns, rows, width))
    lines += sentence(_COUNTED, width)
    for view in outlook:
        if view.instructions_after is not None:
            lines += labelled(view.target, [_fewer(view.instructions_after)], width)
    return lines


def _fewer(counted: InstructionEstimate) -> str:
    return f"{fewer_words(counted)} than dense, by an estimate from emulation"


def _memory(adaptation: Adaptation, width: int) -> Lines:
    """The memory of activations where adapting changed it."""
    before, after = adaptation.activations_before, adaptation.activations_after
    if before == after:
        return []
    words = [f"{size(after)} of activations alive at once, {size(before)} before"]
    return labelled("Memory", words, width)


def _times(view: Outlook) -> str:
    if view.before_ms is None or view.after_ms is None:
        return ""
    return f"{view.before_ms:.3g} to {view.after_ms:.3g}"


def _steps(steps: Sequence[Step], fate: str, width: int, top: int) -> Lines:
    groups: dict[object, list[Step]] = {}
    for step in steps:
        # In full where all are asked for, else those that are alike together.
        key = (step.name, step.what, step.why) if top else len(groups)
        groups.setdefault(key, []).append(step)
    shown = list(groups.values())[: top or None]
    title = f"{count_of(len(steps), 'change')} to the graph{fate}"
    if len(shown) < len(groups):
        title += f", {len(shown)} kinds shown"
    work = sum(step.macs for step in steps)
    more = sum(step.bytes for step in steps)
    note = f"{_signed(work, millions)} MACs, {_signed(more, size)}"
    lines = [heading(title, note, width, path=False)]
    columns = [
        Column("pass"),
        Column("operator"),
        Column("change", gives_way=True, wraps=True, style="bold"),
        Column("MACs", right=True),
        Column("bytes", right=True),
    ]
    lines += table(columns, [_row(group) for group in shown], width)
    whys = Counter((step.name, step.why) for step in steps)
    for (name, why), count in whys.most_common(_NEAREST):
        lines += labelled(name, [why if count == 1 else f"{why} ({count} times)"], width)
    return lines + linked("Passes", "adapt.md")


def _row(group: list[Step]) -> list[str]:
    first = group[0]
    kind, _, number = first.operator.partition(" #")
    more = f" +{len(group) - 1}" if len(group) > 1 else ""
    work, constants = sum(step.macs for step in group), sum(step.bytes for step in group)
    return [
        first.name,
        f"{SHORT_OPERATORS.get(kind, kind)} #{number}{more}",
        first.what,
        _signed(work, millions) if work else "",
        f"{constants:+,}" if constants else "",
    ]


def _signed(number: int, words: Callable[[int], str]) -> str:
    return f"{'-' if number < 0 else '+'}{words(abs(number))}"


def _blocked(adaptation: Adaptation, width: int) -> Lines:
    title = f"{count_of(len(adaptation.blocked), 'operator')} left outside, the root cause first"
    lines = [heading(title, "", width, path=False)]
    reasons: dict[str, list[str]] = {}
    shares = {obstacle.reason: obstacle.share for obstacle in reversed(adaptation.blocked)}
    for obstacle in adaptation.blocked:
        reasons.setdefault(obstacle.reason, []).append(obstacle.operator)
    for why, operators in list(reasons.items())[:_NEAREST]:
        share = rounded_percent(shares[why])
        keeps = [f"{share} of the 1x1 work stays dense for it"] if shares[why] else []
        lines += labelled(str(len(operators)), [why, f"such as {operators[0]}", *keeps], width)
    return lines
