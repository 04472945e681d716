"""The rules, a module for each family; importing this registers them all."""

from tflite_sparse.lint.rules import (
    budgets,
    format,  # noqa: A004
    gains,
    portability,
    releases,
    safety,
    size,
    speed,
)

__all__ = [
    "budgets",
    "format",
    "gains",
    "portability",
    "releases",
    "safety",
    "size",
    "speed",
]
