"""What the help of every command ends with: an example that works, and where more is told."""

from __future__ import annotations

from tflite_sparse.cli.errors import PROGRAM
from tflite_sparse.words.addresses import DOCS

__all__ = ["EXAMPLES", "address", "epilog"]

EXAMPLES = {
    "inspect": "model.tflite",
    "prune": "model.tflite -o pruned.tflite",
    "sweep": "model.tflite -o sweep.csv",
    "optimize": "model.tflite -o fast.tflite",
    "adapt": "model.tflite -o adapted.tflite",
    "sparsify": "model.tflite -o sparse.tflite",
    "compress": "model.tflite -o small.tflite",
    "densify": "sparse.tflite -o dense.tflite",
    "diff": "model.tflite fast.tflite",
    "report": "model.tflite -o report.html",
    "overlay": "model.tflite -o overlay.json",
    "verify": "model.tflite fast.tflite",
    "profile": "fast.tflite --emulate",
    "bench": "model.tflite fast.tflite --on web",
    "lint": "models/ --format github",
    "runtime": "install arm64",
    "rules": "",
    "rule": "TFS301",
    "targets": "",
}
"""Arguments of an example by the name of the command."""


def epilog(command: str) -> str:
    """The end of the help of a command; paragraphs stay as they are.

    Args:
        command: its name.
    """
    example = EXAMPLES.get(command)
    lines = [] if example is None else [f"Example: {PROGRAM} {command} {example}".rstrip()]
    return "\n\n".join([*lines, address(f"commands/{command}.md")])


def address(page: str) -> str:
    """The line that names a page of the documentation, in one piece at any width.

    Args:
        page: its path among the pages.
    """
    return f"\b\nMore: {DOCS}/{page}"
