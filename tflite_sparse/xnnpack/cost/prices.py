"""What the work of operators costs on a target, measured or, where nobody has, stood in for.

A sparse kernel costs the multiplications by weights that are not zero, at a higher price each.
There are kernels for one output channel and for blocks of 2 and 4. On 64-bit Arm all are vector
code, and a block saves loads; elsewhere those for blocks are scalar, and a multiplication in them
costs several times as much as in the kernel for one channel.
"""

from __future__ import annotations

import msgspec

from tflite_sparse.model.zero_counts import BLOCK_CHANNELS
from tflite_sparse.records import Record
from tflite_sparse.xnnpack.cost.instruction_prices import PRICES

__all__ = [
    "COSTS",
    "PER_INSTRUCTION",
    "PLANNED_ON",
    "Costs",
    "costs_of",
    "multiplication",
    "slow_kernels",
]

# Bytes up to which both maps stay in the cache, and from which on neither does.
_NEAR, _FAR = 6.5e6, 8.4e6
_VALUE = 4


class Costs(Record, frozen=True):
    """Prices on a target, one thread, all in nanoseconds or all in instructions.

    Attributes:
        dense: a multiplication of a dense convolution or matrix product.
        dense_written: an element that it writes.
        depthwise: a multiplication of a depthwise convolution outside the sparse layout.
        depthwise_sparse: the same in the sparse layout, with a window of 3x3.
        depthwise_sparse_large: the same with a larger one, into which strides are made fit.
        entry: a multiplication of a convolution that brings a map into the sparse layout.
        sparse: a multiplication by a weight that is not zero in the sparse kernel for one output
            channel.
        sparse_2: the same in the kernel for blocks of 2.
        sparse_4: the same in the kernel for blocks of 4.
        written: an element that a sparse kernel writes.
        written_far: the same where what it reads and writes is larger than the cache.
        moved: an element that any operator without multiplications writes.
        reversed: an element that is written in reverse order.
        overhead: an operator that runs.
        crowded: share by which a product of many maps side by side costs more than its parts, for
            each map, as they do not fit the cache.
        measured: where the prices come from.
    """

    dense: float
    dense_written: float
    depthwise: float
    depthwise_sparse: float
    depthwise_sparse_large: float
    entry: float
    sparse: float
    sparse_2: float
    sparse_4: float
    written: float
    written_far: float
    moved: float
    reversed: float
    overhead: float
    crowded: float
    measured: str

    def writing(self, elements: float) -> float:
        """What it costs a sparse kernel to write an element.

        It reads and writes a few pixels of all channels before it goes on to the next, which lie
        far apart: where both maps do not stay in the cache, all of that has to be waited for.

        Args:
            elements: elements that the kernel reads and writes, together.
        """
        share = min(max((elements * _VALUE - _NEAR) / (_FAR - _NEAR), 0.0), 1.0)
        return (1 - share) * self.written + share * self.written_far


COSTS = {
    "wasm": Costs(
        dense=0.058,
        dense_written=0.0,
        depthwise=0.21,
        depthwise_sparse=0.13,
        depthwise_sparse_large=0.13,
        entry=0.15,
        sparse=0.076,
        sparse_2=0.37,
        sparse_4=0.335,
        written=0.12,
        # Between a processor at rest and one whose cache others use: benchmarks/kxk.json.
        written_far=1.2,
        moved=0.4,
        reversed=1.5,
        overhead=2000.0,
        # 1.2 times as long for 3x3, 1.6 for 5x5: benchmarks/kxk.json.
        crowded=1 / 40,
        measured="LiteRT.js 2.5.3 in headless Chromium on x86-64, one thread, on two machines, one "
        "busy and one at rest: MobileNetV1 1.0 224 at 0, 70, 80, 90 and 95 % zeros in 42.9, 22.4, "
        "17.4, 13.2 and 9.2 ms and in 26.9, 11.1, 8.3, 5.6 and 4.4 ms, and at 70, 80 and 90 % in "
        "blocks of 2 output channels 1.69, 1.17 and 0.74 times as long as dense, of 4 1.55, 1.11 "
        "and 0.66 times; other nets by how many times faster than dense they are on each",
    ),
}
"""The prices by the name of the target, where they were measured."""

