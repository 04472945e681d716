"""The releases of the runtime, oldest first, as the differences between their rules.

Each field of `Runtime` is one difference that a stage asks for; its description says which change
of LiteRT or XNNPACK is behind it. All of it was run: `tests/runtime_model/releases/` holds what
each release does with every recorded case.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.records import Record
from tflite_sparse.words.near import did_you_mean
from tflite_sparse.xnnpack.plan_types import Outcome

__all__ = [
    "DEFAULT_RUNTIME",
    "LITERTJS_TYPES",
    "MAINTAINED",
    "RUNTIMES",
    "YNNPACK",
    "Runtime",
    "release_of",
    "runtime",
]


class Runtime(Record, frozen=True):
    """A release of the runtime, as far as the model of it depends on the release.

    Attributes:
        name: what people call it.
        built: the day on which its first wheel was built, year first; "" where that is not known.
        versions: versions of the package that are alike in all that is modelled.
        dynamic_fully_connected: whether the delegate takes FULLY_CONNECTED with a filter that is
            computed at run time.
        max_concatenation: most inputs of a CONCATENATION that the delegate takes.
        max_split: most outputs of a SPLIT that the delegate takes.
        half_filter_full_bias: whether the delegate takes an fp16 filter with an fp32 bias.
        full_filter_half_bias: whether it takes an fp32 filter with an fp16 bias.
        sparse_unary: elementwise operators with a sparse form, as XNNPACK calls them; None for all.
            All since XNNPACK made one kind of node of them (2e439340e6, 2024-10-28).
        sparse_reductions: whether MEAN and SUM over any axes have a sparse form; before, it was
            global average pooling (212c4ebbe7, 2024-10-15, the reduce-nd operator).
        sparse_fully_connected: whether FULLY_CONNECTED counts as a member of a cluster, zeros
            included (8dffc30dc5, 2025-01-13).
        reshapes_for_fully_connected: whether the delegate puts a reshape in front of a
            FULLY_CONNECTED that flattens, which keeps it out of the cluster (LiteRT 1.4.0).
        counts_a_reader_once: whether an operator that reads a value twice is one reader of it
            (0aa15678ff, 2025-06-27).
        rewrites_subgraphs: whether products with itself become squares, clamps without limits
            vanish, and so on (fd15d8d833, 2025-09-03).
        rewrites_limits: whether minima and maxima with a scalar become clamps, where it rewrites
            at all (e9bc43cef4, 2025-10-29).
        drops_unread: whether operators that nothing reads are dropped before clusters are sought.
        checks_channels: whether a matrix product refuses an input of another number of channels
            than its filter has; where it does not, it computes wrong numbers.
        all_axes: what comes of a MEAN over all four axes in the sparse layout, which reads past
            its table of axes.
        left_to_tflite: operators that the delegate does not take yet.
        takes_int8: whether the delegate takes operators in int8 unless it is told not to.
        unpacks: whether the delegate unpacks sparse weights for itself; else TFLite does, and keeps
            the dense copy.
        half_filter_needs_half_bias: whether the sparse kernels of 1x1 convolutions take an fp32
            bias for an fp16 one where the filter is fp16.
    """

    name: str
    built: str = ""
    versions: tuple[str, ...] = ()
    dynamic_fully_connected: bool = False
    max_concatenation: int = 5
    max_split: int = 4
    half_filter_full_bias: bool = True
    full_filter_half_bias: bool = False
    sparse_unary: tuple[str, ...] | None = None
    sparse_reductions: bool = True
    sparse_fully_connected: bool = True
    reshapes_for_fully_connected: bool = True
    counts_a_reader_once: bool = True
    rewrites_subgraphs: bool = True
    rewrites_limits: bool = True
    drops_unread: bool = True
    checks_channels: bool = True
    all_axes: Outcome = Outcome.PROCESS_ABORT
    left_to_tflite: tuple[str, ...] = ()
    takes_int8: bool = True
    unpacks: bool = True
    half_filter_needs_half_bias: bool = False

    @property
    def slug(self) -> str:
        """Its name as options take it, such as "litert-2.3"."""
        return self.name.lower().replace(" ", "-").replace("litert.js", "litertjs")

    @property
    def slugs(self) -> frozenset[str]:
        """All names that options take for it: also of its versions, with and without patch."""
        kind = self.slug.rpartition("-")[0]
        numbers = {*self.versions, *(v.rpartition(".")[0] for v in self.versions)}
        return frozenset({self.slug, *(f"{kind}-{number}" for number in numbers)})

    @property
    def browser(self) -> bool:
        """Whether it is LiteRT.js, which runs in browsers alone."""
        return self.slug.startswith("litertjs")


def _before(
    later: Runtime, name: str, built: str, versions: tuple[str, ...], **differences: Any
) -> Runtime:
    """The release before another, which differs from it in nothing but what is given."""
    return msgspec.structs.replace(later, name=name, built=built, versions=versions, **differences)


_UNARY_1_0 = (
    "abs", "bankers_rounding", "ceiling", "clamp", "elu", "floor", "hardswish", "leaky_relu",
    "negate", "sigmoid", "square",
)  # fmt: skip

_LEFT_1_1 = (
    "ASSIGN_VARIABLE", "COS", "EXP", "LOG", "READ_VARIABLE", "RSQRT", "SIN", "SQRT", "VAR_HANDLE",
)  # fmt: skip

_LITERT_2_3 = Runtime("LiteRT 2.3", "2026-08-13", ("2.2.0", "2.3.0"))
_LITERT_2_1 = _before(
    _LITERT_2_3, "LiteRT 2.1", "2026-07-01", ("2.1.6",), half_filter_full_bias=False
)
_LITERT_2_0 = _before(
    _LITERT_2_1,
    "LiteRT 2.0",
    "2025-11-08",
    ("2.0.3",),
    rewrites_subgraphs=False,
    drops_unread=False,
    checks_channels=False,
    all_axes=Outcome.LOAD_FAILURE,
    left_to_tflite=("LOG",),
)
_LITERT_1_4 = _before(
    _LITERT_2_0,
    "LiteRT 1.4",
    "2025-07-02",
    ("1.4.0",),
    counts_a_reader_once=False,
    all_axes=Outcome.WRONG_NUMBERS,
)
_LITERT_1_3 = _before(
    _LITERT_1_4,
    "LiteRT 1.3",
    "2025-05-19",
    ("1.3.0",),
    reshapes_for_fully_connected=False,
    half_filter_full_bias=True,
    half_filter_needs_half_bias=True,
)
_LITERT_1_1 = _before(
    _LITERT_1_3,
    "LiteRT 1.1",
    "2025-02-10",
    ("1.1.2", "1.2.0"),
    left_to_tflite=_LEFT_1_1,
)
_LITERT_1_0 = _before(
    _LITERT_1_1,
    "LiteRT 1.0",
    "2024-08-29",
    ("1.0.1",),
    left_to_tflite=(*_LEFT_1_1, "SUM"),
    half_filter_needs_half_bias=False,
    full_filter_half_bias=True,
    sparse_unary=_UNARY_1_0,
    sparse_reductions=False,
    sparse_fully_connected=False,
)
_TFLITE_2_14 = _before(
    _LITERT_1_0,
    "tflite-runtime 2.14",
    "2023-10-03",
    ("2.14.0",),
    left_to_tflite=(*_LITERT_1_0.left_to_tflite, "BATCH_MATMUL", "GELU"),
    takes_int8=False,
)
# Seen in Chromium: with LiteRT.js 2.5.3 such a convolution runs outside XNNPACK.
_LITERTJS_2_5 = Runtime("LiteRT.js 2.5", "2026-07-19", ("2.5.3",), half_filter_full_bias=False)
_LITERTJS_2_0 = _before(
    _LITERTJS_2_5, "LiteRT.js 2.0", "2026-05-18", ("2.0.0",), left_to_tflite=("LOG",)
)
_LITERTJS_0_2 = _before(
    _LITERTJS_2_0,
    "LiteRT.js 0.2",
    "2026-05-15",
    ("0.2.1",),
    rewrites_limits=False,
    checks_channels=False,
    all_axes=Outcome.WRONG_NUMBERS,
    left_to_tflite=("LOG",),
)

RUNTIMES = (
    _TFLITE_2_14,
    _LITERT_1_0,
    _LITERT_1_1,
    _LITERT_1_3,
    _LITERT_1_4,
    _LITERT_2_0,
    _LITERT_2_1,
    _LITERT_2_3,
    _LITERTJS_0_2,
    _LITERTJS_2_0,
    _LITERTJS_2_5,
)
"""The releases that are modelled, oldest first; a later one that differs is one more row."""

YNNPACK = _before(_LITERT_2_3, "YNNPACK", "", (), unpacks=False)
"""LiteRT where YNNPACK takes operators before XNNPACK: read, not run, as no build that is published
has it. It has no sparse path, and does not take DENSIFY (tflite/delegates/ynnpack, August 2026); of
filters it does not ask that they be constants. In all else it is planned like XNNPACK."""

DEFAULT_RUNTIME = next(entry for entry in RUNTIMES if entry.name == "LiteRT 2.3")

MAINTAINED = tuple(entry for entry in RUNTIMES if entry.name.startswith("LiteRT 2"))
"""The releases that a model must be right on unless others are named: all that share a major
version with the newest."""

LITERTJS_TYPES = ("FLOAT32", "INT32", "UINT8")
"""Element types of inputs and outputs that LiteRT.js takes.

Source: @litertjs/core, dist/index.js: DATATYPES.
"""


def runtime(name: str) -> Runtime:
    """The release of a name, such as "LiteRT 2.3", "litert-1.3" or "litert-2.1.6".

    Raises:
        UsageError: the release is not modelled.
    """
    for entry in RUNTIMES:
        if name == entry.name or name.lower() in entry.slugs:
            return entry
    known = [entry.slug for entry in RUNTIMES]
    raise UsageError(
        f"the runtime {name!r} is not modelled",
        hint=f"{did_you_mean(name, known)}modelled: {', '.join(known)}",
    )


def release_of(version: str) -> Runtime:
    """The release of a version of ai-edge-litert, such as "1.3.0".

    Raises:
        UsageError: the release is not modelled.
    """
    return runtime(f"litert-{version}")
