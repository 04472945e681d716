"""An inspection as text for people: calm, complete at 80 columns, plain in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.layout import Lines, heading, labelled
from tflite_sparse.report.names import common_prefix, layer_part, shorten
from tflite_sparse.report.table import Column, table
from tflite_sparse.report.verdict import cluster_lines, explain_lines, verdict_lines
from tflite_sparse.report.words import (
    count_of,
    kib,
    millions,
    percent,
    shape,
    size,
    thousands,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tflite_sparse.inspection.file_results import AppendedFacts, FileFacts, TensorFacts
    from tflite_sparse.inspection.results import Inspection, Totals
    from tflite_sparse.inspection.weight_results import WeightFacts

__all__ = ["inspection_lines"]

_WIDE = 100
_NARROW = 76
_FEW_TENSORS = 8
_FEW_KINDS = 12
_SHORT_OPERATORS = {
    "DEPTHWISE_CONV_2D": "DEPTHWISE",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "SEQUENCE_LSTM",
    "BIDIRECTIONAL_SEQUENCE_LSTM": "BI_LSTM",
    "EMBEDDING_LOOKUP": "EMBEDDING",
    "TRANSPOSE_CONV": "TRANSP_CONV",
}


def inspection_lines(inspection: Inspection, width: int, *, explain: bool = False) -> Lines:
    """The lines of a whole inspection.

    Args:
        inspection: what to show.
        width: the room for a line in characters.
        explain: whether to show what the runtime does with each operator.
    """
    lines: Lines = [heading(inspection.path or "in memory", size(inspection.size), width)]
    lines += _blank(verdict_lines(inspection.runtime, width))
    lines += _blank(_file(inspection.file, width))
    lines += _blank(_totals(inspection, width))
    lines += _blank(_clusters(inspection, width))
    lines += _blank(_weights(inspection, width))
    if explain:
        lines += _blank(explain_lines(inspection.runtime, width))
    lines += _blank(_problems(inspection, width))
    return lines


def _clusters(inspection: Inspection, width: int) -> Lines:
    groups = [group for group in inspection.runtime if group.clusters]
    return cluster_lines(groups[0].clusters, width) if groups else []


def _blank(lines: Lines) -> Lines:
    from rich.text import Text

    return [Text(), *lines] if lines else []


def _file(file: FileFacts, width: int) -> Lines:
    facts = [f"schema {file.schema_version}"]
    if file.description:
        facts.append(file.description)
    facts.append(count_of(len(file.subgraphs), "subgraph"))
    facts.append(count_of(sum(s.operators for s in file.subgraphs), "operator"))
    lines = labelled("Model", facts, width)
    if file.read_only:
        lines += labelled("Read-only", [file.read_only], width, style="yellow")
    for number, subgraph in enumerate(file.subgraphs[:1]):
        del number
        lines += _tensors("Inputs", subgraph.inputs, width)
        lines += _tensors("Outputs", subgraph.outputs, width)
    if len(file.subgraphs) > 1:
        names = [f"{s.name or s.index} ({s.operators})" for s in file.subgraphs]
        lines += labelled("Subgraphs", names, width)
    if file.signatures:
        lines += labelled("Signatures", [s.key for s in file.signatures], width)
    lines += labelled(
        "Operators", [f"{kind.name} {kind.count}" for kind in file.operators], width, _FEW_KINDS
    )
    if file.metadata:
        blobs = [f"{blob.name} {size(blob.bytes)}" for blob in file.metadata]
        lines += labelled("Metadata", blobs, width)
    for run in file.appended:
        lines += labelled("Appended", _appended(run), width)
    return lines + labelled("Bytes", list(_shares(file)), width)


def _tensors(label: str, tensors: tuple[TensorFacts, ...], width: int) -> Lines:
    cells = [
        f"{shorten(layer_part(t.name, ''), 40)} {type_name(t.type)} {shape(t.shape)}"
        for t in tensors
    ]
    return labelled(label, cells, width, _FEW_TENSORS) if cells else []


def _appended(run: AppendedFacts) -> list[str]:
    if not run.zip:
        return [f"{size(run.bytes)} that belong to no table"]
    return [f"zip archive of {count_of(len(run.files), 'file')}, {size(run.bytes)}", *run.files]


def _shares(file: FileFacts) -> Iterator[str]:
    parts = file.bytes
    whole = parts.weights + parts.constants + parts.metadata + parts.appended + parts.structure
    for label, value in (
        ("weights", parts.weights),
        ("other constants", parts.constants),
        ("metadata", parts.metadata),
        ("appended", parts.appended),
        ("structure", parts.structure),
    ):
        if value:
            yield f"{label} {size(value)} ({percent(value, whole)})"
    if parts.external:
        yield f"of these outside the flatbuffer {size(parts.external)}"


def _totals(inspection: Inspection, width: int) -> Lines:
    totals = inspection.totals
    zeros = [
        f"{percent(totals.zeros, totals.weights)} of {thousands(totals.weights)} weight values"
    ]
    if totals.near_zeros:
        zeros.append(
            f"another {percent(totals.near_zeros, totals.weights)} are under"
            f" {inspection.near:g} but not zero"
        )
    lines = labelled("Zeros", zeros, width)
    if totals.pointwise_weights:
        lines += labelled(
            "1x1 conv",
            [
                f"{percent(totals.pointwise_zeros, totals.pointwise_weights)} zeros",
                f"{percent(totals.pointwise_weights, totals.weights)} of the weights",
                f"{percent(totals.pointwise_macs, totals.macs)} of {_work(totals.macs)}",
            ],
            width,
        )
    elif totals.macs:
        lines += labelled("Work", [_work(totals.macs)], width)
    lines += labelled("Size", _sizes(totals), width)
    if totals.gzip_now is not None:
        sizes = [f"{size(totals.gzip_now)} now", *_change(totals.gzip_now, totals.gzip_sparse)]
        lines += labelled("After gzip", sizes, width)
    return lines


def _work(macs: int) -> str:
    return f"{millions(macs)} multiply-adds"


def _sizes(totals: Totals) -> list[str]:
    sizes = [f"{size(totals.bytes_now)} now"]
    if totals.bytes_dense != totals.bytes_now:
        sizes.append(f"{size(totals.bytes_dense)} if dense")
    return sizes + _change(totals.bytes_now, totals.bytes_sparse)


def _change(now: int, then: int | None) -> list[str]:
    if then is None or then == now or not now:
        return []
    return [f"{size(then)} if sparse ({100 * (then - now) / now:+.1f} %)"]


def _weights(inspection: Inspection, width: int) -> Lines:
    weights = inspection.weights
    known = inspection.totals.weight_tensors
    if not known:
        return []
    title = count_of(known, "weight")
    if len(weights) < known:
        title = f"{len(weights)} of {title}"
    names = [layer_part(w.name, w.uses[0].name if w.uses else "") for w in weights]
    prefix = common_prefix(names)
    types = {type_name(w.type) for w in weights}
    columns = _columns(width, mixed=len(types) > 1)
    rows = [
        [cell(weight) if cell else name[len(prefix) :] for _, cell in columns]
        for weight, name in zip(weights, names, strict=True)
    ]
    notes = ["KiB, * as stored"]
    if len(types) == 1:
        notes.insert(0, types.pop())
    if prefix:
        notes.insert(0, f"under {prefix}")
    return [
        heading(title, ", ".join(notes) if weights else "", width, path=False),
        *(table([column for column, _ in columns], rows, width) if weights else ()),
    ]


def _columns(
    width: int, *, mixed: bool
) -> list[tuple[Column, Callable[[WeightFacts], str] | None]]:
    """Each column with what fills it; None for the column of names."""
    wide = width >= _WIDE
    columns: list[tuple[Column, Callable[[WeightFacts], str] | None]] = [
        (Column("#", right=True, style="dim"), _place),
        (Column("operator"), lambda weight: _operator(weight, wide=wide)),
        (Column("weight", gives_way=True), None),
    ]
    if width >= _NARROW:
        columns.append((Column("shape", right=True), lambda weight: shape(weight.shape)))
    if mixed:
        columns.append((Column("type"), lambda weight: type_name(weight.type)))
    columns.append((Column("zeros", right=True, style="bold"), _zeros))
    if wide:
        columns += [
            (Column("near", right=True), _near),
            (Column("fill 2", right=True), lambda weight: _fill(weight, 2)),
            (Column("fill 4", right=True), lambda weight: _fill(weight, 4)),
        ]
    return [
        *columns,
        (Column("dense ", right=True), _dense),
        (Column("sparse ", right=True), _sparse),
    ]


def _place(weight: WeightFacts) -> str:
    if not weight.uses:
        return ""
    use = weight.uses[0]
    return f"{use.subgraph}:{use.operator}" if use.subgraph else str(use.operator)


def _operator(weight: WeightFacts, *, wide: bool) -> str:
    if not weight.uses:
        return "none"
    name = weight.uses[0].name
    more = f" +{len(weight.uses) - 1}" if len(weight.uses) > 1 else ""
    return (name if wide else _SHORT_OPERATORS.get(name, name)) + more


def _zeros(weight: WeightFacts) -> str:
    return "?" if weight.zeros is None else percent(weight.zeros, weight.elements, "")


def _near(weight: WeightFacts) -> str:
    return percent(weight.near_zeros, weight.elements, "") if weight.near_zeros else ""


def _fill(weight: WeightFacts, channels: int) -> str:
    return next((f"{b.fill:.0%}" for b in weight.blocks if b.channels == channels), "")


def _dense(weight: WeightFacts) -> str:
    if weight.storage == "dense":
        return f"{kib(weight.bytes_now)}*"
    return "? " if weight.bytes_dense is None else f"{kib(weight.bytes_dense)} "


def _sparse(weight: WeightFacts) -> str:
    if weight.storage == "sparse":
        return f"{kib(weight.bytes_now)}*"
    return "- " if weight.bytes_sparse is None else f"{kib(weight.bytes_sparse)} "


def _problems(inspection: Inspection, width: int) -> Lines:
    lines: Lines = []
    for problem in inspection.problems:
        lines += labelled("Problem", [f"{problem.place}: {problem.message}"], width, style="red")
    return lines
