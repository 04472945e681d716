"""Where the project is found."""

from __future__ import annotations

__all__ = ["DOCS", "PROJECT"]

PROJECT = "https://github.com/tflite-sparse/tflite-sparse"
"""Its home."""

DOCS = f"{PROJECT}/blob/main/docs"
"""Its documentation."""
