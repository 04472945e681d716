"""`python -m tflite_sparse` is the command `tflite-sparse`."""

from __future__ import annotations

import os

__all__ = ["main"]


def main() -> None:
    """Runs the program and leaves the process with its exit code."""
    from tflite_sparse.cli.signals import leave_at_once

    # A tenth of a second goes by with imports, during which a signal must not print a traceback.
    leave_at_once()
    # No matrices are multiplied here; starting threads for that takes longer than a small model.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from tflite_sparse.cli.main import run

    run()


if __name__ == "__main__":
    main()
