"""Model -> Inspection: frozen dataclasses that say everything the tool knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse._lazy import import_lazily

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspector import inspect
    from tflite_sparse.inspection.results import Inspection
    from tflite_sparse.inspection.selection import Selection, select
    from tflite_sparse.inspection.weight_results import WeightFacts

__all__ = ["Inspection", "Selection", "WeightFacts", "inspect", "select"]

# The names of a model, for one, need nothing of the rest.
import_lazily(
    __name__,
    {
        "Inspection": "results",
        "Selection": "selection",
        "WeightFacts": "weight_results",
        "inspect": "inspector",
        "select": "selection",
    },
)
