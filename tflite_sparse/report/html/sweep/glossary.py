"""The words of a sweep's page that its reader may not know, each in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.sweeping.result import Sweep

__all__ = ["glossary"]

_ZEROS = (
    "the share of values that are zero in the filters that are pruned; the rest of the model stays"
    " as it is"
)
_STORED = (
    "how weights are stored in the file: as floats of 32 or 16 bits, or as integers of 8. All of"
    " these compute in fp32, unlike full int8, which computes in integers"
)
_SPARSE = (
    "whether the runtime multiplies by zeros too, or leaves them out, which it does where two"
    " thirds of the weights that it looks at together are zero"
)
_ESTIMATE = (
    "worked out from what each operator takes on one processor. Others win more or less: where a"
    " gain was measured, that counts"
)
_FEWER = (
    "how much less work a run is on a Cortex-A76. How much time that saves depends on the phone:"
    " measure it there"
)
_TARGETS = {
    "arm64": "64-bit Arm, as in today's phones",
    "armv7": "32-bit Arm, as in old phones and small boards",
}


def glossary(sweep: Sweep) -> tuple[tuple[str, str], ...]:
    """The words that the page of a sweep has, and what they mean.

    Args:
        sweep: the sweep.
    """
    return tuple(_entries(sweep))


def _entries(sweep: Sweep) -> Iterator[tuple[str, str]]:
    yield "zeros", _ZEROS
    yield "fp32, fp16, int8", _STORED
    yield "runs dense, runs sparse", _SPARSE
    if any(time.gain for point in sweep.points for time in point.times):
        yield "estimate", _ESTIMATE
    if any(time.instructions for time in sweep.dense.times):
        yield "fewer instructions", _FEWER
    for target in sweep.targets:
        if target in _TARGETS:
            yield target, _TARGETS[target]
