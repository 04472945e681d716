"""`tflite-sparse densify`: store every weight dense, so that everything can read the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tflite_sparse.cli._rewriting import Destination, rewrite_command

if TYPE_CHECKING:
    from tflite_sparse.model import Model
    from tflite_sparse.rewrite import Rewrite

__all__ = ["command"]


def command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model to read.")],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="Where to write; - is stdout."),
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Replace the model itself.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite OUT.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only tell what would change.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only tell; exit with 1 if anything would change.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Only weights or operators of such a name (*, ?)."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="No weights or operators of such a name."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Run both models before the result takes its place.")
    ] = False,
    gzip: Annotated[
        bool | None,
        typer.Option(help="Compute sizes after gzip.  [default: for models up to 4 MiB]"),
    ] = None,
    top: Annotated[
        int, typer.Option(metavar="N", min=0, help="Show that many weights, 0 for all.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Report as a JSON document.")] = False,
) -> int:
    """Store every sparse weight dense and remove the DENSIFY operators."""
    from tflite_sparse.rewrite import Choice, DensifyOptions, densify

    options = DensifyOptions(Choice(tuple(only or ()), tuple(exclude or ())))

    def rewrite(opened: Model) -> Rewrite:
        return densify(opened, options)

    destination = Destination(output, in_place, force, dry_run, check, verify, as_json, gzip, top)
    return rewrite_command(model, destination, rewrite)
