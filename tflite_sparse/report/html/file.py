"""What the file says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.html.markup import Markup, el, join
from tflite_sparse.words.numbers import listing, shape, size, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.file.file_types import FileFacts, TensorFacts
    from tflite_sparse.report.html.subject import PageModel

__all__ = ["file_section"]

_FEW = 8


def file_section(model: PageModel, number: int) -> Markup:
    """The section with the facts of the file."""
    head = f"m{number}-file"
    facts = list(_facts(model.inspection.file))
    if model.inspection.sha256:
        facts.append(("SHA-256", el("code", model.inspection.sha256)))
    pairs = [join(el("dt", name), el("dd", value)) for name, value in facts]
    return el(
        "section",
        el("h3", "The file", id=head),
        el("dl", pairs, class_="facts"),
        class_="card",
        aria_labelledby=f"m{number}-title {head}",
    )


def _facts(file: FileFacts) -> Iterator[tuple[str, str]]:
    yield "schema", str(file.schema_version)
    if file.description:
        yield "description", file.description
    if file.read_only:
        yield "read-only", file.read_only
    for subgraph in file.subgraphs[:1]:
        yield "inputs", _ends(subgraph.inputs)
        yield "outputs", _ends(subgraph.outputs)
    if len(file.subgraphs) > 1:
        yield "subgraphs", str(len(file.subgraphs))
    if file.signatures:
        yield "signatures", listing([signature.key for signature in file.signatures])
    yield "operators", ", ".join(f"{kind.name} {kind.count}" for kind in file.operators)
    if file.metadata:
        yield "metadata", ", ".join(f"{blob.name} {size(blob.bytes)}" for blob in file.metadata)
    for run in file.appended:
        what = f"zip archive: {', '.join(run.files) or 'empty'}" if run.zip else "no zip archive"
        yield "appended", f"{size(run.bytes)}, {what}"


def _ends(tensors: tuple[TensorFacts, ...]) -> Markup:
    shown = [f"{t.name} {type_name(t.type)} {shape(t.shape)}" for t in tensors[:_FEW]]
    if len(tensors) > _FEW:
        shown.append(f"and {len(tensors) - _FEW} more")
    return el("ul", [el("li", text) for text in shown])
