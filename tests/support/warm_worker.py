"""A worker of LiteRT that has run a model itself before it forks for others.

What a process has done once is done for all that it forks: libraries are loaded, and the emulator
has translated their code, which is most of what a small model costs.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tflite_sparse.runtime.litert import tasks, worker

__all__: list[str] = []

_MODEL = Path(__file__).parents[2] / "testdata" / "mobilenet_tiny_80_sparse.tflite"


def _warm_up() -> None:
    """Profiles and runs a model of the common operators in this process."""
    common = {"model": str(_MODEL), "threads": 1}
    options = {"runs": 1, "shapes": [], "warmup": True, "fp16": False, "mark": None}
    tasks.perform({"task": "profile", **options, **common})
    for backend in ("xnnpack", "builtin"):
        tasks.perform(
            {"task": "run", "backend": backend, "signature": None, "feeds": [{}], **common}
        )


if __name__ == "__main__":
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    # Where LiteRT is missing, the worker says so.
    with contextlib.suppress(ImportError):
        tasks.preload()
        _warm_up()
    os.dup2(answers, 1)
    os.close(answers)
    worker.main()
