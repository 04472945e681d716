"""`tflite-sparse bench`: how long models take, on this machine, in a browser or on a device."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.errors import report_problem
from tflite_sparse.cli.output import show
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.cli.usage.emulation import emulation_asked
from tflite_sparse.cli.usage.places import refuse_unused
from tflite_sparse.cli.values import parse_input_shapes
from tflite_sparse.errors import FileError, Place, UsageError

if TYPE_CHECKING:
    from tflite_sparse.runtime.bench import Bench

__all__ = ["command", "tell_differing"]


class On(str, Enum):
    """Where models are timed."""

    NATIVE = "native"
    WEB = "web"
    ADB = "adb"


def command(
    ctx: typer.Context,
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL", help="Models; the first is the measure.")
    ],
    on: Annotated[
        On,
        typer.Option(
            help="LiteRT on this machine, LiteRT.js in a headless Chromium, or an Android device."
        ),
    ] = On.NATIVE,
    runs: Annotated[int, typer.Option(min=1, help="Counted runs of each model.")] = 50,
    warmup: Annotated[int, typer.Option(min=0, help="Runs of each before those.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads of XNNPACK.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random inputs.")] = 0,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds after which a model is given up.")
    ] = 120.0,
    browser: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="The Chromium to use.  [default: the first one found]"),
    ] = None,
    litertjs: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|VERSION",
            help="Folder where npm installed @litertjs/core, or a version that is pinned, such as"
            " 2.0.0.  [default: the newest of these, kept]",
        ),
    ] = None,
    benchmark_model: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="For adb: LiteRT's tool, built for the device."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="SERIAL", help="For adb: which device.  [default: the only one]"),
    ] = None,
    runtime: opt.OnRelease = None,
    emulate: opt.Emulate = None,
    cpu: opt.Cpu = None,
    input_shape: opt.InputShape = None,
    batch: opt.Batch = None,
    may_differ: Annotated[
        bool,
        typer.Option(
            "--may-differ",
            help="Let models compute other numbers than the first, as pruned ones do.",
        ),
    ] = False,
    plot: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw it: a .svg or .png file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> int:
    """Time models in turn; exit 1 where one fails, or computes other numbers than the first."""
    from tflite_sparse.report.printables import printable_bench
    from tflite_sparse.runtime.bench import bench
    from tflite_sparse.runtime.litert.releases import on_release

    target = None if plot is None else _picture(plot, browser)
    emulated = emulation_asked(emulate, cpu)
    if emulated is not None and on is not On.NATIVE:
        raise UsageError("an emulated processor is emulated on this machine", hint="leave out --on")
    kind = "emulated" if emulated is not None else on.value
    refuse_unused(ctx, kind, draws=target is not None and target.suffix == ".png")
    with progress_bar("timing"), on_release(runtime):
        benched = bench(
            models,
            where=on.value,
            runs=runs,
            warmup=warmup,
            threads=threads,
            seed=seed,
            timeout=timeout,
            browser=browser,
            litertjs=litertjs,
            input_shapes=parse_input_shapes(input_shape),
            batch=batch,
            emulate=emulated,
            benchmark_model=benchmark_model,
            device=device,
        )
    # First, so that what took minutes to measure is there even where no picture can be drawn.
    show(printable_bench(benched), as_json=as_json)
    if target is not None:
        from tflite_sparse.files.output import replacing
        from tflite_sparse.report.bench_plot import WIDTH, bench_svg, plot_height

        svg = bench_svg(benched)
        picture = svg.encode()
        if target.suffix == ".png":
            from tflite_sparse.runtime.web.chromium import screenshot

            picture = screenshot(svg, WIDTH, plot_height(benched), browser)
        with replacing(target) as file:
            file.write(picture)
    differs = not may_differ and tell_differing(benched, "with --may-differ that is no failure")
    return int(differs or not benched.ok)


def tell_differing(benched: Bench, what_next: str) -> bool:
    """Says which models compute other numbers than the first; whether any does.

    Args:
        benched: what was measured.
        what_next: what to do about it.
    """
    from tflite_sparse.report.text.bench import differing_words

    words = differing_words(benched)
    if words:
        report_problem(f"{words}; {what_next}")
    return bool(words)


def _picture(path: str, browser: str | None) -> Path:
    """Where the picture goes; what would keep it from being drawn is said before the long runs."""
    target = Path(path)
    if target.suffix not in {".svg", ".png"}:
        raise UsageError(
            "a picture is a .svg or a .png file", place=Place(file=path), hint="name one of these"
        )
    if not target.parent.is_dir():
        raise FileError("there is no such folder", place=Place(file=str(target.parent)))
    if target.suffix == ".png":
        from tflite_sparse.runtime.web.chromium import check

        check(browser)
    return target
