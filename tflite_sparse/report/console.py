"""Where text for people goes: colours on a terminal, plain text into a pipe or a file."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["make_console"]


def make_console(stream: IO[str] | None = None, *, width: int | None = None) -> Console:
    """A console that prints text as it is: no markup, no guesses about what to colour.

    On a terminal it is as wide as that, elsewhere 80 columns or what COLUMNS says. NO_COLOR and
    TERM=dumb are respected.

    Args:
        stream: where to print; stdout when None.
        width: columns, for tests and files.
    """
    from rich.console import Console

    return Console(
        file=stream, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False
    )
