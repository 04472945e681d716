"""Latencies as JSON, described by schema/bench.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.report.json import document

if TYPE_CHECKING:
    from tflite_sparse.runtime.bench import Bench

__all__ = ["bench_document"]


def bench_document(found: Bench) -> dict[str, Any]:
    """The document of a benchmark."""
    return document("bench", found.to_dict())
