"""Fixers that drop what nothing needs and put right what lies about the model in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.equal_buffers import equal_buffers
from tflite_sparse.lint.fixers.fixer import Repair, fixer
from tflite_sparse.model.dead_code import dead_buffers, dead_tensors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.lint.finding import Finding
    from tflite_sparse.model import Model

__all__ = ["align_buffers", "drop_tensors", "empty_buffers", "raise_version", "share_buffers"]


@fixer("share-buffers", "lets tensors with the same bytes share one buffer")
def share_buffers(model: Model, findings: Sequence[Finding]) -> Repair | None:
    """Points tensors to the first of equal buffers and empties the others."""
    del findings
    moved = 0
    for first, *others in equal_buffers(model):
        spare = set(others)
        for subgraph in model.subgraphs:
            for tensor in subgraph.tensors:
                if tensor.buffer in spare:
                    tensor.store_in(first)
                    moved += 1
    if not moved:
        return None
    saved = _empty_dead_buffers(model)[1]
    return Repair(f"let {moved} tensors share buffers, {saved:,} bytes less")


@fixer("drop-tensors", "removes tensors that nothing uses, and their data")
def drop_tensors(model: Model, findings: Sequence[Finding]) -> Repair | None:
    """Removes dead tensors."""
    del findings
    count = 0
    for subgraph in model.subgraphs:
        dead = dead_tensors(subgraph)
        subgraph.remove(tensors=dead)
        count += len(dead)
    if not count:
        return None
    _empty_dead_buffers(model)
    return Repair(f"removed {count} tensors that nothing uses")


@fixer("empty-buffers", "empties buffers that nothing refers to")
def empty_buffers(model: Model, findings: Sequence[Finding]) -> Repair | None:
    """Empties dead buffers."""
    del findings
    count, saved = _empty_dead_buffers(model)
    return Repair(f"emptied {count} buffers, {saved:,} bytes less") if count else None


@fixer("raise-version", "raises min_runtime_version to what the operators need")
def raise_version(model: Model, findings: Sequence[Finding]) -> Repair | None:
    """Raises the version that the metadata state."""
    from tflite_sparse.rewrite.writing.runtime_version import needed_version, raise_runtime_version

    del findings
    needed = needed_version(model)
    if needed is None:
        return None
    raised = raise_runtime_version(model, ".".join(map(str, needed)))
    if raised is None:
        return None
    return Repair(f"raised min_runtime_version from {raised.before} to {raised.after}")


@fixer("align-buffers", "aligns all buffers to 16 bytes")
def align_buffers(model: Model, findings: Sequence[Finding]) -> Repair | None:
    """Nothing to edit: whatever is written anew is aligned."""
    del model, findings
    return Repair("aligned all buffers to 16 bytes")


def _empty_dead_buffers(model: Model) -> tuple[int, int]:
    """Empties what nothing refers to; how many buffers, and how many bytes they held."""
    dead = dead_buffers(model)
    saved = sum(buffer.nbytes for buffer in dead)
    for buffer in dead:
        buffer.clear()
    return len(dead), saved
