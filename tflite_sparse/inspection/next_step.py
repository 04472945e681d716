"""The one thing to do next with a model, and the command that does it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.gain import possible_gain
from tflite_sparse.inspection.open_batch import open_batch
from tflite_sparse.inspection.slow_blocks import slow_blocks_of
from tflite_sparse.records import Record
from tflite_sparse.words.numbers import listing, percent, rounded_percent, same_problem, size
from tflite_sparse.words.shell import file_word
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.runtime_types import NoHint, Obstacle, TargetGroup

__all__ = ["PRUNED", "NextStep", "command_line", "next_step", "on_any_machine"]

_PROGRAM = "tflite-sparse"
# What takes --batch, and writes a model that has it for good.
_FIXING = ("optimize", "sparsify")
# A cluster goes sparse when more than two thirds of its weights are zero.
_NEEDED = 2 / 3
_WORTH = 0.02
_NOTABLE = 1.05
_PHONES, _BROWSER = "arm64", "wasm"
PRUNED = 0.8
"""The share of zeros that commands which prune are told with: training reaches it with ease."""

# Faults of convolutions wider than 1x1: mended where most of their weights are zero.
_WIDE_RULES = ("conv-kernel", "conv-entry-stride", "conv-entry-channels")
# The share of the work that a fault keeps dense.
_MOST = 1 / 2
# Reasons to leave a weight dense that another graph takes away, and that it may take away.
_MENDED, _MAY_BE_MENDED = "runtime", ("runtime", "not-smaller", "saves-too-little")
_PRUNES_HERE = (
    " This does it without, at a loss: it shows size and speed, and with --data FOLDER, inputs of"
    " yours, keeps more and tells how much is left."
)


class NextStep(Record, frozen=True):
    """What to do next.

    Attributes:
        title: it in a few words.
        why: why, in a sentence.
        command: the command that does it, None where no command can.
        gain: what it brings by an estimate, in a sentence; "" where nobody knows.
    """

    title: str
    why: str
    command: str | None
    gain: str = ""


def on_any_machine(inspection: Inspection) -> Inspection:
    """An inspection for a page that others read: its folder is that of whoever made the page."""
    if inspection.path is None:
        return inspection
    return msgspec.structs.replace(inspection, path=PurePath(inspection.path).name)


def next_step(inspection: Inspection) -> NextStep:
    """The one thing to do next with a model.

    Args:
        inspection: what is known of it, with all its weights; the command names its path.
    """
    if inspection.problems:
        return NextStep(
            "Repair the file",
            "The runtime would refuse it: what is wrong is told above and by the release check.",
            command_line("lint", inspection),
        )
    failing = next((g for g in inspection.runtime if g.elsewhere.is_failure), None)
    if failing is not None:
        return NextStep(
            "Do not ship this file",
            "With its weights stored dense it runs right everywhere.",
            command_line("densify", inspection, "dense"),
        )
    group = _decisive(inspection)
    if group is None:
        return _no_targets(inspection) or _no_filters(inspection)
    if group.elsewhere is Outcome.SPARSE:
        return _sparse(inspection)
    return _dense(inspection, group)


def _no_targets(inspection: Inspection) -> NextStep | None:
    """What to do where nothing runs sparse on any of the targets that were asked for."""
    if not any(group.pointwise and group.off_by_design for group in inspection.runtime):
        return None
    names = dict.fromkeys(t.name for group in inspection.runtime for t in group.targets)
    return _for_size(inspection, f"On {listing(list(names))} the sparse path is off by design.")


def _no_filters(inspection: Inspection) -> NextStep:
    """What to do where no 1x1 convolution could run sparse as it is."""
    totals = inspection.totals
    if _pruned_wide(inspection):
        return _wide(inspection)
    if not any(group.other_pointwise for group in inspection.runtime):
        return _for_size(inspection, "There is no 1x1 convolution that sparse inference could win.")
    if totals.zeros > _NEEDED * totals.weights:
        return _rewrite(inspection)
    return _for_size(inspection, "No 1x1 convolution could run sparse as it is.")


def _decisive(inspection: Inspection) -> TargetGroup | None:
    """The first targets that could run something sparse, of the subgraph with the most work."""
    able = [g for g in inspection.runtime if g.pointwise and not g.off_by_design]
    most = max(able, key=lambda group: group.macs, default=None)
    return next((g for g in able if most is not None and g.subgraph == most.subgraph), None)


def _sparse(inspection: Inspection) -> NextStep:
    totals = inspection.totals
    slow = [names for group in inspection.runtime for names in slow_blocks_of(group)]
    if slow:
        targets = list(dict.fromkeys(name for names in slow for name in names))
        return NextStep(
            "Break its blocks",
            f"It runs sparse, but in kernels for blocks of channels, slow on {listing(targets)}."
            " Where the channels can be put in another order, optimize does that.",
            command_line("optimize", inspection, "sparse"),
        )
    if totals.bytes_now - totals.bytes_sparse > _WORTH * totals.bytes_now:
        return _for_size(inspection, "It runs sparse already, and some weights are stored dense.")
    if _is_for_phones(inspection):
        return NextStep(
            "Measure it",
            "It runs sparse. On a phone, --on adb times it; an emulated processor counts its"
            " instructions anywhere.",
            command_line("bench", inspection) + " --emulate arm64",
        )
    return NextStep(
        "Measure it",
        "It runs sparse. How long it takes, a real browser tells on any machine; what was won over"
        " the model that it was made from: 'tflite-sparse bench ORIGINAL "
        f"{file_word(_path(inspection))} --on web'.",
        command_line("bench", inspection) + " --on web",
    )


def _is_for_phones(inspection: Inspection) -> bool:
    """Whether 64-bit Arm was asked for, and the browser was not."""
    names = {target.name for group in inspection.runtime for target in group.targets}
    return _PHONES in names and _BROWSER not in names


def _dense(inspection: Inspection, group: TargetGroup) -> NextStep:
    rules = {change.rule for change in group.changes}
    if "profit-zeros" in rules:
        return _wide(inspection) if _pruned_wide(inspection) else _zeros(inspection, group)
    if "role-type" in rules:
        return _quantized(inspection)
    why, eligible = group.no_hint, rules == {"hint-none"}
    if why is not None and not why.code.startswith(_MENDED if eligible else _MAY_BE_MENDED):
        return _no_hint(why)
    if eligible and why is None:
        return NextStep(
            "Store its zeros",
            "Everything is in place but the sparse storage that makes the runtime look for zeros.",
            command_line("sparsify", inspection, "sparse"),
            _gain(inspection),
        )
    return _rewrite(inspection, group)


def _no_hint(why: NoHint) -> NextStep:
    return NextStep(
        "Let its weights be stored sparse",
        "The runtime looks for zeros only where a weight is stored sparse, and the filter with"
        f" the most zeros stays dense: {why.reason}.",
        None,
    )


def _rewrite(inspection: Inspection, group: TargetGroup | None = None) -> NextStep:
    doubt = None if group is None else _beyond_passes(group)
    if doubt is not None:
        return NextStep(
            "See whether optimize finds a way",
            "The zeros are there, but no rewrite mends what keeps most of the work dense:"
            f" {doubt.message}; {same_problem(len(doubt.operators) - 1)}. Part of the work may run"
            " sparse all the same: this tells, and writes nothing.",
            command_line("optimize", inspection, more="--dry-run"),
        )
    return NextStep(
        "Rewrite what stands in the way",
        "The zeros are there; operators in a form that sparse kernels do not take keep them from"
        " being used.",
        command_line("optimize", inspection, "sparse"),
        _gain(inspection, at_most=True),
    )


def _beyond_passes(group: TargetGroup) -> Obstacle | None:
    """What keeps most of the work dense, in several places, and is mended by no pass of adapt."""
    for obstacle in group.obstacles:
        mended = set(group.wide) if obstacle.rule in _WIDE_RULES else set(obstacle.operators)
        if obstacle.rule == "depthwise-kernel":
            mended = set()
        # Around a single one, such as a stem, the layout is entered behind it.
        if obstacle.share > _MOST and len(set(obstacle.operators) - mended) > 1:
            return obstacle
    return None


def _pruned_wide(inspection: Inspection) -> bool:
    """Whether convolutions wider than 1x1 have zeros that would win something as sums of 1x1."""
    totals = inspection.totals
    if totals.wide_zeros <= _NEEDED * totals.wide_weights:
        return False
    gain = possible_gain(inspection)
    return gain is not None and gain.times >= _NOTABLE


def _wide(inspection: Inspection) -> NextStep:
    totals = inspection.totals
    share = percent(totals.wide_zeros, totals.wide_weights)
    return NextStep(
        "Make its wide convolutions sparse",
        f"{share} of the weights of its convolutions wider than 1x1 are zero. Sparse kernels are"
        " for 1x1 alone; optimize makes sums of 1x1 convolutions of the wider ones.",
        command_line("optimize", inspection, "sparse"),
        _gain(inspection, at_most=True),
    )


def _gain(inspection: Inspection, *, at_most: bool = False) -> str:
    """What storing a model sparse, and running it so, brings: time by an estimate, and size."""
    totals = inspection.totals
    words = []
    gain = possible_gain(inspection)
    # Prices of instructions are those of maps of a usual size, not of this model as it stands.
    if gain is not None and not gain.counted and gain.times >= _NOTABLE:
        bound = "up to " if at_most else ""
        words.append(f"{bound}about {gain.words}")
    if totals.bytes_now and totals.bytes_sparse < totals.bytes_now:
        words.append(f"{rounded_percent(totals.bytes_sparse / totals.bytes_now)} of the size")
    return _sentence(listing(words))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _quantized(inspection: Inspection) -> NextStep:
    totals = inspection.totals
    return NextStep(
        "Ship it dense, or prune it in floats",
        "Its 1x1 convolutions compute in int8, for which no processor has sparse kernels: the"
        f" {percent(totals.pointwise_zeros, totals.pointwise_weights)} zeros save no time, and of"
        " the download no more than compression saves anyway. To run sparse, convert the pruned"
        " model without quantization; optimize --values int8 then stores its weights as int8.",
        None,
    )


def _zeros(inspection: Inspection, group: TargetGroup) -> NextStep:
    totals = inspection.totals
    almost = sum(w.near_zeros or 0 for w in inspection.weights if w.pointwise)
    if almost and totals.pointwise_zeros + almost > _NEEDED * totals.pointwise_weights:
        return NextStep(
            "Make near zeros zero",
            f"{percent(almost, totals.pointwise_weights)} of the 1x1 weights are under"
            f" {inspection.near:g} in magnitude: the pruning is there, the conversion blurred it.",
            f"{command_line('sparsify', inspection, 'sparse')} --zero-below {inspection.near:g}",
        )
    missing = next(change for change in group.changes if change.rule == "profit-zeros")
    command = None
    if inspection.what_if:
        target = f" --target {_PHONES}" if _is_for_phones(inspection) else ""
        command = command_line("optimize", inspection, "sparse", f"--prune {PRUNED:g}{target}")
    return NextStep(
        "Prune it" if command else "Prune before conversion",
        f"{missing.message[0].upper()}{missing.message[1:]}."
        " Training does that best." + (_PRUNES_HERE if command else ""),
        command,
        _gain_of_pruning(inspection),
    )


def _gain_of_pruning(inspection: Inspection) -> str:
    gain = possible_gain(inspection, PRUNED)
    if gain is None or gain.times < _NOTABLE:
        return ""
    verb = "take" if gain.counted else "be"
    return (
        f"With {rounded_percent(PRUNED)} zeros in {_filters(inspection)} it would {verb} up to"
        f" about {gain.words}."
    )


def _filters(inspection: Inspection) -> str:
    return "its filters" if inspection.totals.wide_weights else "its 1x1 filters"


def _for_size(inspection: Inspection, why: str) -> NextStep:
    totals = inspection.totals
    saved = totals.bytes_now - totals.bytes_sparse
    if saved > _WORTH * totals.bytes_now:
        return NextStep(
            "Make the file smaller",
            f"{why} Stored sparse, the file is {size(saved)} smaller"
            f" ({percent(saved, totals.bytes_now)}).",
            command_line("sparsify", inspection, "sparse"),
        )
    return NextStep(
        "Nothing to do", f"{why} Sparse storage would not make it smaller either.", None
    )


def command_line(name: str, inspection: Inspection, suffix: str = "", more: str = "") -> str:
    """A command of this program for a model.

    Args:
        name: the command.
        inspection: what is known of the model.
        suffix: what the name of the file that it writes ends with; "" where it writes none.
        more: further options.
    """
    path = _path(inspection)
    words = [_PROGRAM, name, file_word(path)]
    batch = open_batch(inspection) if name in _FIXING else None
    if batch is not None:
        words.append(batch.fixing)
    if more:
        words.append(more)
    if suffix:
        words += ["-o", file_word(path, suffix)]
    return " ".join(words)


def _path(inspection: Inspection) -> str:
    return inspection.path or "model.tflite"
