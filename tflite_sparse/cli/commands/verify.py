"""`tflite-sparse verify`: whether two models have the same weights and compute the same."""

from __future__ import annotations

from typing import Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.output import show
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.cli.usage.emulation import emulation_asked, refuse_release_on_arm
from tflite_sparse.cli.values import parse_input_shapes
from tflite_sparse.errors import UsageError

__all__ = ["command"]


def command(
    a: Annotated[str, typer.Argument(metavar="A", help="A model.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The model to hold against it.")],
    trials: Annotated[int, typer.Option(min=1, help="Sets of random inputs.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random inputs.")] = 0,
    inputs: Annotated[
        str | None,
        typer.Option(metavar="FILE.npz", help="Inputs by name or position instead of random ones."),
    ] = None,
    signature: Annotated[
        str | None, typer.Option(metavar="KEY", help="Run this signature.")
    ] = None,
    input_shape: opt.InputShape = None,
    batch: opt.Batch = None,
    atol: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Absolute difference allowed.  [default: 0; 1e-5 on sparse kernels; a share of the"
            " range where weights were rounded]",
        ),
    ] = None,
    rtol: Annotated[
        float | None,
        typer.Option(
            min=0.0, help="Relative difference allowed.  [default: 0; 1e-4 on sparse kernels]"
        ),
    ] = None,
    weights_only: Annotated[
        bool, typer.Option("--weights-only", help="Compare weights only; needs no runtime.")
    ] = False,
    outputs_only: Annotated[
        bool, typer.Option("--outputs-only", help="Compare outputs only, of an adapted model.")
    ] = False,
    runtime: opt.OnRelease = None,
    emulate: opt.Emulate = None,
    cpu: opt.Cpu = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds after which a model is given up.")
    ] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> int:
    """Prove that two models have the same weights and compute the same on the runtime."""
    from tflite_sparse.report.printables import printable_verification
    from tflite_sparse.runtime.compare_outputs import ROUNDING
    from tflite_sparse.runtime.litert.processor import emulation
    from tflite_sparse.runtime.litert.releases import on_release
    from tflite_sparse.runtime.verify import Tolerance, verify

    if weights_only and outputs_only:
        raise UsageError("--weights-only and --outputs-only leave nothing to compare")
    tolerance = None
    if atol is not None or rtol is not None:
        tolerance = Tolerance(atol or 0.0, rtol or 0.0)
    elif outputs_only:
        tolerance = ROUNDING
    emulated = emulation_asked(emulate, cpu) or False
    processor = emulation(emulated)
    if processor is not None and processor.arm:
        refuse_release_on_arm(runtime)
    with progress_bar("running both models"), on_release(runtime):
        verification = verify(
            a,
            b,
            trials=trials,
            seed=seed,
            inputs=inputs,
            signature=signature,
            batch=batch,
            tolerance=tolerance,
            backends=() if weights_only else ("xnnpack", "reference"),
            emulate=emulated,
            timeout=timeout,
            weights=not outputs_only,
            input_shapes=parse_input_shapes(input_shape),
        )
    show(printable_verification(verification), as_json=as_json)
    return 0 if verification.equal else 1
