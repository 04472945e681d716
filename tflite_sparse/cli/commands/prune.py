"""`tflite-sparse prune`: set weights to zero where the runtime will skip them."""

from __future__ import annotations

import sys
from enum import Enum
from typing import Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.commands.adapt import Targets
from tflite_sparse.cli.output import free_target, show
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.cli.pruning.asked import (
    GivenData,
    image_options,
    parse_layers,
    prune_with,
    recipe_options,
    too_far,
)
from tflite_sparse.cli.pruning.suggested import after_pruning
from tflite_sparse.cli.pruning.training import (
    NOT_ASKED,
    TrainingAsked,
    is_follower,
    takes_training,
    training_options,
)
from tflite_sparse.cli.targets import names_of
from tflite_sparse.cli.values import parse_input_shapes
from tflite_sparse.errors import UsageError

__all__ = ["Allocate", "By", "How", "HowOption", "Layout", "Mean", "MinAgreement", "Std", "command"]

_STDOUT = "-"


class By(str, Enum):
    """How values are chosen without training."""

    MAGNITUDE = "magnitude"
    CALIBRATED = "calibrated"


class How(str, Enum):
    """How values are chosen."""

    MAGNITUDE = "magnitude"
    CALIBRATED = "calibrated"
    TRAIN = "train"


class Spread(str, Enum):
    """How zeros are spread over filters."""

    UNIFORM = "uniform"
    ERK = "erk"
    FIDELITY = "fidelity"


class Order(str, Enum):
    """How a map lies in memory."""

    NHWC = "nhwc"
    NCHW = "nchw"


Allocate = Annotated[
    Spread | None,
    typer.Option(
        help="How zeros are spread over filters: the same share in each, more of them in large ones"
        " (ERK), or, with --data, where each alone changes the outputs least.  [default: uniform]"
    ),
]
HowOption = Annotated[
    How | None,
    typer.Option(
        help="How values are chosen: the smallest become zero; or those that data can best do"
        " without, and the others make up for them; or these are then trained to do what the dense"
        " model does (PyTorch).  [default: calibrated with --data, else magnitude]"
    ),
]
Inputs = Annotated[
    str | None,
    typer.Option(
        metavar="SOURCE",
        help="Inputs: a folder of images or of .npz and .npy files, such a file, or"
        " module:function. Values are fitted to three quarters; the rest tells the quality.",
    ),
]
Mean = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBERS",
        help="Subtracted from the values of an image, 0 to 255.  [default: as the metadata of the"
        " model say, else 127.5]",
    ),
]
Std = Annotated[
    str | None,
    typer.Option(metavar="NUMBERS", help="What the difference is divided by.  [default: likewise]"),
]
Layout = Annotated[
    Order | None,
    typer.Option(help="Order of the input's dimensions.  [default: by its shape]"),
]
MinAgreement = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        min=0.0,
        max=1.0,
        help="With --data: fail and write nothing where fewer inputs get the class that the dense"
        " model gives them.",
    ),
]


