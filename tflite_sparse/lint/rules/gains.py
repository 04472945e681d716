"""3xx: what no other spelling of a pruned model helps against: zeros, storage, types, targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.slow_blocks import slow_blocks_of
from tflite_sparse.lint.finding import Hit, Severity, Spot
from tflite_sparse.lint.fixers.storage import store_sparse
from tflite_sparse.lint.rule import rule
from tflite_sparse.lint.rules.speed import OPTIMIZE, WHY, changes, lacks_zeros
from tflite_sparse.words.numbers import count_of, listing, percent
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.lint.subject import Subject
    from tflite_sparse.xnnpack.plan_types import ClusterPlan

_NOTHING_STORED = (
    "Change the model so that the runtime may unpack the weight, such as a copy of its own for each"
    " reader; tflite-sparse inspect --weights tells for every one why it stays dense."
)
_WITH_THE_REST = (
    "tflite-sparse optimize stores them sparse, with what the other findings ask for; alone it wins"
    " no time."
)
_HINT = "hint-none"
_SPARSE_TYPES = {"FLOAT32", "FLOAT16"}


@rule(
    "TFS308",
    "too-few-zeros",
    Severity.WARNING,
    what="Not more than two thirds of the 1x1 and fully connected weights of a cluster are zero.",
    why="The runtime runs the whole cluster dense.",
    fix="Prune further, or prune the layers of the cluster that were left out.",
)
def too_few_zeros(subject: Subject) -> Iterator[Hit]:
    """Clusters that miss the threshold, with the number of zeros that are missing."""
    if not subject.pruned:
        return
    merged: dict[tuple[int, ClusterPlan], list[str]] = {}
    told: dict[tuple[int, int, str], list[str]] = {}
    for group in subject.runs(Outcome.DENSE, Outcome.SPARSE):
        targets = [target.name for target in group.targets]
        short = [c for c in group.clusters if c.parameters and not c.profitable]
        whole = [cluster for cluster in short if cluster.complete]
        for change in group.changes if not whole else ():
            if too_few_zeros.reports(change.rule) and change.operator is not None:
                # Something else stands in the way too.
                whole = [cluster for cluster in short if change.operator in cluster.members][:1]
                if not whole:
                    key = (group.subgraph, change.operator, change.message)
                    told.setdefault(key, []).extend(targets)
        for cluster in whole:
            merged.setdefault((group.subgraph, _numbers(cluster)), []).extend(targets)
    for (subgraph, cluster), targets in merged.items():
        yield Hit(
            f"{cluster.zeros:,} of {cluster.parameters:,} weights of the cluster are zero"
            f" ({percent(cluster.zeros, cluster.parameters)}); {cluster.margin:,} more are needed"
            f" to run sparse on {', '.join(targets)}",
            Spot.of_operator(subject.operator(subgraph, cluster.members[0])),
            {
                "zeros": cluster.zeros,
                "parameters": cluster.parameters,
                "missing": cluster.margin,
            },
        )
    for (subgraph, operator, message), targets in told.items():
        yield Hit(
            f"{message}; runs dense on {', '.join(targets)}",
            Spot.of_operator(subject.operator(subgraph, operator)),
            {"targets": targets},
        )


def _numbers(cluster: ClusterPlan) -> ClusterPlan:
    """A cluster without what may differ between targets that lack the same zeros."""
    return msgspec.structs.replace(cluster, index=0, obstacles=(), complete=False)


@rule(
    "TFS309",
    "no-densify",
    Severity.WARNING,
    what="The model has zeros enough and no weight that is stored sparse behind a DENSIFY. Without"
    " one the runtime does not look for zeros.",
    why=WHY,
    fix="Store the weights sparse.",
    command="tflite-sparse sparsify MODEL -o OUT",
    fixers=(store_sparse,),
)
def no_densify(subject: Subject) -> Iterator[Hit]:
    """Models in which nothing sets the hint."""
    lacking = [group for group in subject.runs(Outcome.DENSE) if not lacks_zeros(group)]
    if not lacking:
        return
    for hit in changes(subject, no_densify):
        fix = command = None
        if any(group.no_hint for group in lacking):
            fix, command = _NOTHING_STORED, "tflite-sparse inspect --weights MODEL"
        elif any(change.rule != _HINT for group in lacking for change in group.changes):
            fix, command = _WITH_THE_REST, OPTIMIZE
        yield hit if fix is None else msgspec.structs.replace(hit, fix=fix, command=command)


@rule(
    "TFS310",
    "quantized",
    Severity.WARNING,
    what="Operators are quantized, or of another type than fp32 and fp16.",
    why="XNNPACK has sparse kernels for fp32 and fp16 only: zeros in int8 weights save bytes of the"
    " installed file, seldom of the download, and no time.",
    fix="Where it is to run sparse, convert the pruned model without quantization, and let"
    " tflite-sparse optimize --values int8 store its weights. Otherwise ship it dense: int8 is fast"
    " too, and any compression packs its zeros.",
)
def quantized(subject: Subject) -> Iterator[Hit]:
    """Types that never run sparse."""
    if not subject.pruned:
        return
    for group in subject.runs(Outcome.DENSE):
        places = [
            (use, weight)
            for weight in subject.inspection.weights
            for use in weight.uses
            if use.pointwise and use.subgraph == group.subgraph and weight.type not in _SPARSE_TYPES
        ]
        names = [
            t.name
            for t in subject.targets
            if t.sparse and t.name in {g.name for g in group.targets}
        ]
        if places and names:
            use, weight = places[0]
            yield Hit(
                f"{len(places)} 1x1 convolutions have {weight.type} filters; they run dense on"
                f" {', '.join(names)}",
                Spot.of_operator(subject.operator(use.subgraph, use.operator)),
                {"operators": len(places), "targets": names},
            )


@rule(
    "TFS312",
    "target-never-sparse",
    Severity.NOTE,
    what="On a target that was asked for, the runtime never runs anything sparse.",
    why="Zeros save bytes there and no time.",
    fix="Nothing in the model can change it; measure on another target.",
)
def never_sparse(subject: Subject) -> Iterator[Hit]:
    """Targets without the sparse path."""
    if not subject.pruned:
        return
    for target in subject.targets:
        if not target.sparse:
            yield Hit(
                f"{target.name} ({target.title}): {target.note}", data={"target": target.name}
            )


@rule(
    "TFS313",
    "sparse-in-vain",
    Severity.WARNING,
    what="Weights are stored sparse, and on every target that was asked for all 1x1 convolutions"
    " run dense.",
    why="Sparse storage is there to save time and bytes; here it saves no time, unpacks the weights"
    " on every start, and keeps converters, quantizers and other delegates from reading the model.",
    fix="Where zeros are to win time, do what the other findings say or run tflite-sparse optimize."
    " Where only the bytes count, keep it and ignore this rule; else ship the dense model.",
    command=OPTIMIZE,
)
def in_vain(subject: Subject) -> Iterator[Hit]:
    """Models that are stored sparse and run dense."""
    inspection = subject.inspection
    totals = inspection.totals
    able = [target.name for target in subject.targets if target.sparse]
    outcomes = {group.outcome for group in inspection.runtime}
    if not (totals.sparse_tensors and totals.pointwise_weights and able):
        return
    if outcomes == {Outcome.DENSE}:
        count = totals.sparse_tensors
        dense = subject.dense_size
        saving = dense - totals.bytes_now
        yield Hit(
            f"{count_of(count, 'weight')} stored sparse, and nothing runs sparse on"
            f" {', '.join(able)}: that saves {max(0, saving):,} bytes of {dense:,},"
            " and no time",
            data={"weights": count, "bytes": saving, "targets": able},
        )


@rule(
    "TFS314",
    "slow-block-kernels",
    Severity.WARNING,
    what="1x1 convolutions run sparse in kernels that compute 2 or 4 output channels at once, on a"
    " target where these are scalar. The runtime takes them wherever the zeros lie in blocks of"
    " output channels, so that at least 90 % of the values in the blocks it stores are not zero;"
    " where there are no zeros at all, too.",
    why="A scalar multiplication costs several times as much as one of the kernel for one channel:"
    " with 80 % zeros in blocks a model runs slower in the browser than with dense weights.",
    fix="tflite-sparse optimize puts output channels in another order, which breaks the blocks and"
    " changes nothing in what the model computes. Where you prune, prune single weights for these"
    " targets.",
    command=OPTIMIZE,
)
def slow_blocks(subject: Subject) -> Iterator[Hit]:
    """Filters that make the runtime take a kernel that is slow on a target."""
    for group in subject.runs(Outcome.SPARSE):
        for target_names, operators in slow_blocks_of(group).items():
            yield Hit(
                f"{count_of(len(operators), '1x1 convolution')}"
                f" {'runs' if len(operators) == 1 else 'run'} in kernels for blocks of output"
                f" channels, which are scalar on {listing(list(target_names))}",
                Spot.of_operator(subject.operator(group.subgraph, operators[0])),
                {"operators": list(operators), "targets": list(target_names)},
            )
