"""`tflite-sparse optimize`: adapt a model, store its weights sparse, prove it, say what it won."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.commands.adapt import (
    MaxArena,
    MinGain,
    Passes,
    Targets,
    WithoutPasses,
    adapt_options,
)
from tflite_sparse.cli.commands.bench import tell_differing
from tflite_sparse.cli.commands.prune import (
    Allocate,
    How,
    HowOption,
    Layout,
    Mean,
    MinAgreement,
    Std,
)
from tflite_sparse.cli.output import say, show_lines
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.cli.pruning.asked import GivenData, image_options, pruned_file
from tflite_sparse.cli.pruning.suggested import with_next
from tflite_sparse.cli.pruning.training import (
    NOT_ASKED,
    TrainingAsked,
    has_companions,
    is_follower,
    takes_training,
    training_options,
)
from tflite_sparse.cli.rewriting import STDOUT, Destination, Rewritten, carry_out, has_litert
from tflite_sparse.cli.usage.refuse import refuse
from tflite_sparse.cli.values import parse_input_shapes
from tflite_sparse.cli.values_data import check_agreement, data_for, values_options

if TYPE_CHECKING:
    from tflite_sparse.cli.pruning.asked import Pruned
    from tflite_sparse.runtime.bench import Bench

__all__ = ["command"]


@takes_training
def command(
    model: opt.ModelOrFolder,
    output: opt.Output = None,
    in_place: opt.InPlace = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force", "-f", help="Overwrite OUT; with --prune, write it below --min-agreement too."
        ),
    ] = False,
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
            help="First prune the dense model to that share of zeros, fitted to --data where"
            " that is given; the command prune has more options.",
        ),
    ] = None,
    method: HowOption = None,
    allocate: Allocate = None,
    mean: Mean = None,
    std: Std = None,
    layout: Layout = None,
    min_agreement: MinAgreement = 0.0,
    training: TrainingAsked = NOT_ASKED,
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
    from tflite_sparse.cli.values import parse_share
    from tflite_sparse.pruning.options import Allocation, Method, PruneOptions
    from tflite_sparse.rewrite.optimize import Optimize
    from tflite_sparse.storage.options import SparsifyOptions

    trained = training_options(training, trains=method is How.TRAIN)
    options = adapt_options(target, runtime, only, without, min_gain, max_arena)

    proved = has_litert() if verify is None else verify
    shapes = parse_input_shapes(input_shape)
    numbers = values_options(
        values, data, keep_nonzero=keep_nonzero, min_snr=min_snr,
        prunes=prune is not None,
    )  # fmt: skip
    if prune is None:
        check_agreement(min_agreement, numbers, data)
    images = image_options(mean, std, None if layout is None else layout.value)
    refuse(
        {
            "--mean, --std and --layout ask for --data": images.asked and data is None,
            "--method asks for --prune": method is not None and prune is None,
            "--allocate asks for --prune": allocate is not None and prune is None,
        },
        "leave it out, or say what it is for",
    )
    # Where the model is pruned too, it bounds that in any case.
    bounds_rounding = prune is None or (numbers is not None and proved and not force)
    destination = Destination(
        output, in_place, force, dry_run, check, proved, as_json, gzip, top, None, shapes, batch,
        demanded=bool(verify), declined=verify is False, atol=atol, rtol=rtol,
        min_agreement=min_agreement if bounds_rounding else 0.0,
    )  # fmt: skip
    bounded = atol is not None or rtol is not None
    own = "--atol and --rtol are for results that stay the same; --values has bounds of its own"
    refuse(
        {own: numbers is not None and bounded},
        "--min-snr lets the weights that rounding changes most keep their numbers",
    )
    if bench is not None:
        _check_bench(bench, model, destination)
    again = {
        "--target": target or (),
        "--runtime": runtime or (),
        "--values": () if numbers is None else (values.value,),
        "--mean": () if mean is None else (mean,),
        "--std": () if std is None else (std,),
        "--layout": () if layout is None else (layout.value,),
        "--input-shape": input_shape or (),
        "--batch": () if batch is None else (str(batch),),
    }
    storage = SparsifyOptions(lean_download=True, targets=options.targets)

    def one(path: str, where: Destination) -> Rewritten:
        given = None if numbers is None else data_for(path, data, numbers, shapes, batch, images)
        where = replace(where, data=given)
        rewrite = Optimize(options, storage, numbers, where.calibration)
        if prune is None:
            return with_next(carry_out(path, where, rewrite), path, data, again)
        where.target(path)
        pruning = PruneOptions(
            zeros=parse_share(prune),
            method=None if method is None else Method(method.value),
            allocation=None if allocate is None else Allocation(allocate.value),
            targets=options.targets,
            training=trained,
        )
        inputs = GivenData(data, images, shapes, batch, training.labels)
        with pruned_file(path, pruning, inputs, min_agreement) as pruned:
            if is_follower():
                raise typer.Exit(0)
            if pruned.refused is None or force:
                return carry_out(path, where, rewrite, pruned)
        return _refused(path, pruned, top)

    if Path(model).is_dir():
        from tflite_sparse.cli.folders.rewrite import rewrite_folder

        refuse(
            {
                "--checkpoint holds the state of one training": training.checkpoint is not None,
                "several processes train one model": has_companions(),
            },
            f"{model} is a folder: optimize its models one by one",
        )
        return rewrite_folder(model, destination, one)
    rewritten = one(model, destination)
    code = rewritten.show(destination)
    if bench is not None and output is not None and rewritten.result is not None:
        measured = _measure(model, output, bench, destination, pruned=prune is not None)
        # Pruned, rounded and repaired ones are meant to.
        meant = prune is not None or numbers is not None or rewritten.repaired
        differs = not meant and tell_differing(measured, "nothing asked for that")
        code = code or int(differs or not measured.ok)
    return code


def _check_bench(bench: opt.Where, model: str, destination: Destination) -> None:
    """Makes sure that there will be two files to measure, and what measures them is there."""
    from tflite_sparse.runtime.bench import require

    refuse(
        {
            "--bench measures the file that -o OUT writes, and reports as text": (
                destination.output in (None, STDOUT)
                or destination.as_json
                or destination.only_tells
            ),
            "--bench measures one model": Path(model).is_dir(),
        },
        "use tflite-sparse bench for anything else",
    )
    require(bench.value)


def _refused(model: str, pruned: Pruned, top: int) -> Rewritten:
    """A model that was pruned too far to go on with."""
    from tflite_sparse.report.printables import printable_pruning

    report = printable_pruning(
        pruned.pruning, model, None, None, destination=None, refused=pruned.refused, top=top
    )
    return Rewritten(report, 1, refused=pruned.refused or "")


def _measure(
    model: str, output: str, where: opt.Where, destination: Destination, *, pruned: bool
) -> Bench:
    """Times both models and says what that showed."""
    from tflite_sparse.report.text.bench import bench_lines
    from tflite_sparse.runtime.bench import bench

    say()
    with progress_bar("timing"):
        times = bench(
            [model, output],
            where=where.value,
            input_shapes=destination.input_shapes,
            batch=destination.batch,
        )
    show_lines(lambda width: bench_lines(times, width, pruned=pruned))
    return times
