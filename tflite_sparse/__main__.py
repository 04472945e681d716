"""`python -m tflite_sparse` is the command `tflite-sparse`."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Runs the program and leaves the process with its exit code."""
    from tflite_sparse.cli._signals import leave_at_once

    # Most of a second goes by with imports, during which a signal must not print a traceback.
    leave_at_once()
    from tflite_sparse.cli.main import run

    run()


if __name__ == "__main__":
    main()
