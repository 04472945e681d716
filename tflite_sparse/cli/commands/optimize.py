"""`tflite-sparse optimize`: adapt a model, store its weights sparse, prove it, say what it won."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.commands.adapt import (
    MaxArena,
    MinGain,
    Passes,
    Targets,
    WithoutPasses,
    adapt_options,
)
from tflite_sparse.cli.commands.prune import Layout, Mean, MinAgreement, Std
from tflite_sparse.cli.output import show
from tflite_sparse.cli.pruning.asked import GivenData, image_options, pruned_file
from tflite_sparse.cli.rewriting import STDOUT, Destination, has_litert, rewrite_command
from tflite_sparse.cli.values import parse_input_shapes
from tflite_sparse.cli.values_data import data_for, values_options
from tflite_sparse.errors import UsageError

if TYPE_CHECKING:
    from tflite_sparse.runtime.bench import Bench

__all__ = ["command"]


def command(
    model: opt.ModelPath,
    output: opt.Output = None,
    in_place: opt.InPlace = False,
    force: opt.Force = False,
    dry_run: opt.DryRun = False,
    check: opt.Check = False,
    target: Targets = None,
    runtime: opt.Runtimes = None,
    only: Passes = None,
    without: WithoutPasses = None,
    min_gain: MinGain = 1.03,
    max_arena: MaxArena = None,
    values: opt.Values = opt.StoredAs.FP32,
    keep_nonzero: opt.KeepNonzero = False,
    min_snr: opt.MinSnr = 0.0,
    data: opt.Data = None,
    prune: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="First prune the dense model to such a share of zeros, fitted to --data where"
            " that is given; the command prune has more options.",
        ),
    ] = None,
    mean: Mean = None,
    std: Std = None,
    layout: Layout = None,
    min_agreement: MinAgreement = 0.0,
    verify: opt.VerifyWhereItCan = None,
    bench: Annotated[
        opt.Where | None, typer.Option(help="Measure both models: native, or web for a browser.")
    ] = None,
    input_shape: opt.InputShape = None,
    batch: opt.Batch = None,
    atol: opt.Atol = None,
    rtol: opt.Rtol = None,
    gzip: opt.Gzip = None,
    top: opt.Top = 10,
    as_json: opt.AsJson = False,
) -> int:
    """Make a pruned model small and fast: adapt it, store its weights sparse, and prove it."""
    from tflite_sparse.rewrite.optimize import Optimize
    from tflite_sparse.storage.options import SparsifyOptions

    if bench is not None and (output in (None, STDOUT) or as_json or dry_run or check):
        raise UsageError(
            "--bench measures the file that -o OUT writes, and reports as text",
            hint="use tflite-sparse bench for anything else",
        )
    options = adapt_options(target, runtime, only, without, min_gain, max_arena)

    proved = has_litert() if verify is None else verify
    shapes = parse_input_shapes(input_shape)
    numbers = values_options(
        values, data, keep_nonzero=keep_nonzero, min_snr=min_snr,
        prunes=prune is not None,
    )  # fmt: skip
    images = image_options(mean, std, None if layout is None else layout.value)
    asked = {
        "--mean, --std and --layout ask for --data": images.asked and data is None,
        "--min-agreement asks for --prune": min_agreement > 0 and prune is None,
    }
    for words, misplaced in asked.items():
        if misplaced:
            raise UsageError(words, hint="leave it out, or say what it is for")
    given = None if numbers is None else data_for(model, data, numbers, shapes, batch, images)
    destination = Destination(
        output, in_place, force, dry_run, check, proved, as_json, gzip, top, given, shapes, batch,
        demanded=bool(verify), declined=verify is False, atol=atol, rtol=rtol,
    )  # fmt: skip
    if bench is not None:
        from tflite_sparse.runtime.bench import require

        require(bench.value)
    if numbers is not None and (atol is not None or rtol is not None):
        raise UsageError(
            "--atol and --rtol are for results that stay the same; --values has bounds of its own",
            hint="--min-snr lets the weights that rounding changes most keep their numbers",
        )
    calibration = None if given is None else given.calibration
    storage = SparsifyOptions(lean_download=True, targets=options.targets)
    rewrite = Optimize(options, storage, numbers, calibration)
    if prune is None:
        code = rewrite_command(model, destination, rewrite)
    else:
        destination.target(model)
        inputs = GivenData(data, images, shapes, batch)
        with pruned_file(model, prune, options.targets, inputs, min_agreement) as pruned:
            if pruned.refused is None or force:
                code = rewrite_command(model, destination, rewrite, pruned)
            else:
                from tflite_sparse.report.printables import printable_pruning

                refusal = printable_pruning(
                    pruned.pruning,
                    model,
                    None,
                    None,
                    destination=None,
                    refused=pruned.refused,
                    top=top,
                )
                show(refusal, as_json=as_json, stream=sys.stderr if output == STDOUT else None)
                return 1
    if bench is not None and output is not None:
        measured = _measure(model, output, bench, destination)
        code = code or int(not measured.ok)
    return code


def _measure(model: str, output: str, where: opt.Where, destination: Destination) -> Bench:
    """Times both models and says what that showed."""
    from tflite_sparse.report.text.bench import bench_lines
    from tflite_sparse.report.text.console import Screen
    from tflite_sparse.runtime.bench import bench

    screen = Screen()
    typer.echo()
    times = bench(
        [model, output],
        where=where.value,
        input_shapes=destination.input_shapes,
        batch=destination.batch,
    )
    screen.show(bench_lines(times, screen.width))
    return times
