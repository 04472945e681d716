"""Makes sparse TensorFlow Lite / LiteRT models real: inspect, sparsify, densify, prove, lint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse._lazy import import_lazily
from tflite_sparse._version import __version__

if TYPE_CHECKING:
    from tflite_sparse.errors import TfliteSparseError
    from tflite_sparse.inspection import Inspection, inspect
    from tflite_sparse.inspection.diff import ModelDiff, diff
    from tflite_sparse.model import Model
    from tflite_sparse.rewrite import (
        AdaptOptions,
        DensifyOptions,
        Rewrite,
        SparsifyOptions,
        adapt,
        densify,
        optimize,
        read,
        sparsify,
        write,
    )
    from tflite_sparse.xnnpack import plan

__all__ = [
    "AdaptOptions",
    "DensifyOptions",
    "Inspection",
    "Model",
    "ModelDiff",
    "Rewrite",
    "SparsifyOptions",
    "TfliteSparseError",
    "__version__",
    "adapt",
    "densify",
    "diff",
    "inspect",
    "optimize",
    "plan",
    "read",
    "sparsify",
    "write",
]

import_lazily(
    __name__,
    {
        "AdaptOptions": "rewrite",
        "DensifyOptions": "rewrite",
        "Inspection": "inspection",
        "Model": "model",
        "ModelDiff": "inspection.diff",
        "Rewrite": "rewrite",
        "SparsifyOptions": "rewrite",
        "TfliteSparseError": "errors",
        "adapt": "rewrite",
        "densify": "rewrite",
        "diff": "inspection.diff",
        "inspect": "inspection",
        "optimize": "rewrite",
        "plan": "xnnpack",
        "read": "rewrite",
        "sparsify": "rewrite",
        "write": "rewrite",
    },
)
