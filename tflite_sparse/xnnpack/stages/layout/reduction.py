"""What a reduction does to a value in the sparse layout, mistakes of the runtime included.

Source: XNNPACK src/subgraph/static-reduce.c, rewrite_reduction_axes_for_nchw and
reshape_reduce_operator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.graph import Reduction

__all__ = ["Reduced", "reduce_shape"]

_RANK = 4
# Channels-last axis -> place in the sparse layout, and what the runtime takes for the inverse:
# it has height and width the wrong way round.
_PLACE = (0, 2, 3, 1)
_TAKEN = (0, 3, 2, 1)
# Channels-last axis that is really at each place.
_REAL = (0, 3, 1, 2)


class Reduced(msgspec.Struct, frozen=True):
    """The result of a reduction in the sparse layout.

    Attributes:
        shape: the shape that the runtime assumes.
        positions: the places that it reduces along.
        order: channels-last axes that remain, in their order in memory; None where it reduces
            along others than the model says.
    """

    shape: tuple[int, ...]
    positions: tuple[int, ...]
    order: tuple[int, ...] | None


def reduce_shape(
    shape: tuple[int, ...], reduction: Reduction, *, output_nchw: bool
) -> Reduced | None:
    """Reduces a 4-D value in the sparse layout.

    Args:
        shape: its shape, channels last.
        reduction: the axes by the model.
        output_nchw: whether the result is marked for the sparse layout too.

    Returns:
        The result, or None where the runtime reads past the end of its table.
    """
    axes = [axis % _RANK for axis in reduction.axes]
    places = [_PLACE[axis] for axis in axes]
    rewritten = _rewrite(places)
    if rewritten is None:
        return None
    taken = tuple(shape[axis] for axis in _TAKEN)
    assumed = _shape(taken, rewritten, reduction, output_nchw=output_nchw)
    order: tuple[int, ...] | None = tuple(
        axis for place, axis in enumerate(_REAL) if place not in rewritten
    )
    # Height and width change places: no harm where they are equal, or reduced, or kept, together.
    height, width = _PLACE[1], _PLACE[2]
    split = (height in rewritten) != (width in rewritten) and shape[1] != shape[2]
    if set(rewritten) != set(places) or split:
        order = None
    return Reduced(assumed, tuple(sorted(set(rewritten))), order)


def _rewrite(places: list[int]) -> tuple[int, ...] | None:
    """Sorts the places as the runtime does, which goes wrong from place 0 on."""
    mask = [place in places for place in range(_RANK)]
    result = list(places)
    counter = 0
    for index in range(len(places)):
        while True:
            if counter >= _RANK:
                return None
            if not mask[counter]:
                break
            if counter < len(result):
                result[counter] = index
            counter += 1
            mask[index] = False
    return tuple(result)


def _shape(
    taken: tuple[int, ...], places: tuple[int, ...], reduction: Reduction, *, output_nchw: bool
) -> tuple[int, ...]:
    shape: list[int] = []
    for index in range(_RANK):
        place = _PLACE[_TAKEN[index]] if output_nchw else index
        if reduction.keep_dims:
            gone = [_PLACE[p] for p in places] if output_nchw else list(places)
            shape.append(1 if place in gone else taken[index])
        elif place not in places:
            shape.append(taken[index])
    return tuple(shape)
