"""Model -> Inspection: frozen dataclasses that say everything the tool knows."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspector import inspect
    from tflite_sparse.inspection.results import Inspection
    from tflite_sparse.inspection.selection import Selection, select
    from tflite_sparse.inspection.weight_results import WeightFacts

__all__ = ["Inspection", "Selection", "WeightFacts", "inspect", "select"]

# Imported when asked for: the names of a model, for one, need nothing of the rest.
_HOMES = {
    "Inspection": "results",
    "Selection": "selection",
    "WeightFacts": "weight_results",
    "inspect": "inspector",
    "select": "selection",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
