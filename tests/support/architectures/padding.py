"""What SAME and Keras pad."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.nets.windows import windows

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["keras_pad", "same"]


def same(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """(before, after) that SAME pads."""
    reach = (kernel - 1) * dilation + 1
    total = max(0, (windows(size, kernel, stride, dilation, "SAME") - 1) * stride + reach - size)
    return total // 2, total - total // 2


def keras_pad(x: Value, kernel: int) -> list[tuple[int, int]]:
    """What Keras pads in front of a layer with stride 2: one less before than behind if even."""
    reach = kernel // 2
    return [(reach - (1 - size % 2), reach) for size in x.shape[1:3]]
