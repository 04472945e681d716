"""Fixers that store weights another way, or repair the graph so that they may stay as they are."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tflite_sparse.lint.fixers.fixer import Repair, fixer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.lint.finding import Finding
    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.changes import Rewrite

__all__ = ["mend_heads", "store_dense", "store_larger_dense", "store_sparse"]


@fixer("mend-heads", "repairs what follows reductions, so that the weights can stay sparse")
def mend_heads(model: Model, findings: Sequence[Finding]) -> Repair | None:
    """Lets reductions end the sparse layout."""
    from tflite_sparse.rewrite.adapt.options import AdaptOptions
    from tflite_sparse.rewrite.adapt.planner import adapt

    rewrite = adapt(model, AdaptOptions(only=("heads",)))
    if rewrite.adaptation is None or not rewrite.adaptation.done:
        return None
    count = len(rewrite.adaptation.steps)
    message = f"let {count} MEAN or SUM end the sparse layout, {_because_of(findings)}"
    return Repair(message, _written(rewrite))


@fixer("store-dense", "takes away the sparse storage that breaks the model")
def store_dense(model: Model, findings: Sequence[Finding]) -> Repair | None:
    """Stores all weights dense."""
    from tflite_sparse.rewrite.storage.densify import densify

    rewrite = densify(model)
    if not rewrite.changed:
        return None
    message = f"stored {len(rewrite.weights)} weights dense, {_because_of(findings)}"
    return Repair(message, _written(rewrite))


@fixer("store-larger-dense", "takes away the sparse storage that only costs bytes")
def store_larger_dense(model: Model, findings: Sequence[Finding]) -> Repair | None:
    """Stores the weights that were found dense."""
    from tflite_sparse.rewrite.storage.densify import densify
    from tflite_sparse.storage.options import DensifyOptions, WeightSelection

    names = tuple(_literal(finding.spot.tensor) for finding in findings if finding.spot is not None)
    rewrite = densify(model, DensifyOptions(selection=WeightSelection(only=names)))
    if not rewrite.changed:
        return None
    message = f"stored {len(rewrite.weights)} weights dense, that are smaller so"
    return Repair(message, _written(rewrite))


@fixer("store-sparse", "stores weights sparse where that is safe and smaller")
def store_sparse(model: Model, _: Sequence[Finding]) -> Repair | None:
    """Stores weights sparse."""
    from tflite_sparse.rewrite.storage.sparsify import sparsify

    rewrite = sparsify(model)
    if not rewrite.weights:
        return None
    saved = rewrite.bytes_before - rewrite.bytes_after
    message = f"stored {len(rewrite.weights)} weights sparse, {saved:,} bytes less"
    return Repair(message, _written(rewrite))


def _because_of(findings: Sequence[Finding]) -> str:
    return f"because of {', '.join(sorted({finding.code for finding in findings}))}"


def _literal(name: str | None) -> str:
    """A name as a glob pattern that matches only itself."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name or "")


def _written(rewrite: Rewrite) -> bytes:
    from tflite_sparse.rewrite.writing.save import save

    memory = io.BytesIO()
    save(rewrite, memory)
    return memory.getvalue()
