"""`tflite-sparse sparsify`: store weights sparse where that makes the file smaller."""

from __future__ import annotations

from typing import Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.rewriting import (
    Destination,
    rewrite_command,
)
from tflite_sparse.cli.targets import names_of
from tflite_sparse.cli.values import parse_block, parse_input_shapes, parse_saving, parse_share
from tflite_sparse.cli.values_data import check_agreement, data_for, values_options

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
    ops: Annotated[
        str, typer.Option(metavar="OP,...", help="Only weights of these operators: CONV_2D,...")
    ] = "",
    min_sparsity: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            parser=parse_share,
            help="Only weights with that share of zeros or more: 70%.",
        ),
    ] = 0.0,
    min_saving: Annotated[
        str, typer.Option(metavar="BYTES", help="Only where that much is saved: 4K, or 10%.")
    ] = "1",
    zero_below: Annotated[
        float,
        typer.Option(
            metavar="BOUND",
            min=0.0,
            help="Set weights of a magnitude below this to zero, which loses information.",
        ),
    ] = 0.0,
    layout: Annotated[
        str,
        typer.Option(metavar="NAME", help="auto is the smallest, google what Google's tool has."),
    ] = "auto",
    block: Annotated[
        str, typer.Option(metavar="BLOCK", help="none, auto, or sizes: 4x1, 1x4, 2x2.")
    ] = "auto",
    fc: Annotated[
        str,
        typer.Option(
            "--fc",
            metavar="MODE",
            help="direct: FULLY_CONNECTED reads sparse weights itself, outside XNNPACK.",
        ),
    ] = "off",
    runtime: opt.Runtimes = None,
    reencode: Annotated[
        bool, typer.Option("--reencode", help="Also store sparse weights anew where smaller.")
    ] = False,
    values: opt.Values = opt.StoredAs.FP32,
    keep_nonzero: opt.KeepNonzero = False,
    min_snr: opt.MinSnr = 0.0,
    data: opt.Data = None,
    min_agreement: opt.MinAgreement = 0.0,
    verify: opt.Verify = False,
    input_shape: opt.InputShape = None,
    batch: opt.Batch = None,
    gzip: opt.Gzip = None,
    top: opt.Top = 20,
    as_json: opt.AsJson = False,
) -> int:
    """Store weights sparse where that makes the file smaller and the runtime stays right."""
    from tflite_sparse.rewrite.storage.store_values import sparsify_pass
    from tflite_sparse.storage.options import SparsifyOptions, WeightSelection
    from tflite_sparse.storage.safety import FORECAST_TARGET

    saving, ratio = parse_saving(min_saving)
    options = SparsifyOptions(
        selection=WeightSelection(tuple(only or ()), tuple(exclude or ())),
        ops=tuple(part.strip() for part in ops.split(",") if part.strip()),
        min_sparsity=min_sparsity,
        min_saving=saving,
        min_ratio=ratio,
        zero_below=zero_below,
        layout=layout,
        block=parse_block(block),
        reencode=reencode,
        fc=fc,
        targets=names_of(None, runtime, (FORECAST_TARGET,)),
    )
    shapes = parse_input_shapes(input_shape)
    numbers = values_options(values, data, keep_nonzero=keep_nonzero, min_snr=min_snr)
    check_agreement(min_agreement, numbers, data)
    given = data_for(model, data, numbers, shapes, batch)
    destination = Destination(
        output, in_place, force, dry_run, check, verify, as_json, gzip, top, given, shapes, batch,
        demanded=verify, min_agreement=min_agreement,
    )  # fmt: skip
    rewrite = sparsify_pass(options, numbers, destination.calibration)
    return rewrite_command(model, destination, rewrite)
