"""`tflite-sparse profile`: which operators the runtime executes for a model."""

from __future__ import annotations

from typing import Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.output import show
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.cli.usage import complete
from tflite_sparse.cli.usage.emulation import emulation_asked, refuse_release_on_arm
from tflite_sparse.cli.values import parse_input_shapes
from tflite_sparse.errors import UsageError

__all__ = ["command"]


def command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model.")],
    runs: Annotated[int, typer.Option(min=1, help="Runs to take medians over.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads of XNNPACK.")] = 1,
    emulate: opt.Emulate = None,
    cpu: opt.Cpu = None,
    fp16: Annotated[
        bool, typer.Option("--fp16", help="With --emulate arm64: force half precision.")
    ] = False,
    against_plan: Annotated[
        bool,
        typer.Option(
            "--against-plan", help="Show what was predicted beside it; exit 1 where they differ."
        ),
    ] = False,
    runtime: Annotated[
        str | None,
        typer.Option(
            "--runtime",
            metavar="RELEASE",
            autocompletion=complete.releases_to_run,
            help="Run on another release, which 'runtime install' fetched; from litert-2.1 on there"
            " is a profiler.  [default: the installed]",
        ),
    ] = None,
    input_shape: opt.InputShape = None,
    batch: opt.Batch = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds after which the model is given up.")
    ] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> int:
    """Show what LiteRT executes: every operator of XNNPACK, its time, sparse or dense."""
    from tflite_sparse.model import Model
    from tflite_sparse.model.sizes.sized import shapes_asked
    from tflite_sparse.report.printables import printable_profile
    from tflite_sparse.runtime.arm64.plugin import counting
    from tflite_sparse.runtime.entries import beside_main
    from tflite_sparse.runtime.litert.driver import profile
    from tflite_sparse.runtime.litert.processor import native_target
    from tflite_sparse.runtime.litert.releases import on_release
    from tflite_sparse.runtime.plan_match import against_plan as compare
    from tflite_sparse.runtime.plan_match import installed
    from tflite_sparse.xnnpack.releases.targets import target as target_of

    emulated = emulation_asked(emulate, cpu, fp16=fp16)
    if emulated is not None and emulated.arm:
        refuse_release_on_arm(runtime)
        if emulated.fp16 and against_plan:
            _refuse_without_half(emulated.processor)
        emulated = counting(emulated)
    opened = Model.read(model)
    sizes = shapes_asked(opened, parse_input_shapes(input_shape), batch)
    main = opened.main
    with progress_bar(f"running {model}"), on_release(runtime):
        ran_on = installed()
        run = profile(
            model,
            runs=runs,
            threads=threads,
            emulate=emulated or False,
            timeout=timeout,
            shapes=[tensor.shape for tensor in main.inputs] if sizes.inputs else (),
        )
    processor = native_target() if emulated is None else emulated.target
    target = target_of(processor).on(ran_on).name
    compared = compare(main, run, target)
    printable = printable_profile(
        model,
        run,
        compared,
        sizes if sizes.inputs else None,
        against=against_plan,
        unprofiled=beside_main(opened),
    )
    show(printable, as_json=as_json)
    if against_plan:
        return int(not compared.agree)
    return int(not run.ok)


def _refuse_without_half(name: str) -> None:
    """Refuses a plan of half precision for a processor that does not compute in it."""
    from tflite_sparse.runtime.arm64.processors import processor

    each = processor(name)
    if not each.half:
        raise UsageError(
            f"a {each.title} does not compute in half precision, and runs dense in fp32 where it is"
            " forced, for which there is no plan",
            hint="leave out --against-plan, or name another --cpu",
        )
