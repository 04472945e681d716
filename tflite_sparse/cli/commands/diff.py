"""`tflite-sparse diff`: what differs between two models."""

from __future__ import annotations

from typing import Annotated

import typer

from tflite_sparse.cli.output import show
from tflite_sparse.cli.progress import progress_bar

__all__ = ["command"]


def command(
    before: Annotated[str, typer.Argument(metavar="A", help="The first model.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The second model.")],
    top: Annotated[
        int, typer.Option(metavar="N", min=0, help="Show that many constants, 0 for all.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Report as a JSON document.")] = False,
) -> int:
    """Compare two models; exit with 0 if they are equal in meaning, with 1 if not.

    How constants are stored, names of tensors and versions of operators do not count.
    """
    from tflite_sparse.comparison.model_diff import diff
    from tflite_sparse.model import Model
    from tflite_sparse.report.printables import printable_diff

    with progress_bar("comparing"):
        difference = diff(Model.read(before), Model.read(after))
    show(printable_diff(difference, top=top), as_json=as_json)
    return 0 if difference.equal else 1
