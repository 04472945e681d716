"""How an operator reads the values that its filter is multiplied with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor

__all__ = ["FilterRead", "filter_read"]

_RANK = 4
_DATA = {"TRANSPOSE_CONV": 2}
"""Where operators read their data, unless it is the first operand."""

# Most values that are gathered of one input, and most products of them that are summed: a map has
# far more positions than there are columns, and they are much alike.
_MOST_VALUES = 4 * 2**20
_MOST_PRODUCTS = 5 * 10**8
_FEWEST_POSITIONS = 16


class FilterRead(NamedTuple):
    """How a filter reads a tensor; two that are equal read the same values.

    Attributes:
        tensor: index of the tensor in the main subgraph.
        groups: parts of its channels that are read by filters of their own: 1, or the number of
            channels for a depthwise convolution.
        columns: values that an output channel reads at one position, in the order of the filter.
        kernel: height and width; None for a matrix, which reads rows.
        stride: along height and width.
        dilation: along height and width.
        same: whether zeros are put around the map, as for the padding SAME.
        transposed: whether the stride is that of a transposed convolution: each position reads a
            map with zeros between its values, from the last tap to the first.
    """

    tensor: int
    groups: int
    columns: int
    kernel: tuple[int, int] | None = None
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    same: bool = False
    transposed: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes that its second moments take."""
        return self.groups * self.columns * self.columns * np.dtype(np.float64).itemsize

    def values(self, read: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the filter is multiplied with, at all positions, or at some that are drawn.

        Args:
            read: the values of the tensor; of a map, shape (batch, height, width, channels).

        Returns:
            Shape (groups, positions, columns).
        """
        if self.kernel is None:
            return read.reshape(1, -1, self.columns)
        window = self._transposed_axis if self.transposed else self._axis
        axes = [window(read.shape[1 + axis], axis) for axis in (0, 1)]
        read = self._apart(read) if self.transposed else read
        padded = np.pad(read, [(0, 0), axes[0][2], axes[1][2], (0, 0)])
        counts = (read.shape[0], axes[0][0].size, axes[1][0].size)
        image, row, column = np.unravel_index(self._drawn(math.prod(counts)), counts)
        down = (axes[0][0][row][:, None] + axes[0][1])[:, :, None]
        right = (axes[1][0][column][:, None] + axes[1][1])[:, None, :]
        taken = padded[image[:, None, None], down, right]
        parts = taken.reshape(len(image), len(axes[0][1]) * len(axes[1][1]), self.groups, -1)
        apart = np.asarray(parts.transpose(2, 0, 1, 3), np.float32)
        return apart.reshape(self.groups, len(image), self.columns)

    def _axis(
        self, size: int, axis: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], tuple[int, int]]:
        """Where windows begin in the padded map, where they read from there, and the padding."""
        assert self.kernel is not None  # noqa: S101 - asked of maps alone
        stride = self.stride[axis]
        taps = np.arange(self.kernel[axis]) * self.dilation[axis]
        reach = int(taps[-1]) + 1
        if not self.same:
            return np.arange(max(0, (size - reach) // stride + 1)) * stride, taps, (0, 0)
        outputs = -(-size // stride)
        total = max(0, (outputs - 1) * stride + reach - size)
        return np.arange(outputs) * stride, taps, (total // 2, total - total // 2)

    def _transposed_axis(
        self, size: int, axis: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], tuple[int, int]]:
        """The same in the map with zeros between its values, see `_apart`."""
        assert self.kernel is not None  # noqa: S101 - asked of maps alone
        stride, reach = self.stride[axis], self.kernel[axis]
        outputs = transposed_size(size, reach, stride, same=self.same)
        wide = (size - 1) * stride + 1
        cut = max(0, wide - 1 + reach - outputs) // 2 if self.same else 0
        before = reach - 1 - cut
        after = max(0, outputs - 1 + reach - before - wide)
        return np.arange(outputs), np.arange(reach)[::-1], (before, after)

    def _apart(self, read: NDArray[np.float32]) -> NDArray[np.float32]:
        """A map with zeros between its values, so that it is read with a stride of 1."""
        batch, height, width, channels = read.shape
        down, right = self.stride
        wide = np.zeros((batch, (height - 1) * down + 1, (width - 1) * right + 1, channels))
        wide[:, ::down, ::right] = read
        return wide.astype(np.float32)

    def _drawn(self, positions: int) -> NDArray[np.intp]:
        """The positions to look at; always the same ones of so many."""
        per_position = self.groups * self.columns
        most = min(_MOST_VALUES // per_position, _MOST_PRODUCTS // (per_position * self.columns))
        most = max(most, _FEWEST_POSITIONS)
        if positions <= most:
            return np.arange(positions)
        return np.random.default_rng(positions).choice(positions, most, replace=False)


def filter_read(operator: Operator) -> FilterRead | None:
    """How an operator of the main subgraph reads what its filter is multiplied with.

    Returns:
        None for an operator of another kind, of another subgraph, or that reads a constant.
    """
    operand = _DATA.get(operator.name, 0)
    read = operator.inputs[operand] if len(operator.inputs) > operand else None
    filt = operator.inputs[1] if len(operator.inputs) > 1 else None
    if read is None or filt is None or operator.subgraph is not operator.subgraph.model.main:
        return None
    if read.is_constant or read.type != "FLOAT32":
        return None
    if operator.name == "FULLY_CONNECTED":
        return FilterRead(read.index, 1, filt.shape[1]) if len(filt.shape) == 2 else None  # noqa: PLR2004 - a matrix
    if operator.name == "TRANSPOSE_CONV":
        return _read_transposed(operator, read, filt)
    if operator.name in {"CONV_2D", "DEPTHWISE_CONV_2D"}:
        return _read_of_map(operator, read, filt)
    return None


def transposed_size(size: int, reach: int, stride: int, *, same: bool) -> int:
    """How high or wide a transposed convolution makes a map.

    Args:
        size: what the map has.
        reach: what the kernel has.
        stride: of the convolution.
        same: whether the padding is SAME.
    """
    return size * stride if same else (size - 1) * stride + reach


def _read_transposed(operator: Operator, read: Tensor, filt: Tensor) -> FilterRead | None:
    """Reads of a TRANSPOSE_CONV that makes as much of a map as its padding says."""
    result = operator.outputs[0].shape
    if not len(read.shape) == len(filt.shape) == len(result) == _RANK or 0 in filt.shape:
        return None
    kernel, channels = filt.shape[1:3], filt.shape[3]
    stride = (int(operator.option("stride_h", 1)), int(operator.option("stride_w", 1)))
    same = operator.option("padding", "SAME") == "SAME"
    sizes = tuple(
        transposed_size(*axis, same=same)
        for axis in zip(read.shape[1:3], kernel, stride, strict=True)
    )
    if result[1:3] != sizes or read.shape[3] != channels:
        return None
    columns = kernel[0] * kernel[1] * channels
    return FilterRead(
        read.index, 1, columns, (kernel[0], kernel[1]), stride, same=same, transposed=True
    )


def _read_of_map(operator: Operator, read: Tensor, filt: Tensor) -> FilterRead | None:
    if len(read.shape) != _RANK or len(filt.shape) != _RANK:
        return None
    height, width = filt.shape[1:3]
    # The filters of a depthwise convolution read one channel each.
    depth = 1 if operator.name == "DEPTHWISE_CONV_2D" else filt.shape[3]
    channels = read.shape[3]
    if min(height, width, depth) < 1 or channels < 1 or channels % depth:
        return None
    return FilterRead(
        read.index,
        channels // depth,
        height * width * depth,
        (height, width),
        (int(operator.option("stride_h", 1)), int(operator.option("stride_w", 1))),
        (
            int(operator.option("dilation_h_factor", 1)),
            int(operator.option("dilation_w_factor", 1)),
        ),
        same=operator.option("padding", "SAME") == "SAME",
    )
