"""Drivers of real runtimes, each an optional extra that is found when it is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tflite_sparse.runtime.bench import bench
    from tflite_sparse.runtime.litert import profile, run, time_models
    from tflite_sparse.runtime.verify import verify, verify_files

__all__ = ["bench", "profile", "run", "time_models", "verify", "verify_files"]

# Imported when asked for: the worker process needs none of these.
_HOMES = {
    "bench": "bench",
    "profile": "litert",
    "run": "litert",
    "time_models": "litert",
    "verify": "verify",
    "verify_files": "verify",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
