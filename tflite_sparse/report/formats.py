"""The formats that commands tell results in: one signature, and one table by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.text import Text

    from tflite_sparse.records import Record
    from tflite_sparse.report.text.console import Screen

__all__ = ["REPORTERS", "Printable", "Reporter"]


class Printable(NamedTuple):
    """A result in the shapes that formats are made from; what is not asked for is not computed.

    Attributes:
        content: computes the data, for programs.
        lines: computes lines for people, from the columns that they have.
    """

    content: Callable[[], Record]
    lines: Callable[[int], Iterable[Text | str]]


Reporter = Callable[[Printable, "Screen"], None]


def _text(result: Printable, screen: Screen) -> None:
    screen.show(result.lines(screen.width))


def _json(result: Printable, screen: Screen) -> None:
    from tflite_sparse.report.json.documents import document, dump

    screen.write(dump(document(result.content())) + "\n")


REPORTERS: dict[str, Reporter] = {"text": _text, "json": _json}
"""What prints a result, by the name of the format."""
