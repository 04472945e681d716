"""An inspection as text for people: calm, complete at 80 columns, plain in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.inspection.file.gzip_size import GZIP_UP_TO
from tflite_sparse.inspection.open_batch import open_batch
from tflite_sparse.report.input_shapes import batch_words, sizes_words
from tflite_sparse.report.names import APPENDED, layer_part, shorten
from tflite_sparse.report.text.graph import graph_lines
from tflite_sparse.report.text.headings import Lines, heading, labelled, sentence
from tflite_sparse.report.text.runtime import (
    cluster_lines,
    explain_lines,
    older_lines,
    short_verdict_lines,
    verdict_lines,
)
from tflite_sparse.report.text.weight_groups import group_table
from tflite_sparse.report.text.weights import weight_details, weight_table
from tflite_sparse.report.text.zeros.if_pruned import if_pruned_lines
from tflite_sparse.words.numbers import (
    count_of,
    millions,
    percent,
    shape,
    size,
    thousands,
    type_name,
)
from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.inspection.file.file_types import AppendedFacts, FileFacts, TensorFacts
    from tflite_sparse.inspection.graph_edges import GraphOperator
    from tflite_sparse.inspection.inspection import Inspection, Totals
    from tflite_sparse.inspection.next_step import NextStep

__all__ = ["graph_report_lines", "inspection_lines", "summary_lines"]

_FEW_TENSORS = 8
_FEW_KINDS = 12


def summary_lines(
    inspection: Inspection, step: NextStep, width: int, *, what_if: bool = False
) -> Lines:
    """The first screen: the verdict, the next step, and the numbers behind them.

    Args:
        inspection: what to show.
        step: the one thing to do next.
        width: the room for a line in characters.
        what_if: whether somebody asked what zeros would win.
    """
    from rich.text import Text

    lines: Lines = [heading(inspection.path or "in memory", size(inspection.size), width)]
    verdict = short_verdict_lines(inspection.runtime, width)
    verdict += older_lines(inspection.older, width)
    lines += _blank(verdict + _sizes_said(inspection, width))
    lines += _blank(_problems(inspection, width))
    lines += _blank(step_lines(step, width))
    lines += _blank(if_pruned_lines(inspection, width, asked=what_if))
    lines += _blank(_three_numbers(inspection.totals, width))
    return [*lines, Text(), Text("  more: --weights, --explain, --graph", "dim")]


def step_lines(step: NextStep, width: int) -> Lines:
    """The one thing to do next, with its command on a line of its own, to be copied whole.

    Args:
        step: it.
        width: the room for a line in characters.
    """
    from rich.text import Text

    lines: Lines = [Text.assemble(("  Next: ", "bold"), (step.title, "bold"))]
    words = f"{step.gain} {step.why}".strip()
    lines += [Text(f"    {row}") for row in wrapped(words, max(20, width - 4))]
    return [*lines, Text(f"    $ {step.command}", "bold")] if step.command else lines


def _three_numbers(totals: Totals, width: int) -> Lines:
    if totals.pointwise_weights or totals.wide_zeros:
        zeros, work = _by_width(totals)
        lines = labelled("Zeros", zeros, width) + labelled("Work", work, width)
    else:
        share = percent(totals.zeros, totals.weights)
        lines = labelled("Zeros", [f"{share} of {thousands(totals.weights)} weights"], width)
        lines += labelled("Work", [_work(totals.macs)], width)
    return lines + labelled("Size", _sizes(totals), width)


def _by_width(totals: Totals) -> tuple[list[str], list[str]]:
    """Zeros and work in 1x1 convolutions, and in wider ones where these have zeros."""
    zeros, work = [], []
    if totals.pointwise_weights:
        share = percent(totals.pointwise_zeros, totals.pointwise_weights)
        zeros.append(f"{share} of the weights of 1x1 convolutions")
        share = percent(totals.pointwise_macs, totals.macs)
        work.append(f"{share} of {_work(totals.macs)} in 1x1 convolutions")
    if totals.wide_zeros:
        share = percent(totals.wide_zeros, totals.wide_weights)
        zeros.append(f"{share} of {'those' if zeros else 'the weights'} of wider ones")
        share = percent(totals.wide_macs, totals.macs)
        work.append(f"{share} in wider ones" if work else f"{share} of {_work(totals.macs)} there")
    return zeros, work


def inspection_lines(
    inspection: Inspection,
    width: int,
    *,
    explain: bool = False,
    blocks: Sequence[GraphOperator] | None = None,
    top: int = 0,
    step: NextStep | None = None,
) -> Lines:
    """The lines of a whole inspection.

    Args:
        inspection: what to show.
        width: the room for a line in characters.
        explain: whether to show what the runtime does with each operator.
        blocks: the operators, to sum weights up by block; None to show each weight.
        top: how many blocks to show, the largest ones; 0 for all.
        step: the one thing to do next; None leaves it out.
    """
    lines: Lines = [heading(inspection.path or "in memory", size(inspection.size), width)]
    lines += _blank(_verdict(inspection, width))
    lines += _blank(step_lines(step, width) if step else [])
    lines += _blank(_file(inspection.file, width))
    lines += _blank(_totals(inspection, width))
    lines += _blank(_clusters(inspection, width))
    if blocks is None:
        lines += _blank(weight_table(inspection, width))
    else:
        lines += _blank(group_table(inspection, blocks, width, top=top))
    if explain:
        lines += _blank(weight_details(inspection.weights, width))
        lines += _blank(explain_lines(inspection.runtime, width))
    lines += _blank(_problems(inspection, width))
    return lines


def graph_report_lines(
    inspection: Inspection,
    operators: Sequence[GraphOperator],
    width: int,
    *,
    step: NextStep | None = None,
) -> Lines:
    """The verdict, and the graph that it is about.

    Args:
        inspection: what to show, with all operators.
        operators: who reads whom.
        width: the room for a line in characters.
        step: the one thing to do next; None leaves it out.
    """
    lines: Lines = [heading(inspection.path or "in memory", size(inspection.size), width)]
    lines += _blank(_verdict(inspection, width))
    lines += _blank(step_lines(step, width) if step else [])
    lines += _blank(graph_lines(inspection, operators, width))
    lines += _blank(_problems(inspection, width))
    return lines


def _verdict(inspection: Inspection, width: int) -> Lines:
    lines = verdict_lines(inspection.runtime, width) + older_lines(inspection.older, width)
    return lines + _sizes_said(inspection, width)


def _sizes_said(inspection: Inspection, width: int) -> Lines:
    """For which sizes it is said, and that a batch is open where a page takes none."""
    said = sizes_words(inspection.input_shapes, "planned")
    open_one = batch_words(open_batch(inspection))
    return [line for words in (said, open_one) if words for line in sentence(words, width)]


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
        return [f"{size(run.bytes)} {APPENDED[run.kind]}"]
    return [f"zip archive of {count_of(len(run.files), 'file')}, {size(run.bytes)}", *run.files]


def _shares(file: FileFacts) -> Iterator[str]:
    parts = file.bytes
    accounted = parts.weights + parts.constants + parts.metadata + parts.appended
    whole = accounted + parts.custom_options + parts.structure
    for label, value in (
        ("weights", parts.weights),
        ("other constants", parts.constants),
        ("metadata", parts.metadata),
        ("appended", parts.appended),
        ("options of custom operators", parts.custom_options),
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
            f" {inspection.near:g} in magnitude"
        )
        zeros.append(f"'tflite-sparse sparsify --zero-below {inspection.near:g}' makes them zero")
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
    if totals.activations:
        words = [f"{size(totals.activations)} of activations alive at once"]
        lines += labelled("Memory", words, width)
    if totals.gzip_now is not None:
        sizes = [f"{size(totals.gzip_now)} now", *_change(totals.gzip_now, totals.gzip_sparse)]
        lines += labelled("After gzip", sizes, width)
    elif totals.bytes_now > GZIP_UP_TO:
        lines += labelled("After gzip", ["not computed for a large file; --gzip does"], width)
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


def _problems(inspection: Inspection, width: int) -> Lines:
    lines: Lines = []
    for problem in inspection.problems:
        lines += labelled("Problem", [f"{problem.place}: {problem.message}"], width, style="red")
    return lines
