"""Options that mean something in some places where models run, and nothing in the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError

if TYPE_CHECKING:
    import typer

__all__ = ["refuse_unused"]

_TIMED = ("native", "web", "adb")
_PLACES = {
    "runs": _TIMED,
    "warmup": _TIMED,
    "threads": _TIMED,
    "seed": ("native", "web", "emulated"),
    "runtime": ("native",),
    "browser": ("web",),
    "litertjs": ("web",),
    "benchmark_model": ("adb",),
    "device": ("adb",),
}
_WHY = {
    "runs": "instructions are counted in one run",
    "warmup": "instructions are counted in one run",
    "threads": "instructions are counted on one thread",
    "seed": "benchmark_model makes up inputs of its own",
    "runtime": "it is for LiteRT on this machine",
    "browser": "it is for --on web, and for a picture that is a .png",
    "litertjs": "it is for --on web",
    "benchmark_model": "it is for --on adb",
    "device": "it is for --on adb",
}
_TITLES = {
    "native": "on this machine",
    "web": "in a browser",
    "adb": "on a device",
    "emulated": "on an emulated processor",
}


def refuse_unused(ctx: typer.Context, place: str, *, draws: bool = False) -> None:
    """Refuses options that were given and would be ignored.

    Args:
        ctx: what was given.
        place: where models run: "native", "web", "adb" or "emulated".
        draws: whether a browser draws a picture.

    Raises:
        UsageError: an option would be ignored.
    """
    for name, places in _PLACES.items():
        source = ctx.get_parameter_source(name)
        if place in places or source is None or source.name == "DEFAULT":
            continue
        if name == "browser" and draws:
            continue
        option = f"--{name.replace('_', '-')}"
        raise UsageError(
            f"{option} means nothing {_TITLES[place]}: {_WHY[name]}", hint=f"leave out {option}"
        )
