"""The targets: on which hardware XNNPACK takes the sparse path, and with which kernels."""

from __future__ import annotations

from tflite_sparse.errors import UsageError
from tflite_sparse.records import Record

__all__ = [
    "DEFAULT_RUNTIME",
    "LITERTJS_TYPES",
    "RUNTIMES",
    "Runtime",
    "Target",
    "runtime",
    "target",
    "targets",
]


class Runtime(Record, frozen=True):
    """A release of the runtime, as far as the model of it depends on the release.

    Attributes:
        name: what people call it.
        dynamic_fully_connected: whether the delegate takes FULLY_CONNECTED with a filter that is
            computed at run time.
        max_concatenation: most inputs of a CONCATENATION that the delegate takes.
        max_split: most outputs of a SPLIT that the delegate takes.
        half_filter_full_bias: whether the delegate takes an fp16 filter with an fp32 bias.
    """

    name: str
    dynamic_fully_connected: bool = False
    max_concatenation: int = 5
    max_split: int = 4
    half_filter_full_bias: bool = True


RUNTIMES = (
    Runtime("LiteRT 2.3"),
    # Seen in Chromium: with LiteRT.js 2.5.3 such a convolution runs outside XNNPACK.
    Runtime("LiteRT.js 2.5", half_filter_full_bias=False),
)
"""The releases that are modelled; a later release that differs is one more row."""

DEFAULT_RUNTIME = RUNTIMES[0]

LITERTJS_TYPES = ("FLOAT32", "INT32", "UINT8")
"""Element types of inputs and outputs that LiteRT.js takes.

Source: @litertjs/core, dist/index.js: DATATYPES.
"""


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
        RUNTIMES[1],
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


def targets() -> tuple[Target, ...]:
    """All targets, the most common first."""
    return _TARGETS


def target(name: str | Target) -> Target:
    """The target of a name; a target as it is.

    Raises:
        UsageError: there is no such target.
    """
    if isinstance(name, Target):
        return name
    for entry in _TARGETS:
        if entry.name == name:
            return entry
    raise UsageError(
        f"there is no target {name!r}",
        hint="known targets: " + ", ".join(entry.name for entry in _TARGETS),
    )


def runtime(name: str) -> Runtime:
    """The release of the runtime of a name, such as "LiteRT 2.3".

    Raises:
        UsageError: the release is not modelled.
    """
    for entry in RUNTIMES:
        if entry.name == name:
            return entry
    raise UsageError(
        f"the runtime {name!r} is not modelled",
        hint="modelled: " + ", ".join(entry.name for entry in RUNTIMES),
    )
