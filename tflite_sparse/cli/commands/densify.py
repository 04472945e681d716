"""`tflite-sparse densify`: store every weight dense, so that everything can read the file."""

from __future__ import annotations

from typing import Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.rewriting import Destination, rewrite_command

__all__ = ["command"]


def command(
    model: opt.ModelPath,
    output: opt.Output = None,
    in_place: opt.InPlace = False,
    force: opt.Force = False,
    dry_run: opt.DryRun = False,
    check: opt.Check = False,
    only: opt.Only = None,
    exclude: opt.Exclude = None,
    values: Annotated[
        opt.StoredAs,
        typer.Option(
            help="The smallest numbers that may stay: fp32 stores all weights as what the runtime"
            " computes of them, fp16 those that are int8."
        ),
    ] = opt.StoredAs.INT8,
    verify: opt.Verify = False,
    gzip: opt.Gzip = None,
    top: opt.Top = 20,
    as_json: opt.AsJson = False,
) -> int:
    """Store every sparse weight dense and remove the DENSIFY operators."""
    from tflite_sparse.rewrite.storage.unpack_values import DensifyValues
    from tflite_sparse.storage.options import DensifyOptions, WeightSelection
    from tflite_sparse.storage.values.options import StoredValues

    selection = WeightSelection(tuple(only or ()), tuple(exclude or ()))
    options = DensifyOptions(selection, StoredValues(values.value))
    destination = Destination(
        output, in_place, force, dry_run, check, verify, as_json, gzip, top, demanded=verify
    )
    return rewrite_command(model, destination, DensifyValues(options))
