"""Arguments and options that several commands have, each declared once."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from tflite_sparse.cli.usage import complete

__all__ = [
    "AsJson",
    "Atol",
    "Batch",
    "Check",
    "Cpu",
    "Data",
    "DryRun",
    "Emulate",
    "Exclude",
    "Force",
    "Gzip",
    "InPlace",
    "InputShape",
    "KeepNonzero",
    "MinAgreement",
    "MinSnr",
    "ModelOrFolder",
    "ModelPath",
    "Near",
    "Only",
    "OnlyTargets",
    "Output",
    "Rtol",
    "StoredAs",
    "Top",
    "Values",
    "Verify",
    "VerifyWhereItCan",
    "Where",
]


class StoredAs(str, Enum):
    """Numbers in which weights may be stored."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


class Where(str, Enum):
    """Where models run."""

    NATIVE = "native"
    WEB = "web"


ModelPath = Annotated[str, typer.Argument(metavar="MODEL", help="The model to read.")]
ModelOrFolder = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="The model to read, or a folder: OUT becomes one like it then."
    ),
]
Output = Annotated[
    str | None, typer.Option("--output", "-o", metavar="OUT", help="Where to write; - is stdout.")
]
InPlace = Annotated[bool, typer.Option("--in-place", help="Replace the model itself.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Overwrite OUT.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Only tell what would change.")]
Check = Annotated[
    bool, typer.Option("--check", help="Only tell; exit with 1 if anything would change.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERN", help="Only weights or operators whose names match (*, ?)."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERN", help="No weights or operators whose names match."),
]
Verify = Annotated[
    bool, typer.Option("--verify", help="Run both models before the result takes its place.")
]
VerifyWhereItCan = Annotated[
    bool | None,
    typer.Option(
        "--verify/--no-verify",
        help="Run both models first.  [default: where LiteRT is installed]",
    ),
]
Atol = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        help="Absolute difference of outputs allowed.  [default: by range and noise of each]",
    ),
]
Rtol = Annotated[
    float | None,
    typer.Option(min=0.0, help="Relative difference allowed.  [default: likewise]"),
]
Gzip = Annotated[
    bool | None, typer.Option(help="Compute sizes after gzip.  [default: for models up to 4 MiB]")
]
Values = Annotated[
    StoredAs,
    typer.Option(
        help="Store weights in these numbers where that is smaller; they still compute in fp32."
        " fp16 and int8 lose information; fp32 changes none."
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="SOURCE",
        help="Inputs: a folder of images or of .npz and .npy files, such a file, or"
        " module:function. With --values int8, weights are fitted to three quarters of them;"
        " with --verify, both models run on the rest, not on random inputs.",
    ),
]
MinSnr = Annotated[
    float,
    typer.Option(
        metavar="DB",
        min=0.0,
        help="With --values: a weight with a lower SNR than that, such as 40, keeps its numbers.",
    ),
]
MinAgreement = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        min=0.0,
        max=1.0,
        help="With --values and --data: fail and write nothing where fewer inputs get the class"
        " that they got before, such as 0.99.",
    ),
]
KeepNonzero = Annotated[
    bool,
    typer.Option(
        "--keep-nonzero",
        help="With --values: a value that would become zero becomes the smallest that is not.",
    ),
]
Top = Annotated[int, typer.Option(metavar="N", min=0, help="Show that many weights, 0 for all.")]
Emulate = Annotated[
    str | None,
    typer.Option(
        "--emulate",
        metavar="[arm64]",
        autocompletion=complete.emulated,
        help="Run on an emulated processor (qemu): x86 without AVX, or 64-bit Arm; see --cpu.",
    ),
]
Cpu = Annotated[
    str | None,
    typer.Option(
        "--cpu",
        metavar="CPU",
        autocompletion=complete.cpus,
        help="With --emulate arm64: cortex-a53, -a55, -a76 or max (SME).  [default: cortex-a76]",
    ),
]
InputShape = Annotated[
    list[str] | None,
    typer.Option(
        "--input-shape",
        metavar="[NAME=]SIZES",
        help="Shape of an input that leaves sizes open, such as 1,224,224,3; may be repeated.",
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(min=1, max=2**31 - 1, help="The first dimension where the file leaves it open."),
]
Near = Annotated[
    float, typer.Option(metavar="BOUND", min=0.0, help="Bound of magnitude for near zeros.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Report as a JSON document.")]
Runtimes = Annotated[
    list[str] | None,
    typer.Option(
        "--runtime",
        metavar="RELEASE",
        autocompletion=complete.releases,
        help="Release of the runtime, such as litert-1.3; may be repeated.  [default: the newest]",
    ),
]
OnRelease = Annotated[
    str | None,
    typer.Option(
        "--runtime",
        metavar="RELEASE",
        autocompletion=complete.releases_to_run,
        help="Run on another release, which 'runtime install' fetched, such as litert-1.3."
        "  [default: the installed]",
    ),
]
OnlyTargets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="TARGET",
        autocompletion=complete.target_names,
        help="Only what happens on this kind of processor, such as arm64 (see 'targets'); may be"
        " repeated.  [default: all]",
    ),
]
