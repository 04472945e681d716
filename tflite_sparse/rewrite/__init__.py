"""Model -> Model and a list of changes: sparsify, densify, adapt, optimize."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse._lazy import import_lazily

if TYPE_CHECKING:
    from tflite_sparse.rewrite.adapt import adapt
    from tflite_sparse.rewrite.adapt.results import AdaptOptions
    from tflite_sparse.rewrite.densify import densify
    from tflite_sparse.rewrite.optimize import optimize
    from tflite_sparse.rewrite.options import Choice, DensifyOptions, SparsifyOptions
    from tflite_sparse.rewrite.results import Left, OperatorChange, Rewrite, WeightChange, WeightId
    from tflite_sparse.rewrite.saving import read, save, write
    from tflite_sparse.rewrite.sparsify import sparsify

__all__ = [
    "AdaptOptions",
    "Choice",
    "DensifyOptions",
    "Left",
    "OperatorChange",
    "Rewrite",
    "SparsifyOptions",
    "WeightChange",
    "WeightId",
    "adapt",
    "densify",
    "optimize",
    "read",
    "save",
    "sparsify",
    "write",
]

import_lazily(
    __name__,
    {
        "AdaptOptions": "adapt.results",
        "Choice": "options",
        "DensifyOptions": "options",
        "Left": "results",
        "OperatorChange": "results",
        "Rewrite": "results",
        "SparsifyOptions": "options",
        "WeightChange": "results",
        "WeightId": "results",
        "adapt": "adapt",
        "densify": "densify",
        "optimize": "optimize",
        "read": "saving",
        "save": "saving",
        "sparsify": "sparsify",
        "write": "saving",
    },
)
