"""What the race ran on."""

from __future__ import annotations

import os
import platform

from tflite_sparse.runtime.litert import processor

__all__ = ["load", "machine"]


def machine() -> str:
    """The machine in words: processor, cores, memory, system; nothing that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0))
    return (
        f"{processor.name()}, {cores} cores, {memory / 2**30:.0f} GiB of memory, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def load() -> str:
    """How many processes wanted to run, on average over the last 5 minutes."""
    return f"{os.getloadavg()[1]:.1f}"
