"""What the runtime will do with a model, in words; what stands in the way, nearest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.slow_blocks import slow_blocks_of
from tflite_sparse.records import Record
from tflite_sparse.words.numbers import count_of, listing, percent, same_problem
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.inspection.runtime_types import Obstacle, OlderRelease, TargetGroup
    from tflite_sparse.xnnpack.cost.instructions import InstructionEstimate
    from tflite_sparse.xnnpack.plan_types import Reason

__all__ = ["VerdictWords", "fewer_words", "older_verdicts", "verdicts"]

# Rules by which an operator fails because of a neighbour that fails.
_CONSEQUENCES = frozenset({"cluster-producer", "cluster-consumer"})

# What must change before anything else helps.
_ZEROS = "profit-zeros"

# What does a change for the user.
_COMMANDS = {"hint-none": " ('tflite-sparse sparsify' does this)"}

_WAY_OUT = "'tflite-sparse densify' stores the weights dense again, which runs right everywhere"

_HEADLINES = {
    Outcome.SPARSE: "Runs sparse",
    Outcome.DENSE: "Runs dense",
    Outcome.WRONG_NUMBERS: "Computes wrong numbers",
    Outcome.LOAD_FAILURE: "Does not load",
    Outcome.PROCESS_ABORT: "Aborts the process",
    Outcome.OUTPUT_SHAPE: "Gives an output another shape",
}


class VerdictWords(Record, frozen=True):
    """The verdict on targets that are alike.

    Attributes:
        outcome: what comes of running the model.
        headline: the outcome in words, such as "Runs sparse".
        text: how the sentence goes on, to its full stop; it begins with a blank.
        lead: what the points are; "" where they need no heading.
        points: what goes wrong, or what stands in the way.
        off_by_design: whether nothing ever runs sparse on these targets.
    """

    outcome: Outcome
    headline: str
    text: str
    lead: str
    points: tuple[str, ...]
    off_by_design: bool


def verdicts(groups: Sequence[TargetGroup]) -> list[VerdictWords]:
    """The verdict on each group of targets in words, for reports that lay them out themselves.

    Args:
        groups: what the runtime does, on targets that are alike.
    """
    return [
        VerdictWords(
            outcome=group.outcome,
            headline=_HEADLINES[group.outcome],
            text=f"{_where(group)}{_stock(group) or _share(group) + _off_by_design(group)}.",
            lead=_lead(group),
            points=tuple(_todo(group)),
            off_by_design=group.off_by_design,
        )
        for group in _told(groups)
    ]


def older_verdicts(older: Sequence[OlderRelease]) -> list[VerdictWords]:
    """What releases of the runtime that are still in use do otherwise, in words, each once.

    Args:
        older: where they do worse than the newest.
    """
    words: dict[tuple[Outcome, str], VerdictWords] = {}
    for found in older:
        where = f" on {listing(list(found.runtimes))}"
        where = f" in subgraph {found.subgraph}{where}" if found.subgraph else where
        why = found.cause or found.message
        text = f"{where}: {why}." if why else f"{where}."
        headline = _HEADLINES[found.outcome]
        words.setdefault(
            (found.outcome, text), VerdictWords(found.outcome, headline, text, "", (), False)
        )
    return list(words.values())


def _told(groups: Sequence[TargetGroup]) -> list[TargetGroup]:
    """The groups that have something to tell, those together that say the same."""
    told: list[TargetGroup] = []
    for group in groups:
        # Subgraphs of control flow without a convolution have nothing to tell.
        if group.subgraph and not group.pointwise and not group.reasons:
            continue
        same = next((other for other in told if _says_the_same(group, other)), None)
        if same is None:
            told.append(group)
        else:
            together = (*same.targets, *group.targets)
            told[told.index(same)] = msgspec.structs.replace(same, targets=together)
    return told


def _says_the_same(one: TargetGroup, other: TargetGroup) -> bool:
    return (
        one.subgraph == other.subgraph
        and (one.outcome, one.elsewhere) == (other.outcome, other.elsewhere)
        and (_share(one), _off_by_design(one), _todo(one))
        == (_share(other), _off_by_design(other), _todo(other))
    )


def _where(group: TargetGroup) -> str:
    where = f" on {listing([target.name for target in group.targets])}"
    return f" in subgraph {group.subgraph}{where}" if group.subgraph else where


def _lead(group: TargetGroup) -> str:
    return "What prevents it, the main cause first:" if group.outcome is Outcome.DENSE else ""


def _todo(group: TargetGroup) -> list[str]:
    """What goes wrong, or what stands in the way and what to do about it."""
    if group.missing:
        return _missing(group)
    if group.outcome is Outcome.SPARSE:
        return []
    if group.outcome is not Outcome.DENSE:
        return [*(reason.message for reason in group.reasons), _WAY_OUT]
    if _off_by_design(group):
        return []
    if not group.pointwise:
        own = {*group.other_pointwise}
        return _obstacles([entry for entry in group.obstacles if own & {*entry.operators}])
    # What the obstacles say already is not said twice.
    told = {obstacle.rule for obstacle in group.obstacles}
    changes = [
        change
        for change in group.changes
        if change.rule not in told and not (told and change.rule in _CONSEQUENCES)
    ]
    first = [change.message for change in changes if change.rule == _ZEROS]
    # Without enough zeros it is in vain to store them.
    last = [
        change.message + ("" if group.no_hint else _COMMANDS.get(change.rule, ""))
        for change in changes
        if change.rule != _ZEROS and not (first and change.rule in _COMMANDS)
    ]
    return [*first, *_obstacles(group.obstacles), *last]


def _stock(group: TargetGroup) -> str:
    return ", in LiteRT as it comes" if group.missing else ""


def _missing(group: TargetGroup) -> list[str]:
    """The kernels that are missing, each kind once, and what comes of the model where they are."""
    alike: dict[tuple[str, str], list[Reason]] = {}
    for reason in group.missing:
        alike.setdefault((reason.rule, reason.found), []).append(reason)
    points = []
    for reasons in alike.values():
        more = len(reasons) - 1
        points.append(reasons[0].message + (f"; {same_problem(more)}" if more else ""))
    with_them = msgspec.structs.replace(
        group, outcome=group.elsewhere, missing=(), reasons=group.reasons[len(group.missing) :]
    )
    words = _HEADLINES[group.elsewhere]
    then = f"{words[0].lower()}{words[1:]}{_share(with_them)}{_off_by_design(with_them)}"
    points.append(f"where an app brings kernels of its own, it {then}")
    return [*points, *(_todo(with_them) if group.elsewhere.is_failure else ())]


def _share(group: TargetGroup) -> str:
    if group.outcome is Outcome.SPARSE:
        return (
            f": {group.sparse_pointwise} of"
            f" {count_of(group.pointwise, '1x1 convolution')},"
            f" {percent(group.sparse_macs, group.macs)} of the multiply-adds{_gains(group)}"
            f"{_blocks(group)}"
        )
    if group.outcome is Outcome.DENSE and not group.pointwise:
        others = len(group.other_pointwise)
        if not others:
            return f": it has no 1x1 convolution that could run sparse{_wider(group)}"
        which = f"none of its {others} 1x1 convolutions" if others > 1 else "its 1x1 convolution"
        return f": {which} could{'' if others > 1 else ' not'} run sparse as it is{_wider(group)}"
    return ""


def _wider(group: TargetGroup) -> str:
    """That wider convolutions with zeros can be made 1x1 ones."""
    if not group.wide:
        return ""
    wider = count_of(len(group.wide), "wider one")
    return f"; 'tflite-sparse optimize' can make 1x1 convolutions of {wider} with zeros"


def _gains(group: TargetGroup) -> str:
    gains = [
        f"{target.estimate.gain:.1f} times as fast as the same graph run dense on {target.name}"
        for target in group.targets
        if target.estimate is not None
    ]
    fewer = [
        f"{fewer_words(target.instructions)} on {target.name}, by emulation"
        for target in group.targets
        if target.instructions is not None
    ]
    both = [*gains, *fewer]
    return f"; an estimated {listing(both)}" if both else ""


def fewer_words(counted: InstructionEstimate) -> str:
    """How many times fewer instructions, from processor to processor.

    Args:
        counted: the estimate.
    """
    least, most = f"{counted.least:.1f}", f"{counted.most:.1f}"
    times = least if least == most else f"{least} to {most}"
    return f"{times} times fewer instructions"


def _blocks(group: TargetGroup) -> str:
    """How many run in block kernels where these are slow."""
    slow = slow_blocks_of(group)
    targets = list(dict.fromkeys(name for names in slow for name in names))
    if not targets:
        return ""
    return (
        f"; {max(map(len, slow.values()))} of them in kernels for blocks of channels, which are"
        f" scalar on {listing(targets)} ('tflite-sparse optimize' breaks the blocks where it can)"
    )


def _off_by_design(group: TargetGroup) -> str:
    if group.pointwise and group.off_by_design:
        return f"; {group.targets[0].note}"
    return ""


def _obstacles(obstacles: Sequence[Obstacle]) -> list[str]:
    points = []
    for obstacle in obstacles:
        others = len(obstacle.operators) - 1
        more = f"; {same_problem(others)}" if others else ""
        points.append(obstacle.message + more)
    return points
