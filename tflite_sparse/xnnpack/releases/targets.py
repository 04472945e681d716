"""The targets: on which hardware XNNPACK takes the sparse path, and with which kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.records import Record
from tflite_sparse.words.near import did_you_mean
from tflite_sparse.xnnpack.releases.runtimes import (
    DEFAULT_RUNTIME,
    RUNTIMES,
    YNNPACK,
    Runtime,
    runtime,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["USUAL", "Target", "of_each_runtime", "on_older", "on_releases", "target", "targets"]

USUAL = ("arm64", "armv7", "wasm")
"""The targets that a model must run right on unless others are named."""

_AT = "@"


class Target(Record, frozen=True):
    """A kind of processor that a model may run on.

    Attributes:
        name: short name, such as "arm64".
        title: name for people.
        sparse: whether XNNPACK looks for sparse clusters at all on this hardware
            (`xnn_is_chw_compatible_config`).
        blocks: numbers of output channels that a sparse kernel can compute together.
        fp16: whether arithmetic is done in half precision.
        note: what else is worth knowing.
        runtime: the release of the runtime that it is planned for unless another is named.
    """

    name: str
    title: str
    sparse: bool
    blocks: tuple[int, ...]
    fp16: bool
    note: str
    runtime: Runtime = DEFAULT_RUNTIME

    @property
    def processor(self) -> str:
        """Its name without that of a release."""
        return self.name.partition(_AT)[0]

    def on(self, release: Runtime) -> Target:
        """The same processor with a release of the runtime, such as "arm64@litert-1.3"."""
        if release == self.runtime:
            return self
        return msgspec.structs.replace(
            self,
            name=f"{self.processor}{_AT}{release.slug}",
            title=f"{self.title}, {release.name}",
            runtime=release,
        )


_TARGETS = (
    Target("arm64", "64-bit Arm", True, (1, 2, 4), False, "vector kernels for 1, 2 and 4 channels"),
    Target("armv7", "32-bit Arm with NEON", True, (1, 2, 4), False, "block kernels are scalar"),
    Target(
        "arm64-fp16",
        "64-bit Arm, half-precision arithmetic",
        True,
        (1,),
        True,
        "a padding in front of the entry does not fuse, so that most models run dense",
    ),
    Target(
        "wasm",
        "WebAssembly SIMD",
        True,
        (1, 2, 4),
        False,
        "the sparse path is on in every browser; block kernels are scalar",
        runtime("LiteRT.js 2.5"),
    ),
    Target("riscv", "RISC-V with vectors", True, (1, 2, 4), False, "kernels for 1, 2, 4 channels"),
    Target("hexagon", "Hexagon HVX", True, (1, 2, 4), False, "block kernels are scalar"),
    Target(
        "x86-noavx",
        "x86 without AVX",
        True,
        (1, 2, 4),
        False,
        "what emulation shows; block kernels are scalar",
    ),
    Target(
        "x86-avx",
        "x86 with AVX",
        False,
        (),
        False,
        "the sparse path is off by design: dense is expected to be faster",
    ),
)

_NAMED = (
    Target(
        "ynnpack",
        "any processor, with YNNPACK in place of XNNPACK",
        False,
        (),
        False,
        "YNNPACK has no sparse path: known from its sources, as no release turns it on",
        YNNPACK,
    ),
)
"""Those that nobody has unless they build it themselves: told only where they are named."""


def targets() -> tuple[Target, ...]:
    """All targets that releases run on, the most common first."""
    return _TARGETS


def of_each_runtime() -> tuple[Target, ...]:
    """Of each release of the runtime that targets have unless another is named, the first one."""
    first: dict[str, Target] = {}
    for entry in _TARGETS:
        first.setdefault(entry.runtime.name, entry)
    return tuple(first.values())


def target(name: str | Target) -> Target:
    """The target of a name, a target as it is.

    Args:
        name: such as "arm64", or "arm64@litert-1.3" for a certain release of the runtime.

    Raises:
        UsageError: there is no such target or release, or the release does not run there.
    """
    if isinstance(name, Target):
        return name
    processor, at, release = name.partition(_AT)
    for entry in (*_TARGETS, *_NAMED):
        if entry.name == processor:
            return _on(entry, runtime(release)) if at else entry
    known = [entry.name for entry in (*_TARGETS, *_NAMED)]
    raise UsageError(
        f"there is no target {name!r}",
        hint=f"{did_you_mean(processor, known)}known targets: {', '.join(known)}",
    )


def _on(entry: Target, release: Runtime) -> Target:
    if entry.runtime not in RUNTIMES:
        raise UsageError(
            f"{release.name} does not run on {entry.name}", hint=f"leave out {_AT}{release.slug}"
        )
    if release.browser != entry.runtime.browser:
        raise UsageError(
            f"{release.name} does not run on {entry.name}",
            hint="LiteRT.js runs on wasm, every other release on any other target",
        )
    return entry.on(release)


def on_older(asked: Iterable[Target], releases: Iterable[Runtime]) -> tuple[Target, ...]:
    """Targets on releases of the runtime that run there, but for the newest and their own."""
    entries = tuple(asked)
    return tuple(
        entry.on(release)
        for release in releases
        for entry in entries
        if release not in (entry.runtime, DEFAULT_RUNTIME)
        and entry.runtime in RUNTIMES
        and release.browser == entry.runtime.browser
    )


def on_releases(names: Iterable[str], releases: Sequence[str]) -> tuple[str, ...]:
    """Names of targets with releases of the runtime, in place of the newest.

    Args:
        names: names of targets; those that name a release keep it.
        releases: names of releases, such as "litert-1.3"; none of them changes nothing, and a
            target keeps its own where none of them runs there.

    Raises:
        UsageError: there is no such target or release.
    """
    chosen = [runtime(release) for release in releases]
    result: list[str] = []
    for entry in map(target, names):
        fitting = [release for release in chosen if release.browser == entry.runtime.browser]
        if _AT in entry.name or not fitting or entry.runtime not in RUNTIMES:
            result.append(entry.name)
        else:
            result += [entry.on(release).name for release in fitting]
    return tuple(dict.fromkeys(result))
