"""2xx: loads that fail, wrong numbers, aborts. What goes wrong is derived by the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.finding import Hit, Severity, Spot
from tflite_sparse.lint.fixers.storage import mend_heads, store_dense
from tflite_sparse.lint.rule import rule
from tflite_sparse.xnnpack.assumptions import WhatIf
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.weights.weight_types import WeightFacts
    from tflite_sparse.lint.rule import Rule
    from tflite_sparse.lint.subject import Subject
    from tflite_sparse.xnnpack.plan_types import Reason

_FAILURES = tuple(outcome for outcome in Outcome if outcome.is_failure)
_ENDS = {
    Outcome.WRONG_NUMBERS: "the outputs are wrong, without a message",
    Outcome.LOAD_FAILURE: "the model does not load",
    Outcome.PROCESS_ABORT: "the process aborts",
    Outcome.OUTPUT_SHAPE: "the numbers are right, their shape is not",
}
_DENSIFY_FIX = (
    "Store the weights dense: without a DENSIFY the runtime does not look for zeros and computes"
    " the model as it is. To keep both, end the part that runs sparse with MEAN over height and"
    " width (keep_dims=false) or DEPTH_TO_SPACE."
)
_DENSIFY = "tflite-sparse densify MODEL -o OUT"
_MOSTLY = 0.5
_UNREADABLE = frozenset({"filter-unpacked", "filter-type", "weight-lost"})
_LEAVE_DENSE = "Leave these weights dense: the runtime cannot read them through a DENSIFY."
_KEEP_RIGHT = (mend_heads, store_dense)


def _hits(subject: Subject, rule: Rule) -> Iterator[Hit]:
    """A hit for each failure by rules of the runtime that a rule reports, over all targets."""
    merged: dict[tuple[int, Reason, Outcome], list[str]] = {}
    for group in subject.runs(*_FAILURES):
        for reason in group.reasons:
            if rule.reports(reason.rule):
                outcome = group.outcome if reason in group.missing else group.elsewhere
                key = (group.subgraph, reason, outcome)
                merged.setdefault(key, []).extend(target.name for target in group.targets)
    for (subgraph, reason, outcome), targets in merged.items():
        spot = None
        if reason.operator is not None:
            spot = Spot.of_operator(subject.operator(subgraph, reason.operator))
        yield Hit(
            f"{reason.message}; on {', '.join(targets)} {_ENDS[outcome]}",
            spot,
            {"reason": reason.rule, "outcome": outcome.value, "targets": targets},
        )


@rule(
    "TFS201",
    "nchw-read-as-nhwc",
    Severity.ERROR,
    what="A value that the sparse path leaves in the layout NCHW is read by an operator that"
    " expects NHWC, or the other way round. The runtime checks only that the members of a cluster"
    " read what they can, not that the last one brings its result back.",
    why="Every output that depends on it is wrong, and nothing says so.",
    fix=_DENSIFY_FIX,
    command=_DENSIFY,
    fixers=_KEEP_RIGHT,
)
def nchw_read(subject: Subject) -> Iterator[Hit]:
    """Chains that end without an exit."""
    yield from _hits(subject, nchw_read)


@rule(
    "TFS202",
    "shapes-stop-matching",
    Severity.ERROR,
    what="In the sparse layout a value has another shape than the operator that reads it needs:"
    " operands that no longer broadcast, channels that no longer match a filter, outputs that no"
    " longer fit. A 1x1 convolution after MEAN with keep_dims is the usual case.",
    why="The model does not load, or computes something else.",
    fix=_DENSIFY_FIX,
    command=_DENSIFY,
    fixers=_KEEP_RIGHT,
)
def shapes(subject: Subject) -> Iterator[Hit]:
    """Shapes that the layout changes."""
    yield from _hits(subject, shapes)


@rule(
    "TFS203",
    "reduction-axis",
    Severity.ERROR,
    what="A MEAN or SUM in the sparse layout runs along another axis than the model says.",
    why="The outputs are wrong; on maps that are not square the process may crash.",
    fix=_DENSIFY_FIX,
    command=_DENSIFY,
    fixers=_KEEP_RIGHT,
)
def reduction_axis(subject: Subject) -> Iterator[Hit]:
    """Reductions over some axes only."""
    yield from _hits(subject, reduction_axis)


@rule(
    "TFS204",
    "memory-overrun",
    Severity.ERROR,
    what="In the sparse layout the runtime reads or writes beyond the memory of a value.",
    why="The process crashes, or goes on with what it has overwritten.",
    fix=_DENSIFY_FIX,
    command=_DENSIFY,
    fixers=_KEEP_RIGHT,
)
def memory_overrun(subject: Subject) -> Iterator[Hit]:
    """What leaves its memory."""
    yield from _hits(subject, memory_overrun)


@rule(
    "TFS205",
    "packed-filter",
    Severity.ERROR,
    what="FULLY_CONNECTED of a version above 8 reads a sparse filter without a DENSIFY. XNNPACK"
    " leaves only version 8 to TFLite, which can read it.",
    why="XNNPACK takes the packed values for the dense matrix: wrong numbers, without a message.",
    fix="Store the filter dense, or make the operator version 8.",
    command=_DENSIFY,
    fixers=_KEEP_RIGHT,
)
def packed_filter(subject: Subject) -> Iterator[Hit]:
    """Sparse filters that XNNPACK misreads; of other operators, `sparse-operand` tells."""
    for hit in _hits(subject, packed_filter):
        if hit.spot is not None and hit.spot.operator == "FULLY_CONNECTED":
            yield hit


@rule(
    "TFS206",
    "int8-densify",
    Severity.ERROR,
    what="A DENSIFY of int8 feeds an operator that reads the packed buffer: any FULLY_CONNECTED, or"
    " a CONV_2D that quantizes its input at run time.",
    why='The model does not load with XNNPACK ("failed to delegate").',
    fix="Store these weights dense.",
    command=_DENSIFY,
    fixers=_KEEP_RIGHT,
)
def int8_densify(subject: Subject) -> Iterator[Hit]:
    """int8 weights behind DENSIFY where XNNPACK cannot read them."""
    yield from _hits(subject, int8_densify)


@rule(
    "TFS207",
    "weight-lost",
    Severity.ERROR,
    what="An operator outside XNNPACK reads an fp16 or int8 weight through DENSIFY and DEQUANTIZE."
    " XNNPACK unpacks the DENSIFY for itself alone, and the DEQUANTIZE runs in TFLite on memory"
    " that nothing has filled.",
    why="The outputs are wrong wherever XNNPACK is on, which is the default, and nothing says so.",
    fix="Store these weights dense.",
    command=_DENSIFY,
    fixers=_KEEP_RIGHT,
)
def weight_lost(subject: Subject) -> Iterator[Hit]:
    """Weights that never arrive."""
    yield from _hits(subject, weight_lost)


@rule(
    "TFS209",
    "runtime-failure",
    Severity.ERROR,
    what="The runtime fails on the model in another way than the other rules of this family tell.",
    why="The model does not load, or computes something else.",
    fix=_DENSIFY_FIX,
    command=_DENSIFY,
    fixers=_KEEP_RIGHT,
)
def other_failure(subject: Subject) -> Iterator[Hit]:
    """Failures of which no other rule tells."""
    yield from _hits(subject, other_failure)


def _kept_from_harm(weight: WeightFacts) -> bool:
    """Whether a weight is left dense, and would be smaller, for what would come of it."""
    code = weight.cannot_code or ""
    return weight.zero_share > _MOSTLY and (code == "reader" or code.startswith("runtime"))


@rule(
    "TFS210",
    "custom-operator",
    Severity.WARNING,
    what="An operator of a kind that LiteRT does not have: neither XNNPACK nor LiteRT's own kernels"
    " know it, so that an app must register it.",
    why="Without that the model does not load, and no tool can run it to prove what a rewrite did.",
    fix="Ship it only in apps that register the operator; or convert the model without it.",
)
def custom_operator(subject: Subject) -> Iterator[Hit]:
    """Operators that an app must bring."""
    yield from _hits(subject, custom_operator)


@rule(
    "TFS211",
    "operands-rejected",
    Severity.ERROR,
    what="The sizes of an operator's operands do not fit together for the kernels that run it, such"
    " as a TRANSPOSE_CONV with groups, which the format can say and no kernel computes.",
    why="The model does not load.",
    fix="Split the operator into ones that the runtime has, and convert the model again.",
)
def operands_rejected(subject: Subject) -> Iterator[Hit]:
    """Operands that kernels refuse."""
    yield from _hits(subject, operands_rejected)


@rule(
    "TFS214",
    "no-bias",
    Severity.ERROR,
    what="A convolution or depthwise convolution without a bias. The format makes it optional;"
    " XNNPACK does not take such an operator, and LiteRT's own kernel refuses it or, where a"
    " depthwise convolution has two operands only, reads beyond them.",
    why="The model does not load, or the process ends when it runs.",
    fix="Give the operator a bias of zeros, as converters do.",
)
def no_bias(subject: Subject) -> Iterator[Hit]:
    """Convolutions that lack their bias."""
    yield from _hits(subject, no_bias)


@rule(
    "TFS212",
    "output-shape",
    Severity.WARNING,
    what="An output of the model comes out in another shape than the model says, such as 1xCx1x1"
    " for 1x1x1xC: in the sparse layout a reduction keeps its dimensions in the order of that.",
    why="The numbers are right, but an app that goes by the shape fails, or reads them wrongly.",
    fix="Let the reduction drop its dimensions and restore them with a RESHAPE, which"
    " `tflite-sparse optimize` does, or store the weights dense.",
    command="tflite-sparse optimize MODEL -o OUT",
    fixers=_KEEP_RIGHT,
)
def output_shape(subject: Subject) -> Iterator[Hit]:
    """Outputs whose shape changes."""
    yield from _hits(subject, output_shape)


@rule(
    "TFS220",
    "sparse-would-break",
    Severity.WARNING,
    what="The model is right as it is, and would not be if its weights were stored sparse: a"
    " DENSIFY makes the runtime look for zeros, and what it then does to this graph fails.",
    why="Another tool that stores weights sparse breaks the model. `tflite-sparse sparsify` leaves"
    " these weights dense.",
    fix="End the part that would run sparse with MEAN over height and width (keep_dims=false) or"
    " DEPTH_TO_SPACE before anybody encodes the weights.",
)
def would_break(subject: Subject) -> Iterator[Hit]:
    """Models that only their dense weights keep right."""
    for subgraph in subject.model.subgraphs:
        filters = frozenset(
            weight.tensor
            for weight in subject.inspection.weights
            if weight.subgraph == subgraph.index
            and weight.storage == "dense"
            and (weight.smaller or _kept_from_harm(weight))
        )
        groups = [g for g in subject.inspection.runtime if g.subgraph == subgraph.index]
        if not filters or any(g.elsewhere in _FAILURES for g in groups):
            continue
        broken: dict[str, tuple[list[str], str | None]] = {}
        for target in subject.targets:
            verdict = plan(
                subgraph, target, assume=WhatIf(encoded=filters), zeros=subject.zeros
            ).verdict
            reasons = verdict.reasons[len(verdict.missing) :]
            if verdict.elsewhere.is_failure and reasons:
                message = f"{reasons[0].message}; {_ENDS[verdict.elsewhere]}"
                fix = _LEAVE_DENSE if reasons[0].rule in _UNREADABLE else None
                broken.setdefault(message, ([], fix))[0].append(target.name)
        for message, (names, fix) in broken.items():
            yield Hit(
                f"if the weights were stored sparse, on {', '.join(names)}: {message}",
                data={"targets": names},
                fix=fix,
            )
