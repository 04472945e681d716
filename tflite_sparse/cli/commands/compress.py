"""`tflite-sparse compress`: every weight in the smallest form that its values may take."""

from __future__ import annotations

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.rewriting import Destination, has_litert, rewrite_command
from tflite_sparse.cli.values import parse_input_shapes
from tflite_sparse.cli.values_data import check_agreement, data_for, values_options

__all__ = ["command"]


def command(
    model: opt.ModelPath,
    output: opt.Output = None,
    in_place: opt.InPlace = False,
    force: opt.Force = False,
    dry_run: opt.DryRun = False,
    check: opt.Check = False,
    values: opt.Values = opt.StoredAs.FP32,
    only: opt.Only = None,
    exclude: opt.Exclude = None,
    keep_nonzero: opt.KeepNonzero = False,
    min_snr: opt.MinSnr = 0.0,
    data: opt.Data = None,
    min_agreement: opt.MinAgreement = 0.0,
    verify: opt.VerifyWhereItCan = None,
    input_shape: opt.InputShape = None,
    batch: opt.Batch = None,
    gzip: opt.Gzip = None,
    top: opt.Top = 10,
    as_json: opt.AsJson = False,
) -> int:
    """Make a model small: store every weight in as few bytes as its values allow."""
    from tflite_sparse.rewrite.compress import Compress
    from tflite_sparse.storage.options import SparsifyOptions, WeightSelection

    shapes = parse_input_shapes(input_shape)
    numbers = values_options(values, data, keep_nonzero=keep_nonzero, min_snr=min_snr)
    check_agreement(min_agreement, numbers, data)
    given = data_for(model, data, numbers, shapes, batch)
    proved = has_litert() if verify is None else verify
    destination = Destination(
        output, in_place, force, dry_run, check, proved, as_json, gzip, top, given, shapes, batch,
        demanded=bool(verify), min_agreement=min_agreement,
    )  # fmt: skip
    selection = WeightSelection(tuple(only or ()), tuple(exclude or ()))
    storage = SparsifyOptions(selection=selection, reencode=True)
    rewrite = Compress(storage, numbers, destination.calibration)
    return rewrite_command(model, destination, rewrite)
