"""Drivers of real runtimes, each an optional extra that is found when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse._lazy import import_lazily

if TYPE_CHECKING:
    from tflite_sparse.runtime.bench import bench
    from tflite_sparse.runtime.litert import profile, run, time_models
    from tflite_sparse.runtime.verify import verify, verify_files

__all__ = ["bench", "profile", "run", "time_models", "verify", "verify_files"]

# The worker process needs none of these.
import_lazily(
    __name__,
    {
        "bench": "bench",
        "profile": "litert",
        "run": "litert",
        "time_models": "litert",
        "verify": "verify",
        "verify_files": "verify",
    },
)
