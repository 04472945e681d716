"""What a convolution wider than 1x1 takes as 1x1 convolutions of shifted maps.

XNNPACK has sparse kernels for 1x1 convolutions alone; `tflite_sparse.rewrite.adapt.kxk` makes such
sums of wider ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.cost.prices import Costs

__all__ = ["SHIFT_WINDOW", "by_lines", "by_taps", "separable", "wide_saving"]

SHIFT_WINDOW = 3
"""Height and width of the window of a shift."""

_SEPARABLE_OPERATORS = 5
_LARGEST_WINDOW = 5


def by_taps(
    pixels: float,
    channels: tuple[int, int],
    kept: float,
    taps: int,
    shifts: int,
    costs: Costs,
) -> float:
    """Nanoseconds of a shifted map and a 1x1 convolution for each tap, added up.

    Args:
        pixels: pixels of the result.
        channels: channels of the map and of the result.
        kept: values of the filter that are not zero.
        taps: cells of the window that have any.
        shifts: shifted maps that they read.
        costs: prices on the target.
    """
    return by_lines(pixels, channels, kept, taps, (shifts, 0), costs)


def by_lines(
    pixels: float,
    channels: tuple[int, int],
    kept: float,
    taps: int,
    shifts: tuple[int, int],
    costs: Costs,
) -> float:
    """Nanoseconds of maps shifted along one axis, and sums of products shifted along the other.

    Args:
        pixels: pixels of the result.
        channels: channels of the map and of the result.
        kept: values of the filter that are not zero.
        taps: cells of the window that have any.
        shifts: shifts of the map, and of sums.
        costs: prices on the target.
    """
    inputs, outputs = channels
    shifted = SHIFT_WINDOW**2 * (shifts[0] * inputs + shifts[1] * outputs) * costs.depthwise_sparse
    writing = costs.writing(pixels * (inputs + outputs))
    products = kept * costs.sparse + taps * outputs * writing
    sums = (taps - 1) * outputs * costs.moved
    operators = sum(shifts) + 2 * taps - 1
    return pixels * (shifted + products + sums) + operators * costs.overhead


def separable(
    pixels: float,
    channels: tuple[int, int],
    kept: float,
    taps: int,
    lines: tuple[int, int],
    windows: tuple[int, int],
    costs: Costs,
) -> float:
    """Nanoseconds of one 1x1 convolution between shifts along the height and along the width.

    Args:
        pixels: pixels of the result.
        channels: channels of the map and of the result.
        kept: values of the filter that are not zero.
        taps: cells of the window that have any.
        lines: rows and columns of the window that have any.
        windows: sizes of the windows of the shifts along the height and along the width.
        costs: prices on the target.
    """
    inputs, outputs = channels
    # Copies of the map, one for each shift along the height; results, one for each along the width.
    copies, results = lines[0] * inputs, lines[1] * outputs

    def writing(*maps: int) -> float:
        return costs.writing(pixels * sum(maps))

    placed = 0.0 if lines[0] == 1 else copies * (costs.sparse + writing(inputs, copies))
    shifted = sum(
        size * size * many * costs.depthwise_sparse
        for size, many in zip(windows, (copies, results), strict=True)
    )
    product = kept * costs.sparse + results * writing(copies, results)
    total = results * costs.sparse + outputs * writing(results, outputs)
    time = pixels * (placed + shifted + product + total) * (1 + costs.crowded * taps)
    return time + _SEPARABLE_OPERATORS * costs.overhead


def wide_saving(macs: int, filters: tuple[int, ...], zeros: float, costs: Costs) -> float:
    """Nanoseconds that the best form of a wide convolution saves; negative where it costs more.

    Counts as if zeros lay evenly, and stride and dilation were 1.

    Args:
        macs: multiplications of the dense convolution.
        filters: shape of its filter: output channels, height, width, input channels.
        zeros: share of its weights that are zero, 0 to 1.
        costs: prices on the target.
    """
    outputs, height, width, inputs = filters
    elements = outputs * height * width * inputs
    pixels, kept, taps = macs / elements, elements * (1 - zeros), height * width
    channels = inputs, outputs
    times = [by_taps(pixels, channels, kept, taps, taps - 1, costs)]
    steps = height - 1, width - 1
    times += [by_lines(pixels, channels, kept, taps, way, costs) for way in (steps, steps[::-1])]
    if min(height, width) > 1 and max(height, width) <= _LARGEST_WINDOW:
        lines = height, width
        times.append(separable(pixels, channels, kept, taps, lines, lines, costs))
    return macs * costs.dense - min(times)
