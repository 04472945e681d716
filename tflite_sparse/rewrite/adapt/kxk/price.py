"""What the sparse forms of a KxK convolution cost, and which of them costs least."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model.macs import macs
from tflite_sparse.rewrite.adapt.kxk.shifts import IN_PLACE, all_shifts, shift_of, steps_of
from tflite_sparse.rewrite.adapt.kxk.taps import taps_of
from tflite_sparse.rewrite.adapt.window import window_of
from tflite_sparse.xnnpack.cost.prices import COSTS, Costs
from tflite_sparse.xnnpack.cost.wide import by_lines, by_taps, separable

if TYPE_CHECKING:
    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.kxk.taps import Tap
    from tflite_sparse.rewrite.adapt.window import Mirrored

__all__ = ["KxkForm", "KxkPrice", "kxk_price", "separable_windows"]

_FARTHEST = 2
_VALUE = 4


class KxkForm(Enum):
    """The sparse forms of a KxK convolution."""

    TAPS = "taps"
    """A shifted map and a 1x1 convolution for each tap, added up."""

    LINES = "lines"
    """Maps shifted along one axis, and the sum of each line of the window along the other."""

    SEPARABLE = "separable"
    """All taps in one 1x1 convolution, between shifts along the height and along the width."""


class KxkPrice(msgspec.Struct, frozen=True):
    """What a sparse form costs, and what it does to the zeros that count.

    Attributes:
        form: the form.
        cost: what a run costs.
        dense_cost: the same of the convolution as it is.
        zeros: zeros in the filters of its 1x1 convolutions.
        size: size of these filters.
        bytes: bytes of activations that are alive at once while it is computed, about.
        along: the axis along which the map is shifted in the form by lines, 0 for the height.
    """

    form: KxkForm
    cost: float
    dense_cost: float
    zeros: int
    size: int
    bytes: int
    along: int = 1


def kxk_price(
    operator: Operator,
    mirrored: Mirrored,
    max_bytes: float = math.inf,
    costs: Costs = COSTS["wasm"],
) -> KxkPrice | None:
    """The sparse form of a convolution that costs least; None where it has none.

    Args:
        operator: a KxK convolution with a constant filter, without groups.
        mirrored: along which axes its map is reversed.
        max_bytes: bytes that the activations of the form may take.
        costs: the prices.
    """
    taps = taps_of(operator, mirrored)
    if not taps or any(shift_of(tap) is None for tap in taps):
        return None
    prices = [_price_of_taps(operator, taps, costs)]
    if taps[0].rows.stride == 1:
        prices += [_price_of_lines(operator, taps, along, costs) for along in (1, 0)]
    windows = separable_windows(taps)
    if windows is not None:
        prices.append(_price_of_separable(operator, taps, windows, costs))
    fitting = [price for price in prices if price.bytes <= max_bytes]
    return min(fitting, key=lambda price: price.cost, default=None)


def separable_windows(taps: list[Tap]) -> tuple[int, int] | None:
    """Sizes of the windows for shifts along the height and along the width; None where none fit.

    A shift along one axis leaves the other as it is, so that neither may have a stride.
    """
    if any(axis.stride != 1 for tap in taps for axis in (tap.rows, tap.columns)):
        return None
    if any(axis.outputs != axis.size for tap in taps for axis in (tap.rows, tap.columns)):
        return None
    reach = [
        max(abs(axis.before) for axis in axes)
        for axes in ([tap.rows for tap in taps], [tap.columns for tap in taps])
    ]
    if max(reach) > _FARTHEST or min(reach) == 0:
        # Nothing to part: without shifts along one axis the taps are as good.
        return None
    return 2 * reach[0] + 1, 2 * reach[1] + 1


def _sizes(operator: Operator) -> tuple[int, int, int]:
    """Pixels of the result, and channels of the map and of the result."""
    result = operator.outputs[0].shape
    return math.prod(result[:3]), window_of(operator).source.shape[3], result[3]


def _price_of_taps(operator: Operator, taps: list[Tap], costs: Costs) -> KxkPrice:
    pixels, channels, outputs = _sizes(operator)
    kept = sum(tap.values for tap in taps)
    shifts = all_shifts(taps, taps[0].rows.stride)
    size = len(taps) * channels * outputs
    # The map, the shifted ones that others are shifts of, one more; a product and two sums.
    parents = {shift.parent for shift in shifts} - {None, IN_PLACE}
    alive = pixels * (channels * (len(parents) + 1) + 3 * outputs)
    alive += math.prod(window_of(operator).source.shape)
    return KxkPrice(
        KxkForm.TAPS,
        by_taps(pixels, (channels, outputs), kept, len(taps), len(shifts), costs),
        _dense(operator, costs),
        size - kept,
        size,
        alive * _VALUE,
    )


def _price_of_lines(operator: Operator, taps: list[Tap], along: int, costs: Costs) -> KxkPrice:
    pixels, channels, outputs = _sizes(operator)
    kept = sum(tap.values for tap in taps)
    steps = [
        steps_of(tap.columns.before for tap in taps),
        steps_of(tap.rows.before for tap in taps),
    ]
    maps, sums = steps if along == 1 else steps[::-1]
    size = len(taps) * channels * outputs
    # The map and all shifted ones; a product, the sum of a line and those on both sides.
    alive = pixels * (channels * (maps + 1) + 4 * outputs)
    return KxkPrice(
        KxkForm.LINES,
        by_lines(pixels, (channels, outputs), kept, len(taps), (maps, sums), costs),
        _dense(operator, costs),
        size - kept,
        size,
        alive * _VALUE,
        along,
    )


def _price_of_separable(
    operator: Operator, taps: list[Tap], windows: tuple[int, int], costs: Costs
) -> KxkPrice:
    pixels, channels, outputs = _sizes(operator)
    kept = sum(tap.values for tap in taps)
    lines = len({tap.rows.before for tap in taps}), len({tap.columns.before for tap in taps})
    copies, results = lines[0] * channels, lines[1] * outputs
    sizes = (copies * channels, copies * results, results * outputs)
    return KxkPrice(
        KxkForm.SEPARABLE,
        separable(pixels, (channels, outputs), kept, len(taps), lines, windows, costs),
        _dense(operator, costs),
        sum(sizes) - copies - kept - results,
        sum(sizes),
        pixels * (max(copies, results) + max(copies, results, outputs)) * _VALUE,
    )


def _dense(operator: Operator, costs: Costs) -> float:
    elements = math.prod(operator.outputs[0].shape)
    return macs(operator) * costs.dense + elements * costs.dense_written + costs.overhead
