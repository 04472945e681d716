"""`tflite-sparse sweep`: size, speed and quality over the share of zeros, beside dense rivals."""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.commands.adapt import Targets
from tflite_sparse.cli.commands.prune import By, Layout, Mean, Std
from tflite_sparse.cli.output import free_target, show_lines
from tflite_sparse.cli.pruning.asked import parse_numbers
from tflite_sparse.cli.sweeping.asked import parse_shares, written_recipe
from tflite_sparse.cli.sweeping.steps import told
from tflite_sparse.cli.values import parse_input_shapes
from tflite_sparse.errors import Place, UsageError

if TYPE_CHECKING:
    from tflite_sparse.runtime.benched import Here
    from tflite_sparse.sweeping.options import SweepData
    from tflite_sparse.sweeping.result import Sweep

__all__ = ["command"]


class On(str, Enum):
    """Where what was made is run."""

    NATIVE = "native"
    WEB = "web"
    ARM64 = "arm64"


class Spread(str, Enum):
    """How zeros are spread over filters."""

    UNIFORM = "uniform"
    ERK = "erk"


class Format(str, Enum):
    """How it is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def command(
    model: opt.ModelPath,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Write it to a .html page, a .json or .csv file, or a .svg or .png picture.",
        ),
    ] = None,
    force: opt.Force = False,
    zeros: Annotated[
        str | None,
        typer.Option(
            metavar="SHARES",
            help="Shares of zeros in per cent: 70,80,90, or 50..95 in steps of 5, or 60..90:10."
            "  [default: 30 to 95, closer together where it pays]",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="Inputs, as prune takes them: values are fitted to three quarters; the rest tells"
            " the quality. Without, zeros are placed by magnitude, for size and speed alone.",
        ),
    ] = None,
    mean: Mean = None,
    std: Std = None,
    layout: Layout = None,
    method: Annotated[
        By | None,
        typer.Option(
            help="How values are chosen, as by prune.  [default: calibrated with --data, else"
            " magnitude]"
        ),
    ] = None,
    allocate: Annotated[
        Spread, typer.Option(help="How zeros are spread over filters.")
    ] = Spread.UNIFORM,
    block: Annotated[
        int, typer.Option(help="Neighbouring output channels that become zero together: 1, 2, 4.")
    ] = 1,
    values: Annotated[
        opt.StoredAs,
        typer.Option(help="The numbers of the weights in what is predicted, measured and judged."),
    ] = opt.StoredAs.FP32,
    target: Targets = None,
    input_shape: opt.InputShape = None,
    batch: opt.Batch = None,
    bench: Annotated[
        On | None,
        typer.Option(
            help="Run all of them in turn: on this machine, in a headless Chromium, or counting"
            " instructions on an emulated Cortex-A76."
        ),
    ] = None,
    rival: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="A model to hold beside it; may be repeated."),
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SHARE=FILE",
            help="Write how a share comes about, for prune --recipe: 80=recipe.json.",
        ),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Processes; 0 is one per processor.")
    ] = 0,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Do all anew: take and keep nothing of an earlier run."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is drawn at random.")] = 0,
    form: Annotated[Format, typer.Option("--format", help="How it is printed.")] = Format.TEXT,
) -> int:
    """Show what a share of zeros would win: size, time and quality, beside dense and int8."""
    from tflite_sparse.cli.progress import progress_bar
    from tflite_sparse.model import Model
    from tflite_sparse.pruning.options import Allocation, Method
    from tflite_sparse.storage.values.options import StoredValues
    from tflite_sparse.sweeping.options import SHARES, SweepOptions
    from tflite_sparse.sweeping.sweep import sweep

    options = SweepOptions(
        SHARES if zeros is None else parse_shares(zeros),
        None if method is None else Method(method.value),
        Allocation(allocate.value),
        block,
        tuple(target or ()),
        StoredValues(values.value),
        seed,
    )
    recipes = [written_recipe(text, options, force=force) for text in recipe or ()]
    if output is not None:
        if Path(output).suffix not in _WRITERS:
            raise UsageError(
                f"a sweep is written as {', '.join(_WRITERS)}",
                place=Place(file=output),
                hint="name one of these",
            )
        free_target(output, force=force)
        if Path(output).suffix == ".png":
            from tflite_sparse.runtime.web.chromium import check

            check(None)
    images = (parse_numbers(mean, "--mean"), parse_numbers(std, "--std"), layout)
    with progress_bar(f"sweeping {model}", ticks=False) as update:
        try:
            swept = sweep(
                Model.read(model),
                options,
                data=_data(data, *images),
                rivals=tuple(rival or ()),
                bench=None if bench is None else _WHERE[bench],
                processes=jobs or os.cpu_count() or 1,
                resume=not fresh,
                needed=[share for share, _ in recipes],
                input_shapes=parse_input_shapes(input_shape),
                batch=batch,
                progress=told(update),
            )
        except KeyboardInterrupt:
            if not fresh:
                typer.echo("what is done is kept: the same command goes on from there", err=True)
            raise
    if output is not None:
        _write(swept, output, force=force)
    for _, write in recipes:
        write(swept)
    _print(swept, form)
    return 0


_WHERE: dict[On, Here] = {On.NATIVE: "native", On.WEB: "web", On.ARM64: "emulated"}


def _data(
    source: str | None,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    layout: Enum | None,
) -> SweepData | None:
    from tflite_sparse.runtime.data.images import ImageOptions
    from tflite_sparse.sweeping.options import SweepData

    images = ImageOptions(mean, std, None if layout is None else layout.value)
    if source is not None:
        return SweepData(source, images)
    if images.asked:
        raise UsageError(
            "--mean, --std and --layout ask for --data", hint="--data FOLDER gives inputs"
        )
    return None


def _json(swept: Sweep) -> bytes:
    from tflite_sparse.report.json.documents import document, dump
    from tflite_sparse.report.json.sweep import SweepReport

    return (dump(document(SweepReport(swept))) + "\n").encode()


def _csv(swept: Sweep) -> bytes:
    from tflite_sparse.report.sweep.spreadsheet import sweep_csv

    return sweep_csv(swept).encode()


def _html(swept: Sweep) -> bytes:
    from tflite_sparse.report.html.sweep import sweep_page

    return sweep_page(swept).encode()


def _svg(swept: Sweep) -> bytes:
    from tflite_sparse.report.html.sweep import sweep_svg

    return sweep_svg(swept).encode()


def _png(swept: Sweep) -> bytes:
    from tflite_sparse.report.html.sweep import picture_size, sweep_svg
    from tflite_sparse.runtime.web.chromium import screenshot

    return screenshot(sweep_svg(swept), *picture_size(swept))


_WRITERS = {".html": _html, ".json": _json, ".csv": _csv, ".svg": _svg, ".png": _png}


def _write(swept: Sweep, output: str, *, force: bool) -> None:
    from tflite_sparse.files.output import replacing

    content = _WRITERS[Path(output).suffix](swept)
    with replacing(output, fresh=not force) as file:
        file.write(content)


def _print(swept: Sweep, form: Format) -> None:
    if form is Format.TEXT:
        from tflite_sparse.report.sweep.text import sweep_lines

        show_lines(lambda width: sweep_lines(swept, width))
    else:
        sys.stdout.write((_json if form is Format.JSON else _csv)(swept).decode())
