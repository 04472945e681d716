"""What the file says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.names import APPENDED
from tflite_sparse.words.numbers import listing, shape, size, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.file.file_types import FileFacts, TensorFacts
    from tflite_sparse.report.html.subject import PageModel

__all__ = ["FileFact", "file_view"]

_FEW = 8


class FileFact(msgspec.Struct, frozen=True):
    """A fact about the file.

    Attributes:
        name: what it is about.
        value: the fact as text.
        items: the fact as a list instead; None where it is text.
        code: whether the text is one for machines.
    """

    name: str
    value: str = ""
    items: tuple[str, ...] | None = None
    code: bool = False


def file_view(model: PageModel) -> tuple[FileFact, ...]:
    """The facts of the file."""
    facts = tuple(_facts(model.inspection.file))
    digest = model.inspection.sha256
    return (*facts, FileFact("SHA-256", digest, code=True)) if digest else facts


def _facts(file: FileFacts) -> Iterator[FileFact]:
    yield FileFact("schema", str(file.schema_version))
    if file.description:
        yield FileFact("description", file.description)
    if file.read_only:
        yield FileFact("read-only", file.read_only)
    for subgraph in file.subgraphs[:1]:
        yield FileFact("inputs", items=_tensors(subgraph.inputs))
        yield FileFact("outputs", items=_tensors(subgraph.outputs))
    if len(file.subgraphs) > 1:
        yield FileFact("subgraphs", str(len(file.subgraphs)))
    if file.signatures:
        yield FileFact("signatures", listing([signature.key for signature in file.signatures]))
    yield FileFact("operators", ", ".join(f"{kind.name} {kind.count}" for kind in file.operators))
    if file.metadata:
        blobs = ", ".join(f"{blob.name} {size(blob.bytes)}" for blob in file.metadata)
        yield FileFact("metadata", blobs)
    for run in file.appended:
        files = f", zip archive: {', '.join(run.files) or 'empty'}"
        what = files if run.zip else f" {APPENDED[run.kind]}"
        yield FileFact("appended", f"{size(run.bytes)}{what}")


def _tensors(tensors: tuple[TensorFacts, ...]) -> tuple[str, ...]:
    shown = [f"{t.name} {type_name(t.type)} {shape(t.shape)}" for t in tensors[:_FEW]]
    if len(tensors) > _FEW:
        shown.append(f"and {len(tensors) - _FEW} more")
    return tuple(shown)