PLANNED_ON = "cortex-a76"
"""The processor whose instructions models for 64-bit Arm are planned by: dense products take fewer
on it than on others, so that what wins there wins on those as well."""

# A map of this size, and tiles of the sparse kernels and vectors of four columns in it.
_CHANNELS, _COLUMNS, _TILE, _VECTOR = 128, 28, 32, 4
_TAPS, _MORE_TAPS = 9, 25


def _per_multiplication(counted: dict[str, float]) -> Costs:
    """Prices of kernels by what they do for each tile, line and so on, on maps of a usual size."""
    pixel = counted["depthwise_written"] + counted["depthwise_pixel"] / _CHANNELS

    def window(kind: str, taps: int) -> float:
        vector, line = counted[f"{kind}_vector"] / _VECTOR, counted[f"{kind}_line"] / _COLUMNS
        return counted[kind] / _VECTOR + (vector + line) / taps

    sparse = {
        width: (counted[f"sparse_{width}"] + counted[f"sparse_{width}_tile"] / _TILE) / width
        for width in (1, *BLOCK_CHANNELS)
    }
    return Costs(
        dense=counted["dense"],
        dense_written=counted["dense_written"],
        depthwise=counted["depthwise"] + pixel / _TAPS,
        depthwise_sparse=window("depthwise_sparse", _TAPS),
        depthwise_sparse_large=window("strided_sparse_large", _MORE_TAPS),
        entry=counted["entry"],
        sparse=sparse[1],
        sparse_2=sparse[2],
        sparse_4=sparse[4],
        written=counted["sparse_1_written"],
        written_far=counted["sparse_1_written"],
        moved=counted["moved"],
        reversed=counted["reversed"] + counted["reversed_pixel"] / _CHANNELS,
        # What runs of nets take beside their operators, by how many they have.
        overhead=1100.0,
        crowded=0.0,
        measured=f"instructions of LiteRT 2.3.0 on an emulated {PLANNED_ON}; not time",
    )


PER_INSTRUCTION = {"arm64": _per_multiplication(PRICES[PLANNED_ON])}
"""Prices in instructions by the name of the target, where those were counted."""

_MEASURED = "wasm"

# Where block kernels are scalar, as in WebAssembly (src/configs/spmm-config.c).
_SCALAR_BLOCKS = frozenset({"armv7", "hexagon", "x86-noavx"})

# Multiplications in kernels for blocks of 2 and 4 as shares of those in the kernel for one channel:
# instructions of runs of MobileNetV1 1.0 224 on an emulated Cortex-A76, 80 % zeros, 100.4 million
# in single channels, 73.4 in blocks of 2, 86.3 of 4 (registers spill), 21.5 of them for the rest.
_VECTOR_BLOCKS = {"arm64": (0.66, 0.82)}


def costs_of(target: str) -> Costs:
    """The prices on a target; where nobody has measured it, others that stand in for them.

    Ratios of times by these rank alternatives; for times in milliseconds there are `COSTS` only.

    Args:
        target: name of the target, with or without a release of the runtime.
    """
    target = target.partition("@")[0]
    costs = COSTS.get(target)
    if costs is not None:
        return costs
    stand_in = COSTS[_MEASURED]
    if target in _SCALAR_BLOCKS:
        return stand_in
    pairs, fours = (stand_in.sparse * share for share in _VECTOR_BLOCKS.get(target, (1.0, 1.0)))
    return msgspec.structs.replace(stand_in, sparse_2=pairs, sparse_4=fours)


def multiplication(costs: Costs, kernel: int) -> float:
    """Nanoseconds of a multiplication by a weight that is not zero in a sparse kernel.

    Args:
        costs: prices on the target.
        kernel: output channels that the kernel computes together.
    """
    return {2: costs.sparse_2, 4: costs.sparse_4}.get(kernel, costs.sparse)


def slow_kernels(target: str) -> frozenset[int]:
    """The block kernels of a target that take longer than the kernel for one output channel."""
    costs = costs_of(target)
    return frozenset(n for n in BLOCK_CHANNELS if multiplication(costs, n) > costs.sparse)
