"""Compares two models: what they mean, and how they store it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tflite_sparse.comparison.adapted_pair import (
    is_adapted_pair,
    is_reordered_pair,
    is_rounded_pair,
)
from tflite_sparse.comparison.diff_types import BlobDiff, KindDiff, ModelDiff, Side, WeightDiff
from tflite_sparse.comparison.graph_diff import GraphComparison
from tflite_sparse.flatbuffer.appended import relocated
from tflite_sparse.flatbuffer.byte_code import without_offset
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from tflite_sparse.model import Buffer, Model, Signature, Tensor

__all__ = ["BlobDiff", "KindDiff", "ModelDiff", "Side", "WeightDiff", "diff"]

# Says which runtime the file needs, not what it computes.
_STORAGE_METADATA = frozenset({"min_runtime_version"})


def diff(before: Model, after: Model) -> ModelDiff:
    """Compares two models.

    A DENSIFY belongs to the way a constant is stored, not to what the model computes; so does the
    version of an operator.

    Args:
        before: the first model.
        after: the second model.

    Raises:
        EncodingError: a sparse encoding is malformed.
        ModelError: a buffer does not fit its tensor.
    """
    graph: list[str] = []
    weights: list[WeightDiff] = []
    same = 0
    if len(before.subgraphs) != len(after.subgraphs):
        graph.append(f"{len(before.subgraphs)} subgraphs, now {len(after.subgraphs)}")
    for a, b in zip(before.subgraphs, after.subgraphs, strict=False):
        comparison = GraphComparison(a, b)
        graph += comparison.differences
        weights += [w for w in comparison.weights if not (w.equal and w.same_storage)]
        same += sum(w.equal and w.same_storage for w in comparison.weights)
    signatures = _signatures(before, after)
    metadata = _metadata(before, after)
    appended = _appended(before) == _appended(after)
    # Weights that were only stored otherwise are none that another graph reads.
    adapted = False
    if not signatures and graph:
        adapted = is_adapted_pair(before, after)
    elif not signatures and any(not weight.equal for weight in weights):
        adapted = is_reordered_pair(before, after)
    changed = bool(graph) or any(not weight.equal for weight in weights)
    rounded = not signatures and changed and not adapted and is_rounded_pair(before, after)
    return ModelDiff(
        before=before.name,
        after=after.name,
        equal=not graph
        and not signatures
        and all(weight.equal for weight in weights)
        and all(blob.name in _STORAGE_METADATA for blob in metadata),
        size_before=before.size,
        size_after=after.size,
        weights=tuple(weights),
        same_weights=same,
        operators=_operators(before, after),
        graph=tuple(graph),
        signatures=tuple(signatures),
        metadata=tuple(metadata),
        tensors_before=sum(len(g.tensors) for g in before.subgraphs),
        tensors_after=sum(len(g.tensors) for g in after.subgraphs),
        appended_equal=appended,
        adapted=adapted,
        rounded=rounded,
    )


def _operators(before: Model, after: Model) -> tuple[KindDiff, ...]:
    first, second = (
        Counter((readable(op.custom_code or op.name), op.version) for op in model.operators())
        for model in (before, after)
    )
    return tuple(
        KindDiff(name, version, first[name, version], second[name, version])
        for name, version in sorted({*first, *second})
        if first[name, version] != second[name, version]
    )


def _signatures(before: Model, after: Model) -> list[str]:
    first, second = ({s.key: s for s in model.signatures} for model in (before, after))
    differences = []
    for key in [*first, *(key for key in second if key not in first)]:
        if key not in second:
            differences.append(f"signature {readable(key)!r} is gone")
        elif key not in first:
            differences.append(f"signature {readable(key)!r} is new")
        elif _ends(first[key]) != _ends(second[key]):
            differences.append(f"signature {readable(key)!r} has other inputs or outputs")
    return differences


def _ends(signature: Signature) -> object:
    def side(pairs: tuple[tuple[str, Tensor], ...]) -> object:
        return sorted((name, t.type, t.shape, t.shape_signature or t.shape) for name, t in pairs)

    return signature.subgraph.index, side(signature.inputs), side(signature.outputs)


def _metadata(before: Model, after: Model) -> list[BlobDiff]:
    first, second = ({m.name: m.buffer for m in model.metadata} for model in (before, after))
    blobs = []
    for name in [*first, *(name for name in second if name not in first)]:
        a, b = first.get(name), second.get(name)
        if a is not None and b is not None and _content(before, a) == _content(after, b):
            continue
        sizes = (None if a is None else a.nbytes, None if b is None else b.nbytes)
        blobs.append(BlobDiff(readable(name), *sizes))
    return blobs


def _content(model: Model, buffer: Buffer) -> object:
    """What a blob says; the place of byte code in the file is none of that."""
    place = next((c for c in model.file.byte_code if c.table is buffer.table), None)
    return buffer.data.tobytes() if place is None else without_offset(place)


def _appended(model: Model) -> list[bytes]:
    """What is appended, as it would read at one and the same place in the file."""
    return [relocated(run, 0).tobytes() for run in model.appended]
