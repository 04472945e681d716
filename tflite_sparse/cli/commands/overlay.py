"""`tflite-sparse overlay`: zeros, fate and bytes saved, for the picture of Model Explorer."""

from __future__ import annotations

import contextlib
import shlex
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.output import free_target, say
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.cli.rewriting import STDOUT
from tflite_sparse.cli.usage import complete
from tflite_sparse.errors import ModelError, Place, UsageError

if TYPE_CHECKING:
    from tflite_sparse.report.overlay import Overlay

__all__ = ["Data", "command"]


class Data(str, Enum):
    """The data sets."""

    FATE = "fate"
    ZEROS = "zeros"
    SAVING = "saving"


def command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model to read.")],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Where to write: OUT.json becomes OUT.fate.json and so on, or is the one file of"
            " --data; - is stdout.",
        ),
    ],
    data: Annotated[
        Data | None,
        typer.Option(
            metavar="NAME",
            help="Only this data set: fate, zeros or saving.  [default: all, a file each]",
        ),
    ] = None,
    target: Annotated[
        str,
        typer.Option(
            metavar="TARGET",
            autocompletion=complete.target_names,
            help="The kind of processor whose fate it is.",
        ),
    ] = "arm64",
    force: opt.Force = False,
) -> None:
    """Write node data for Model Explorer: what becomes of each operator, zeros, bytes saved."""
    from tflite_sparse.inspection.inspector import inspect
    from tflite_sparse.model import Model
    from tflite_sparse.report.overlay import QUANTITIES, overlays
    from tflite_sparse.xnnpack.releases.targets import target as target_of

    if output == STDOUT and data is None:
        raise UsageError(
            "-o - takes one data set", hint="name it: --data fate, --data zeros or --data saving"
        )
    kind = target_of(target)
    paths = (
        {name: _beside(output, name) for name in QUANTITIES}
        if data is None
        else {data.value: output}
    )
    if output != STDOUT:
        for path in paths.values():
            free_target(path, force=force)
    with progress_bar(f"inspecting {model}"):
        inspection = inspect(
            Model.read(model), targets=[kind], digest=False, gzip=False, releases=()
        )
    for problem in inspection.problems:
        raise ModelError(f"{problem.place}: {problem.message}", place=Place(file=model))
    _write(
        {
            paths[overlay.quantity]: overlay
            for overlay in overlays(inspection, kind.name)
            if overlay.quantity in paths
        },
        fresh=not force,
    )
    if output != STDOUT:
        files = shlex.quote(",".join(paths.values()))
        say(f"Wrote {', '.join(paths.values())}. To look at it:")
        say(f"model-explorer {shlex.quote(model)} --node_data_paths={files}")


def _beside(output: str, quantity: str) -> str:
    """The file of one data set: overlay.json is overlay.fate.json, and so on."""
    path = Path(output)
    return str(path.with_name(f"{path.stem}.{quantity}{path.suffix or '.json'}"))


def _write(files: dict[str, Overlay], *, fresh: bool) -> None:
    """Writes all files or none."""
    from tflite_sparse.files.output import replacing
    from tflite_sparse.report.json.documents import dump

    with contextlib.ExitStack() as stack:
        for path, overlay in files.items():
            text = dump(overlay.to_dict()) + "\n"
            if path == STDOUT:
                sys.stdout.write(text)
            else:
                stack.enter_context(replacing(path, fresh=fresh)).write(text.encode())
