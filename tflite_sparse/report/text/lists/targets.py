"""The targets as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.report.text.headings import Lines
    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["target_lines"]


def target_lines(targets: Sequence[Target], width: int) -> Lines:
    """A line a target, and which one is whose.

    Args:
        targets: the targets.
        width: the room for a line in characters.
    """
    from rich.text import Text

    columns = [
        Column("target", style="bold"),
        Column("processor", gives_way=True),
        Column("runtime"),
        Column("sparse"),
    ]
    rows = [[t.name, t.title, t.runtime.name, "yes" if t.sparse else "never"] for t in targets]
    words = (
        "Phones and other 64-bit Arm boards are arm64, older ones armv7, every browser is wasm,"
        " PCs and servers are x86-avx. --target takes these names."
    )
    room = max(20, width - 2)
    return [*table(columns, rows, width), Text(), *(Text(f"  {r}") for r in wrapped(words, room))]
