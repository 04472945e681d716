"""Where the cases are recorded besides the release that is installed: releases, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.runtime_model.releases.wheels import INSTALLED, WHEELS, WHEELS_ON_ARM64, Wheel
from tflite_sparse.xnnpack.releases.runtimes import Runtime, runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def _wheel(name: str) -> Place:
    slug = name if name.startswith("tflite") else f"litert-{name}"
    # What there was before LiteRT has AVX in its wheel for x86, and never looks at zeros there.
    target = "arm64" if WHEELS[name].platform.endswith("aarch64") else "x86-noavx"
    title = name if name.startswith("tflite") else f"LiteRT {name}"
    return Place(name, title, runtime(slug), target, WHEELS[name].version)


def _on_arm64(name: str, wheel: Wheel) -> Place:
    title = f"LiteRT {wheel.version}"
    return Place(name, title, runtime(f"litert-{wheel.version}"), "arm64", wheel.version)


def _browser(version: str) -> Place:
    name = f"litertjs-{version}"
    return Place(name, f"LiteRT.js {version}", runtime(name), "wasm", version)


_BROWSERS = ("0.2.1", "2.0.0", "2.5.3")

PLACES: Mapping[str, Place] = {
    place.name: place
    for place in (
        *map(_wheel, WHEELS),
        *(_on_arm64(name, wheel) for name, wheel in WHEELS_ON_ARM64.items()),
        *map(_browser, _BROWSERS),
    )
}
"""All of them by name, oldest first; those in a browser last."""


def place_of(name: str) -> Place:
    """The place of a name, or that of the release that is installed."""
    if name == INSTALLED:
        return Place(name, f"LiteRT {name}", runtime(f"litert-{name}"), "x86-noavx", name)
    return PLACES[name]
