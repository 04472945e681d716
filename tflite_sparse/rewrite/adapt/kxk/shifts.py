"""How maps are shifted: by depthwise convolutions with a single one, step by step.

A 3x3 window shifts a map by one cell along height, width or both, so that a shift by more is one of
a map that was shifted by less, which another cell of the same window often needs anyway. A stride
goes to the first step, which picks every other cell; the others are steps at the smaller size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tflite_sparse.xnnpack.cost.wide import SHIFT_WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.rewrite.adapt.kxk.taps import Tap
    from tflite_sparse.rewrite.adapt.window import Axis

__all__ = ["IN_PLACE", "SHIFT_WINDOW", "Shift", "all_shifts", "shift_of", "steps_of"]


class Shift(NamedTuple):
    """A shifted map.

    Attributes:
        pick: cells of zeros in front of the map along height and width when cells are picked with
            a stride, -1 to 1; 0 without a stride.
        steps: steps of one cell after that, along height and width.
    """

    pick: tuple[int, int]
    steps: tuple[int, int]

    @property
    def parent(self) -> Shift | None:
        """The map that is one step less far away; None where the cells are picked."""
        if self.steps == (0, 0):
            return None
        return Shift(self.pick, (_nearer(self.steps[0]), _nearer(self.steps[1])))

    @property
    def last_step(self) -> tuple[int, int]:
        """The step from the parent."""
        return _sign(self.steps[0]), _sign(self.steps[1])


IN_PLACE = Shift((0, 0), (0, 0))
"""The map itself, where there is no stride."""


def shift_of(tap: Tap) -> Shift | None:
    """The shift of the map that a tap reads; None where there is none.

    A shifted map has as many cells as the map has steps; those of the window must be the same.
    """
    axes = [_steps(tap.rows), _steps(tap.columns)]
    if None in axes:
        return None
    (pick_row, row), (pick_column, column) = (axis for axis in axes if axis is not None)
    return Shift((pick_row, pick_column), (row, column))


def all_shifts(taps: Iterable[Tap], stride: int) -> set[Shift]:
    """All shifted maps that some taps need, those on the way included, but for the map itself.

    Args:
        taps: taps of one convolution that have a shift.
        stride: its stride.
    """
    shifts: set[Shift] = set()
    for tap in taps:
        shift = shift_of(tap)
        while shift is not None and shift not in shifts:
            shifts.add(shift)
            shift = shift.parent
    return shifts - {IN_PLACE} if stride == 1 else shifts


def steps_of(shifts: Iterable[int]) -> int:
    """Steps of one cell that lead to shifts along an axis, those on the way included."""
    far = list(shifts)
    return max(0, *far) - min(0, *far)


def _steps(axis: Axis) -> tuple[int, int] | None:
    """The pick and the steps along one axis."""
    if axis.outputs != (axis.size - 1) // axis.stride + 1:
        return None
    if axis.stride == 1:
        return 0, axis.before
    # What lies behind the last cell that is picked may be a cell of the map: steps go on in the
    # direction of the pick only, where there are zeros.
    pick = _sign(axis.before) if axis.before % 2 else 0
    return pick, (axis.before - pick) // 2


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _nearer(steps: int) -> int:
    return steps - _sign(steps)
