"""`python -m tflite_sparse` is the command `tflite-sparse`."""

from __future__ import annotations

from tflite_sparse.cli.main import run

if __name__ == "__main__":
    run()
