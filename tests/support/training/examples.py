"""The examples of docs/own-training.md: those of PyTorch, and that of Keras."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["KERAS_STATE", "examples"]

_PAGE = Path(__file__).parents[3] / "docs" / "own-training.md"

KERAS_STATE = "masks.npz"
"""Where the example of Keras stores its masks."""


def examples(framework: str) -> str:
    """The code of a framework, one example after the other.

    Args:
        framework: "PyTorch" or "Keras 3".
    """
    before, after = _PAGE.read_text("utf-8").split("## Keras 3\n")
    text = before if framework == "PyTorch" else after
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
