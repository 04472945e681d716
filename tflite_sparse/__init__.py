"""Makes sparse TensorFlow Lite / LiteRT models real: inspect, sparsify, densify, prove, lint."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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

_HOMES = {
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
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for, so that the import itself costs nothing."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
