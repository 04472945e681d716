"""`tflite-sparse adapt`: make a stock CNN eligible for sparse inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.rewriting import Destination, rewrite_command
from tflite_sparse.cli.targets import names_of
from tflite_sparse.cli.usage import complete
from tflite_sparse.cli.values import parse_input_shapes, parse_size
from tflite_sparse.rewrite.adapt.passes.names import PassName

if TYPE_CHECKING:
    from tflite_sparse.rewrite.adapt.options import AdaptOptions

__all__ = ["MaxArena", "MinGain", "Passes", "Targets", "WithoutPasses", "adapt_options", "command"]

Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="TARGET",
        autocompletion=complete.target_names,
        help="A target that must stay right and gets faster.  [default: arm64, armv7, wasm]",
    ),
]
Passes = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PASS",
        autocompletion=complete.passes,
        help=f"Use this pass only: {', '.join(PassName)}.",
    ),
]
WithoutPasses = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="PASS",
        autocompletion=complete.passes,
        help="Do not use this pass.",
    ),
]
MinGain = Annotated[
    float,
    typer.Option(
        metavar="TIMES", min=0.0, help="How many times faster it must be by the estimate; 0: any."
    ),
]
MaxArena = Annotated[
    int | None,
    typer.Option(
        metavar="SIZE",
        parser=parse_size,
        help="Memory that activations may take at once, such as 8M; what the model takes as it is"
        " may be kept.",
    ),
]


def adapt_options(
    target: list[str] | None,
    runtime: list[str] | None,
    only: list[str] | None,
    without: list[str] | None,
    min_gain: float,
    max_arena: int | None,
) -> AdaptOptions:
    """What the options of the command line ask of `adapt`."""
    from tflite_sparse.rewrite.adapt.options import AdaptOptions
    from tflite_sparse.rewrite.adapt.outlook import TARGETS

    targets = names_of(target, runtime, TARGETS)
    return AdaptOptions(targets, tuple(only or ()), tuple(without or ()), min_gain, max_arena)


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
    verify: opt.Verify = False,
    input_shape: opt.InputShape = None,
    batch: opt.Batch = None,
    atol: opt.Atol = None,
    rtol: opt.Rtol = None,
    gzip: opt.Gzip = None,
    top: Annotated[
        int, typer.Option(metavar="N", min=0, help="Show that many changes, 0 for all.")
    ] = 20,
    as_json: opt.AsJson = False,
) -> int:
    """Make a CNN eligible for sparse inference, without a change to what it computes."""
    from tflite_sparse.rewrite.adapt.planner import Adapt

    options = adapt_options(target, runtime, only, without, min_gain, max_arena)
    shapes = parse_input_shapes(input_shape)
    destination = Destination(
        output, in_place, force, dry_run, check, verify, as_json, gzip, top, None, shapes, batch,
        demanded=verify, atol=atol, rtol=rtol,
    )  # fmt: skip
    return rewrite_command(model, destination, Adapt(options))
