"""4xx: bytes that need not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.equal_buffers import equal_buffers
from tflite_sparse.lint.finding import Hit, Severity, Spot
from tflite_sparse.lint.fixers.cleanup import drop_tensors, empty_buffers, share_buffers
from tflite_sparse.lint.fixers.storage import store_larger_dense, store_sparse
from tflite_sparse.lint.rule import FIX, rule
from tflite_sparse.lint.savings import values_saving
from tflite_sparse.model.dead_code import dead_buffers, dead_operators, dead_tensors
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.words.numbers import count_of, rounded_percent
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.lint.subject import Subject

_SPARSIFY = "tflite-sparse sparsify MODEL -o OUT"
_NEAR_SHARE = 0.1
_WORTH = 0.05
_HINT = "hint-none"
_NO_TIME = "; that alone wins no time, as nothing would run sparse"
_OPTIMIZE_FIRST = (
    "Store them sparse where the bytes are worth it, by tflite-sparse sparsify; where zeros are to"
    " win time, do what the other findings say or run tflite-sparse optimize."
)
_INT8 = "; of the download, which is compressed, int8 saves next to nothing so"


@rule(
    "TFS401",
    "would-shrink",
    Severity.WARNING,
    what="Weights that are stored dense would be smaller stored sparse, and the runtime would stay"
    " right.",
    why="The file is larger than it need be, on the device and in memory.",
    fix="Store them sparse.",
    command=_SPARSIFY,
    fixers=(store_sparse,),
)
def would_shrink(subject: Subject) -> Iterator[Hit]:
    """What `sparsify` would do."""
    inspection = subject.inspection
    weights = [w for w in inspection.weights if w.storage == "dense" and w.smaller]
    saving = inspection.totals.bytes_now - inspection.totals.bytes_sparse
    settings = subject.settings
    if not weights or saving < max(
        settings.min_saving, settings.min_saving_share * subject.model.size
    ):
        return
    count = len(weights)
    quantized = all(weight.type == "INT8" for weight in weights)
    of_file = rounded_percent(saving / subject.model.size, 1)
    in_vain = not quantized and _would_run_dense(subject)
    more = _INT8 if quantized else _NO_TIME if in_vain else ""
    yield Hit(
        f"{count_of(count, 'weight')} would take {saving:,} bytes less stored sparse,"
        f" {of_file} of the file{more}",
        data={"weights": count, "bytes": saving},
        fix=_OPTIMIZE_FIRST if in_vain else None,
        command="tflite-sparse optimize MODEL -o OUT" if in_vain else None,
    )


def _would_run_dense(subject: Subject) -> bool:
    """Whether nothing would run sparse, on any target, if the weights were only stored so."""
    groups = [g for g in subject.inspection.runtime if not g.off_by_design]
    return bool(groups) and all(
        group.outcome is Outcome.DENSE
        and group.pointwise > 0
        and not {change.rule for change in group.changes} <= {_HINT}
        for group in groups
    )


@rule(
    "TFS402",
    "sparse-larger-than-dense",
    Severity.WARNING,
    what="A weight is stored sparse and takes more bytes than it would dense.",
    why="The encoding costs an index for every value; with few zeros, or one byte a value, that is"
    " more than the zeros save.",
    fix="Store it dense.",
    command="tflite-sparse densify --only TENSOR MODEL -o OUT",
    fixers=(store_larger_dense,),
)
def larger_than_dense(subject: Subject) -> Iterator[Hit]:
    """Encodings that grow a weight."""
    for weight in subject.inspection.weights:
        if weight.storage != "sparse" or weight.bytes_dense is None:
            continue
        if weight.bytes_now > weight.bytes_dense:
            yield Hit(
                f"stored sparse in {weight.bytes_now:,} bytes, dense it takes"
                f" {weight.bytes_dense:,}",
                Spot.of_tensor(subject.tensor(weight)),
                {"bytes": weight.bytes_now - weight.bytes_dense},
            )


@rule(
    "TFS403",
    "sparse-not-worth-it",
    Severity.NOTE,
    what="The model is stored sparse, saves under 5 % by it, and runs nothing sparse on any target"
    " that was asked for.",
    why="A DENSIFY keeps converters, quantizers and other delegates from reading the model; here it"
    " buys next to nothing.",
    fix="Ship the dense model.",
    command="tflite-sparse densify MODEL -o OUT",
)
def not_worth_it(subject: Subject) -> Iterator[Hit]:
    """Sparse storage without a gain."""
    inspection = subject.inspection
    totals = inspection.totals
    if not totals.sparse_tensors or any(g.elsewhere is Outcome.SPARSE for g in inspection.runtime):
        return
    saving = totals.bytes_dense - totals.bytes_now
    if saving < _WORTH * totals.bytes_dense:
        yield Hit(
            f"{count_of(totals.sparse_tensors, 'weight')} stored sparse:"
            f" that saves {max(0, saving):,} bytes of {totals.bytes_dense:,}",
            data={"bytes": saving},
        )


@rule(
    "TFS404",
    "near-zeros",
    Severity.WARNING,
    what="A weight has values that are not zero and under 1e-10 in magnitude: a pruned model lost"
    " its exact zeros in a conversion.",
    why="Only exact zeros are left out of the file and skipped by the sparse kernels.",
    fix="Make them exact zeros; that changes no output measurably.",
    command="tflite-sparse sparsify --zero-below 1e-10 MODEL -o ZEROS_MODEL",
)
def near_zeros(subject: Subject) -> Iterator[Hit]:
    """Weights that are almost sparse."""
    for weight in subject.inspection.weights:
        if weight.near_zeros and weight.near_share >= _NEAR_SHARE:
            yield Hit(
                f"{weight.near_zeros:,} of {weight.elements:,} values are under"
                f" {subject.settings.near:g} and not zero; {weight.zeros or 0:,} are zero",
                Spot.of_tensor(subject.tensor(weight)),
                {"near_zeros": weight.near_zeros, "elements": weight.elements},
            )


@rule(
    "TFS405",
    "duplicated-buffers",
    Severity.WARNING,
    what="Several buffers of 1 KiB and more hold the same bytes.",
    why="The file holds them more than once.",
    fix="Let the tensors share one buffer.",
    command=FIX,
    fixers=(share_buffers,),
)
def duplicated_buffers(subject: Subject) -> Iterator[Hit]:
    """Buffers with equal contents."""
    for group in equal_buffers(subject.model):
        first = subject.model.users(group[0])
        spare = group[0].nbytes * (len(group) - 1)
        yield Hit(
            f"{len(group)} buffers hold the same {group[0].nbytes:,} bytes; {spare:,} could go",
            Spot.of_tensor(first[0]) if first else None,
            {"buffers": [buffer.index for buffer in group], "bytes": spare},
        )


@rule(
    "TFS406",
    "dead-buffers",
    Severity.WARNING,
    what="A buffer holds data that no tensor and no metadata refers to.",
    why="Its bytes are shipped and never read.",
    fix="Empty the buffer.",
    command=FIX,
    fixers=(empty_buffers,),
)
def unused_buffers(subject: Subject) -> Iterator[Hit]:
    """Buffers without users."""
    dead = dead_buffers(subject.model)
    if dead:
        total = sum(buffer.nbytes for buffer in dead)
        yield Hit(
            f"{len(dead)} buffer{'s' if len(dead) > 1 else ''} with {total:,} bytes"
            " belong to no tensor and no metadata",
            data={"buffers": [buffer.index for buffer in dead], "bytes": total},
        )


@rule(
    "TFS407",
    "dead-tensors",
    Severity.NOTE,
    what="A tensor is read and written by no operator and is no input or output.",
    why="A leftover of a conversion; where it has data, they are shipped and never read.",
    fix="Remove it.",
    command=FIX,
    fixers=(drop_tensors,),
)
def unused_tensors(subject: Subject) -> Iterator[Hit]:
    """Tensors that nothing refers to."""
    for subgraph in subject.model.subgraphs:
        dead = dead_tensors(subgraph)
        if dead:
            total = sum(tensor.buffer.nbytes for tensor in dead)
            yield Hit(
                f"{len(dead)} tensor{'s' if len(dead) > 1 else ''} with {total:,} bytes of data"
                f" in subgraph {subgraph.index} that no operator uses",
                Spot.of_tensor(dead[0]),
                {"tensors": [tensor.index for tensor in dead], "bytes": total},
            )


@rule(
    "TFS408",
    "dead-operators",
    Severity.WARNING,
    what="An operator computes values that nothing reads.",
    why="Its weights are shipped, and outside XNNPACK it is computed on every run.",
    fix="Remove it from the graph before the export.",
)
def unused_operators(subject: Subject) -> Iterator[Hit]:
    """Operators without effect."""
    for subgraph in subject.model.subgraphs:
        for operator in dead_operators(subgraph):
            yield Hit(f"nothing reads what {operator.label} computes", Spot.of_operator(operator))


@rule(
    "TFS409",
    "better-encoding",
    Severity.NOTE,
    what="A sparse weight would be smaller in another encoding that the runtime reads as well.",
    why="Compressing another dimension or storing blocks can save a byte for every index.",
    fix="Encode it anew.",
    command="tflite-sparse sparsify --reencode MODEL -o OUT",
)
def better_encoding(subject: Subject) -> Iterator[Hit]:
    """Encodings that are not the smallest."""
    weights = [w for w in subject.inspection.weights if w.storage == "sparse" and w.smaller]
    saving = sum(weight.saving for weight in weights)
    settings = subject.settings
    if saving >= max(settings.min_saving, settings.min_saving_share * subject.model.size):
        yield Hit(
            f"{count_of(len(weights), 'sparse weight')} would take {saving:,} bytes less"
            " in another encoding",
            data={"weights": len(weights), "bytes": saving},
        )


@rule(
    "TFS410",
    "int8-values",
    Severity.NOTE,
    what="The weights of a pruned model would be smaller as int8 values that compute in fp32.",
    why="An int8 value takes a quarter of the bytes of an fp32 one, and the runtime unpacks it when"
    " it loads the model: kernels, activations and speed stay what they are.",
    fix="Store them as int8; that rounds the weights, so hold the outputs against your own data.",
    command="tflite-sparse optimize --values int8 MODEL -o INT8_MODEL",
)
def int8_values(subject: Subject) -> Iterator[Hit]:
    """What `--values int8` would save beyond sparse storage."""
    if not subject.pruned:
        return
    int8, weights = StoredValues.INT8, subject.inspection.weights
    savings = [saving for weight in weights if (saving := values_saving(weight, int8)) > 0]
    saving = sum(savings)
    settings = subject.settings
    if saving >= max(settings.min_saving, settings.min_saving_share * subject.model.size):
        yield Hit(
            f"{count_of(len(savings), 'weight')} would take about {saving:,} bytes less"
            " as int8 values that compute in fp32,"
            f" {rounded_percent(saving / subject.model.size, 1)} of the file",
            data={"weights": len(savings), "bytes": saving},
        )
