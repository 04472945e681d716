"""What -v says of a sweep while it goes on."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from tflite_sparse.cli.progress import log_step
from tflite_sparse.cli.usage.verbosity import is_verbose

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.cli.progress import Update

__all__ = ["told"]

_CLEAR = "\r\x1b[K"
_MAKING = "points and rivals"


def told(update: Update) -> Callable[[int, int, str | None], None]:
    """Shows a bar, and with -v writes a line of each step, with the seconds since the beginning.

    Args:
        update: what shows the bar.
    """
    started = time.monotonic()

    def tell(done: int, total: int, title: str | None = None) -> None:
        update(done, total, title)
        if is_verbose():
            if sys.stderr.isatty():
                sys.stderr.write(_CLEAR)
            log_step(started, f"{title or _MAKING}: {done} of {total}")

    return tell
