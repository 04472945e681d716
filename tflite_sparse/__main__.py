"""`python -m tflite_sparse` is the command `tflite-sparse`."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Runs the program and leaves the process with its exit code."""
    from tflite_sparse.cli.signals import leave_at_once

    # A tenth of a second goes by with imports, during which a signal must not print a traceback.
    leave_at_once()
    # No matrices are multiplied here; starting threads for that takes longer than a small model.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from tflite_sparse.cli.main import run

    try:
        run()
    except SystemExit as end:
        _leave(end.code)
        raise


def _leave(code: object) -> None:
    """Ends the process here where nothing is under way any more.

    Taking the interpreter down object by object takes as long as a small model does.
    """
    import atexit
    import threading

    others = (t for t in threading.enumerate() if t is not threading.main_thread())
    if not isinstance(code, int) or not all(thread.daemon for thread in others):
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - what others have asked for still happens
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(code)


if __name__ == "__main__":
    main()