@takes_training
def command(
    model: opt.ModelPath,
    output: opt.Output = None,
    force: Annotated[
        bool,
        typer.Option("--force", "-f", help="Overwrite OUT; write it below --min-agreement too."),
    ] = False,
    dry_run: opt.DryRun = False,
    zeros: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Share of zeros in the filters that are pruned."),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            metavar="TIMES",
            help="In its place: how many times as fast as dense, by the estimate for the first"
            " target.",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="BYTES", help="In its place: size of the file once optimized."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="In its place: what sweep --recipe has written, layer by layer."
        ),
    ] = None,
    method: HowOption = None,
    allocate: Allocate = None,
    block: Annotated[
        int,
        typer.Option(
            help="Output channels that become zero together: 1, 2, 4; for optimize --target arm64."
        ),
    ] = 1,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN=SHARE", help="Share of zeros for filters whose names match (*, ?)."
        ),
    ] = None,
    only: opt.Only = None,
    exclude: opt.Exclude = None,
    target: Targets = None,
    runtime: opt.Runtimes = None,
    data: Inputs = None,
    mean: Mean = None,
    std: Std = None,
    layout: Layout = None,
    input_shape: Annotated[
        list[str] | None,
        typer.Option(
            "--input-shape",
            metavar="[NAME=]SIZES",
            help="With --data: shape of an input that leaves sizes open; may be repeated. The"
            " result leaves them open too, optimize --input-shape fixes them.",
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2**31 - 1,
            help="With --data: the first dimension where the file leaves it open. The result"
            " leaves it open too, optimize --batch fixes it.",
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="With --data: your own measure, called with the outputs and the inputs.",
        ),
    ] = None,
    min_agreement: MinAgreement = 0.0,
    training: TrainingAsked = NOT_ASKED,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is drawn at random.")] = 0,
    top: opt.Top = 20,
    as_json: opt.AsJson = False,
) -> int:
    """Set weights to zero where optimize makes them run sparse, and say what quality is left."""
    from msgspec.structs import replace

    from tflite_sparse.cli.values import parse_share, parse_size
    from tflite_sparse.model import Model
    from tflite_sparse.model.sizes.sized import input_shapes_of
    from tflite_sparse.pruning.options import Allocation, Method, PruneOptions
    from tflite_sparse.report.printables import printable_pruning
    from tflite_sparse.rewrite.adapt.outlook import TARGETS
    from tflite_sparse.rewrite.writing.save import save
    from tflite_sparse.storage.options import WeightSelection

    by_hand = {
        "--zeros": zeros,
        "--speed": speed,
        "--size": size,
        "--method": None if method is How.TRAIN else method,
        "--allocate": allocate,
        "--layer": layer,
        "--only": only,
        "--exclude": exclude,
        "--target": target,
        "--runtime": runtime,
        "--block": block if block > 1 else None,
    }
    trains = method is How.TRAIN
    how = training_options(training, trains=trains)
    options = recipe_options(recipe, by_hand, seed)
    if options is not None and how is not None:
        options = replace(options, method=Method.TRAIN, training=how)
    options = options or PruneOptions(
        zeros=None if zeros is None else parse_share(zeros),
        speed=speed,
        size=None if size is None else parse_size(size),
        method=None if method is None else Method(method.value),
        allocation=None if allocate is None else Allocation(allocate.value),
        block=block,
        targets=names_of(target, runtime, TARGETS),
        selection=WeightSelection(tuple(only or ()), tuple(exclude or ())),
        overrides=parse_layers(layer),
        seed=seed,
        training=how,
    )
    given = GivenData(
        data,
        image_options(mean, std, None if layout is None else layout.value),
        parse_input_shapes(input_shape),
        batch,
        training.labels,
    )
    if not dry_run:
        _writable(output, force=force, as_json=as_json)
    pruned, _ = prune_with(Model.read(model), options, given, metric, min_agreement)
    if is_follower():
        return 0
    refused = too_far(pruned, min_agreement)
    written, nbytes = None, None
    if refused is None or force:
        refused = None
        if output is not None and not dry_run:
            to = sys.stdout.buffer if output == _STDOUT else output
            with progress_bar("writing"):
                nbytes, written = save(pruned, to, fresh=not force), output
    again = {
        "--target": target or (),
        "--runtime": runtime or (),
        "--input-shape": input_shape or (),
        "--batch": () if batch is None else (str(batch),),
    }
    step = None
    if written is not None and written != _STDOUT:
        sizes = input_shapes_of(pruned.model)
        step = after_pruning(written, options.block, again, sizes, options.targets or TARGETS)
    report = printable_pruning(
        pruned.report,
        model,
        written,
        nbytes,
        destination="standard output" if written == _STDOUT else written,
        refused=refused,
        top=top,
        step=step,
    )
    # Standard output may be the model itself.
    show(report, as_json=as_json, stream=sys.stderr if written == _STDOUT else None)
    return int(refused is not None)


def _writable(output: str | None, *, force: bool, as_json: bool) -> None:
    if output is None:
        raise UsageError("no output given", hint="use -o OUT or --dry-run")
    if output == _STDOUT:
        if as_json:
            raise UsageError("--json and -o - both ask for standard output")
        return
    free_target(output, force=force)
