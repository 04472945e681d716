"""Small models, each about one rule of the runtime or a near miss of it."""

from __future__ import annotations

from importlib import import_module

from tests.runtime_model.cases.registry import CASES, Case, possible

__all__ = ["CASES", "Case", "possible"]

for _module in (
    "entry",
    "pointwise",
    "depthwise",
    "elementwise",
    "ends",
    "clusters",
    "thresholds",
    "hints",
    "stored_values",
    "other",
    "variables",
):
    import_module(f"tests.runtime_model.cases.{_module}")
