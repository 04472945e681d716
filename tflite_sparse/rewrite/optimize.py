"""The main road: adapt a model, then store its weights sparse."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.rewrite.changes import OperatorChange
from tflite_sparse.rewrite.storage.sparsify import sparsify

if TYPE_CHECKING:
    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.adapt.options import AdaptOptions
    from tflite_sparse.rewrite.changes import Rewrite
    from tflite_sparse.rewrite.storage.options import SparsifyOptions

__all__ = ["optimize"]


def optimize(
    model: Model,
    options: AdaptOptions | None = None,
    storage: SparsifyOptions | None = None,
) -> Rewrite:
    """Adapts a model where that pays, and stores its weights sparse where that is smaller.

    Args:
        model: the model; it is replaced in place by the result.
        options: how it is adapted.
        storage: how its weights are stored.

    Returns:
        What was done: what `adapt` did, and the changes of `sparsify`.

    Raises:
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding in the model is malformed.
    """
    adapted = adapt(model, options)
    stored = sparsify(model, storage)
    return replace(
        stored,
        kind="optimize",
        adaptation=adapted.adaptation,
        operators=_joined(adapted.operators, stored.operators),
        min_runtime_version=_versions(adapted, stored),
        expected=(*adapted.expected, *stored.expected),
    )


def _versions(first: Rewrite, second: Rewrite) -> tuple[str, str] | None:
    raised = [r.min_runtime_version for r in (first, second) if r.min_runtime_version is not None]
    return (raised[0][0], raised[-1][1]) if raised else None


def _joined(*changes: tuple[OperatorChange, ...]) -> tuple[OperatorChange, ...]:
    more: Counter[str] = Counter()
    versions: dict[str, tuple[tuple[int, int, int], ...]] = {}
    for change in (change for some in changes for change in some):
        more[change.name] += change.added - change.removed
        versions[change.name] = (*versions.get(change.name, ()), *change.versions)
    return tuple(
        OperatorChange(name, max(count, 0), max(-count, 0), versions[name])
        for name, count in more.items()
        if count or versions[name]
    )
