"""Makes sparse TensorFlow Lite / LiteRT models real: inspect, sparsify, densify, prove, lint."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tflite_sparse._version import __version__

if TYPE_CHECKING:
    from tflite_sparse.comparison.model_diff import ModelDiff
    from tflite_sparse.errors import TfliteSparseError
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.library.looks import diff, inspect, lint_models, write_report
    from tflite_sparse.library.models import read, write
    from tflite_sparse.library.pruning import prune
    from tflite_sparse.library.rewrites import adapt, densify, optimize, sparsify
    from tflite_sparse.library.sweeps import sweep
    from tflite_sparse.model import Model
    from tflite_sparse.model.tflite_tree import from_tflite
    from tflite_sparse.pruning.judge import judge
    from tflite_sparse.pruning.options import PruneOptions
    from tflite_sparse.pruning.result import PrunedModel
    from tflite_sparse.rewrite.adapt.options import AdaptOptions
    from tflite_sparse.rewrite.changes import Rewrite
    from tflite_sparse.rewrite.compress import compress
    from tflite_sparse.rewrite.storage.store_values import store_values
    from tflite_sparse.runtime.bench import bench
    from tflite_sparse.runtime.verify import verify
    from tflite_sparse.storage.options import (
        DensifyOptions,
        SparsifyOptions,
        WeightSelection,
    )
    from tflite_sparse.storage.values.options import StoredValues, ValuesOptions
    from tflite_sparse.sweeping.options import SweepOptions
    from tflite_sparse.sweeping.result import Sweep
    from tflite_sparse.xnnpack.plan import plan

__all__ = [
    "AdaptOptions",
    "DensifyOptions",
    "Inspection",
    "Model",
    "ModelDiff",
    "PruneOptions",
    "PrunedModel",
    "Rewrite",
    "SparsifyOptions",
    "StoredValues",
    "Sweep",
    "SweepOptions",
    "TfliteSparseError",
    "ValuesOptions",
    "WeightSelection",
    "__version__",
    "adapt",
    "bench",
    "compress",
    "densify",
    "diff",
    "from_tflite",
    "inspect",
    "judge",
    "lint_models",
    "optimize",
    "plan",
    "prune",
    "read",
    "sparsify",
    "store_values",
    "sweep",
    "verify",
    "write",
    "write_report",
]

# Each public name is imported when it is first asked for: a command pays for what it uses alone.
_HOMES = {
    "AdaptOptions": "rewrite.adapt.options",
    "DensifyOptions": "storage.options",
    "Inspection": "inspection.inspection",
    "Model": "model",
    "ModelDiff": "comparison.model_diff",
    "PruneOptions": "pruning.options",
    "PrunedModel": "pruning.result",
    "Rewrite": "rewrite.changes",
    "SparsifyOptions": "storage.options",
    "StoredValues": "storage.values.options",
    "Sweep": "sweeping.result",
    "SweepOptions": "sweeping.options",
    "TfliteSparseError": "errors",
    "ValuesOptions": "storage.values.options",
    "WeightSelection": "storage.options",
    "adapt": "library.rewrites",
    "bench": "runtime.bench",
    "compress": "rewrite.compress",
    "densify": "library.rewrites",
    "diff": "library.looks",
    "from_tflite": "model.tflite_tree",
    "inspect": "library.looks",
    "judge": "pruning.judge",
    "lint_models": "library.looks",
    "optimize": "library.rewrites",
    "plan": "xnnpack.plan",
    "prune": "library.pruning",
    "read": "library.models",
    "sparsify": "library.rewrites",
    "store_values": "rewrite.storage.store_values",
    "sweep": "library.sweeps",
    "verify": "runtime.verify",
    "write": "library.models",
    "write_report": "library.looks",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
