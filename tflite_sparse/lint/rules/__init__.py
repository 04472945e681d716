"""The rules, a module for each family; importing this registers them all."""

from tflite_sparse.lint.rules import budgets, format, portability, safety, size, speed  # noqa: A004

__all__ = ["budgets", "format", "portability", "safety", "size", "speed"]
