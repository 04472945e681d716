"""Writes what `tflite-sparse inspect` says of the models in testdata/ to testdata/golden/.

    python -m tests.support.docs.make_goldens

`tests/test_cli_inspect.py` holds the program to these files: read the difference before you commit.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tflite_sparse._version import __version__

__all__ = ["GOLDEN", "MODELS", "TESTDATA", "VIEWS", "say"]

TESTDATA = Path(__file__).parents[3] / "testdata"
GOLDEN = TESTDATA / "golden"
MODELS = ("mobilenet_tiny_80", "mobilenet_tiny_80_same", "mobilenet_tiny_80_sparse")

VIEWS: dict[str, list[str]] = {
    "txt": [],
    "weights.txt": ["--weights"],
    "explain.txt": ["--explain", "--target", "arm64", "--top", "3"],
    "graph.txt": ["--graph", "--target", "arm64"],
    "group.txt": ["--group", "--target", "arm64"],
    "json": ["--json", "--target", "arm64"],
}
"""Ending of the golden file -> options."""


def say(model: str, options: list[str]) -> str:
    """What the program prints about a model, with its version left out."""
    environment = {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(TESTDATA.parent)}
    done = subprocess.run(
        [sys.executable, "-m", "tflite_sparse", "inspect", f"{model}.tflite", *options],
        capture_output=True,
        text=True,
        check=True,
        cwd=TESTDATA,
        env=environment,
        encoding="utf-8",
    )
    return done.stdout.replace(f'"version": "{__version__}"', '"version": "VERSION"')


def main() -> None:
    """Writes all golden files anew."""
    GOLDEN.mkdir(exist_ok=True)
    for model in MODELS:
        for ending, options in VIEWS.items():
            text = say(model, options)
            (GOLDEN / f"inspect_{model}.{ending}").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
