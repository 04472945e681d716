"""Where the cases are recorded besides the release that is installed: releases, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.runtime_model.releases.wheels import INSTALLED, WHEELS
from tflite_sparse.xnnpack.releases.runtimes import Runtime, runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.runtime_model.releases.wheels import Wheel

__all__ = ["PLACES", "Place", "place_of"]


@dataclass(frozen=True, slots=True)
class Place:
    """A release, and the processor that it was run on.

    Attributes:
        name: by what it is recorded.
        title: the same for people.
        release: the row of the table.
        target: the target that it was run on.
        version: the version of the package.
    """

    name: str
    title: str
    release: Runtime
    target: str
    version: str


def _on_wheel(name: str, wheel: Wheel) -> Place:
    kind = "LiteRT " if wheel.package == "ai-edge-litert" else f"{wheel.package}-"
    title = f"{kind}{wheel.version}"
    release = runtime(title.lower().replace(" ", "-"))
    target = "arm64" if wheel.platform.endswith("aarch64") else "x86-noavx"
    return Place(name, title, release, target, wheel.version)


def _browser(version: str) -> Place:
    name = f"litertjs-{version}"
    return Place(name, f"LiteRT.js {version}", runtime(name), "wasm", version)


_BROWSERS = ("0.2.1", "2.0.0", "2.5.3")

PLACES: Mapping[str, Place] = {
    place.name: place
    for place in (
        *(_on_wheel(name, wheel) for name, wheel in WHEELS.items()),
        *map(_browser, _BROWSERS),
    )
}
"""All of them by name, oldest first; those in a browser last."""


def place_of(name: str) -> Place:
    """The place of a name, or that of the release that is installed."""
    if name == INSTALLED:
        return Place(name, f"LiteRT {name}", runtime(f"litert-{name}"), "x86-noavx", name)
    return PLACES[name]
