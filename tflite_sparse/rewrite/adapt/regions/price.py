"""What a region wins and costs, from the same prices as the estimate of speed.

Which prices these are, `tflite_sparse.xnnpack.cost.planning` says; the editor has them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.model.macs import macs
from tflite_sparse.model.uses import trace_constant
from tflite_sparse.model.zero_counts import BLOCK_CHANNELS, ZeroCounts, count
from tflite_sparse.rewrite.adapt.channels.orders import apart
from tflite_sparse.rewrite.adapt.convolution import is_kxk, is_pointwise
from tflite_sparse.rewrite.adapt.forms.joining import splits
from tflite_sparse.rewrite.adapt.forms.max_pool import CONVOLUTIONS, SUMS, picks_cells
from tflite_sparse.rewrite.adapt.forms.transposed import transposed_price
from tflite_sparse.rewrite.adapt.forms.upsampling import nearest_cost
from tflite_sparse.rewrite.adapt.kxk.price import kxk_price
from tflite_sparse.rewrite.adapt.passes.entries import GROUP, JOINED, channel_groups
from tflite_sparse.rewrite.adapt.passes.exits import EXITS
from tflite_sparse.rewrite.adapt.queries import RANK, present
from tflite_sparse.rewrite.adapt.window import placed_window
from tflite_sparse.rewrite.adapt.window_fit import window_size
from tflite_sparse.xnnpack.cost.planning import Planning
from tflite_sparse.xnnpack.cost.prices import multiplication
from tflite_sparse.xnnpack.cost.wide import SHIFT_WINDOW
from tflite_sparse.xnnpack.stages.filter_zeros import block_size

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.kxk.price import KxkPrice
    from tflite_sparse.rewrite.adapt.regions.region import Region
    from tflite_sparse.rewrite.adapt.window import Mirrored
    from tflite_sparse.xnnpack.cost.prices import Costs

__all__ = ["Pricer"]

_SLICES = ("SLICE", "STRIDED_SLICE")
_EAGER = 1000.0
_ENTRY_TAPS = 27


class Pricer:
    """Prices regions of a subgraph that is not edited meanwhile; looks at each operator once.

    Args:
        eager: whether sparse work counts for more than the time that it takes to get it.
        planning: the targets whose prices count.
        reorders: whether blocks of output channels may be broken.
    """

    def __init__(
        self, planning: Planning | None = None, *, eager: bool = False, reorders: bool = True
    ) -> None:
        self._eager = eager
        self._planning = planning or Planning()
        self.costs = self._planning.together
        self._reorders = reorders
        self._counts = ZeroCounts()
        self._zeros: dict[Operator, tuple[int, int]] = {}
        self._gains: dict[Operator, float] = {}
        self._extras: dict[tuple[Operator, Mirrored], float] = {}

    def zeros(self, operator: Operator) -> tuple[int, int]:
        """Zeros and size of an operator's filter."""
        if operator not in self._zeros:
            self._zeros[operator] = self._counted(operator)
        return self._zeros[operator]

    def _counted(self, operator: Operator) -> tuple[int, int]:
        use = trace_constant(operator, 1)
        if use is None or use.densify is not None or use.constant.sparsity is not None:
            return 0, 0
        counted = self._counts.of(use.constant)
        return counted.zeros, counted.elements

    def net(self, region: Region) -> float:
        """What a region wins; what it costs, negative, where nothing goes sparse."""
        costs, context = self.costs, region.context
        zeros = size = 0
        gain = cost = 0.0
        for op in region.members:
            if op.name == "CONV_2D" and is_pointwise(op):
                own_zeros, own_size = self.zeros(op)
                zeros, size = zeros + own_zeros, size + own_size
                gain += self._gain(op, own_zeros / max(own_size, 1))
            elif is_kxk(op) or op.name == "TRANSPOSE_CONV":
                price = self._wide(op, context)
                if price is None:
                    return -math.inf
                zeros, size = zeros + price.zeros, size + price.size
                gain += price.dense_cost - price.cost
                gain += macs(op) * _EAGER if self._eager else 0.0
                continue
            cost += self._extra(op, region)
        for tensor in region.entries:
            cost += _entry_cost(tensor, costs)
        for tensor in region.leaving():
            cost += _exit_cost(tensor, region, costs)
        if any(context.mirrored):
            cost += _mirror_cost(region, costs)
        # More than two thirds must be zero, over all filters that go together.
        return gain - cost if zeros * 3 > size * 2 else -max(cost, 0.0) - 1.0

    def _wide(self, operator: Operator, context: Context) -> KxkPrice | None:
        if operator.name == "TRANSPOSE_CONV":
            price = transposed_price(operator, context.mirrored, self.costs)
            return price if price.bytes <= context.editor.max_arena else None
        return kxk_price(operator, context.mirrored, context.editor.max_arena, self.costs)

    def _extra(self, operator: Operator, region: Region) -> float:
        if operator.name in ("CONCATENATION", *_SLICES):
            # Its form depends on the rest of the region.
            return _extra(operator, region, self.costs)
        key = operator, region.context.mirrored
        if key not in self._extras:
            self._extras[key] = _extra(operator, region, self.costs)
        return self._extras[key]

    def _gain(self, operator: Operator, share: float) -> float:
        if operator not in self._gains:
            self._gains[operator] = self._computed_gain(operator, share)
        return self._gains[operator]

    def _computed_gain(self, operator: Operator, share: float) -> float:
        work = macs(operator)
        elements = math.prod(operator.outputs[0].shape)
        dense = work * self.costs.dense + elements * self.costs.dense_written
        price = self.costs.sparse * self._kernel_price(operator)
        writing = self.costs.writing(elements + _read(operator))
        sparse = work * (1 - share) * price + elements * writing
        return dense - sparse + (work * _EAGER if self._eager else 0.0)

    def _kernel_price(self, operator: Operator) -> float:
        """The price of the kernel that a filter will run in, by that of the one for one channel."""
        use = trace_constant(operator, 1)
        if use is None or use.densify is not None or use.constant.sparsity is not None:
            return 1.0
        kernel = block_size(self._counts.of(use.constant), (1, *BLOCK_CHANNELS))
        if kernel == 1:
            return 1.0
        costs = [self._planning.costs(name) for name in self._planning.targets]
        price = sum(multiplication(each, kernel) / each.sparse for each in costs) / len(costs)
        if price > 1 and self._reorders and _can_be_broken(use.constant):
            return 1.0
        return price


def _read(operator: Operator) -> int:
    """Elements of the map that an operator reads."""
    return math.prod(present(operator.inputs[0]).shape)


def _can_be_broken(constant: Tensor) -> bool:
    """Whether the zeros of a filter lie in no blocks if its channels lie in another order."""
    mask = np.asarray(constant.data).reshape(constant.shape[0], -1) != 0
    order = next(apart(len(mask)))
    return block_size(count(mask[order], "BOOL"), (1, *BLOCK_CHANNELS)) == 1


def _exit_cost(tensor: Tensor, region: Region, costs: Costs) -> float:
    """What it costs to bring a value out of the sparse layout."""
    if not region.context.allows(EXITS):
        return math.inf
    elements = math.prod(tensor.shape)
    channels = tensor.shape[3]
    padded = elements // channels * (-(-channels // RANK) * RANK)
    # DEPTH_TO_SPACE and SPACE_TO_DEPTH each move everything.
    cost = 2 * (padded * costs.moved + costs.overhead)
    if channels % RANK:
        cost += padded * (costs.moved + costs.writing(elements + padded)) + 2 * costs.overhead
    if any(region.context.mirrored):
        cost += elements * costs.reversed + costs.overhead
    return cost


def _entry_cost(tensor: Tensor, costs: Costs) -> float:
    """What it costs to bring a map into the sparse layout."""
    channels = tensor.shape[3]
    groups = channel_groups(channels)
    pixels = math.prod(tensor.shape[:3])
    work = pixels * min(GROUP, channels) * _ENTRY_TAPS * costs.entry
    moved = pixels * 2 * GROUP * costs.moved
    cost = groups * (work + moved + 4 * costs.overhead)
    while groups > 1:
        # Each part is written over all channels of the map that it becomes part of, and added.
        parts = pixels * channels * min(JOINED, groups)
        cost += parts * (costs.writing(pixels * channels) + costs.moved)
        cost += 2 * groups * costs.overhead
        groups = -(-groups // JOINED)
    return cost


def _mirror_cost(region: Region, costs: Costs) -> float:
    sources = list(region.entries)
    if region.stem is not None:
        placed = placed_window(region.stem)
        sources += [] if placed is None else [placed.source]
    return sum(math.prod(t.shape) * costs.reversed + costs.overhead for t in sources)


def _extra(operator: Operator, region: Region, costs: Costs) -> float:
    """What the sparse form of an operator costs more than the operator itself."""
    if operator.name in ("DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D") or (
        operator.name == "CONV_2D" and operator.option("stride_h", 1) != 1
    ):
        return _window_extra(operator, region, costs)
    elements = math.prod(operator.outputs[0].shape)
    step = elements * costs.moved + costs.overhead
    extra = 0.0
    if operator.name == "MAX_POOL_2D":
        picked = elements * 9 * costs.depthwise_sparse + costs.overhead
        extra = CONVOLUTIONS * picked + (SUMS - 1) * step
        if picks_cells(operator):
            extra = picked - step
    elif operator.name == "RESIZE_NEAREST_NEIGHBOR":
        extra = nearest_cost(elements, costs) - step
    elif operator.name == "PRELU":
        extra = 3 * step
    elif operator.name == "PAD":
        extra = elements * (costs.writing(2 * elements) - costs.moved) + costs.overhead
    elif operator.name in _SLICES:
        writing = costs.writing(elements + _read(operator))
        picked = elements * (costs.sparse + writing - costs.moved)
        extra = -step if splits(operator, region.context) else picked
    elif operator.name == "CONCATENATION":
        extra = _joining_extra(operator, region, costs)
    return extra


def _joining_extra(operator: Operator, region: Region, costs: Costs) -> float:
    count = len(operator.inputs)
    elements = math.prod(operator.outputs[0].shape)
    if splits(operator, region.context):
        readers = [use.operator for use in operator.subgraph.consumers(operator.outputs[0])]
        outputs = [math.prod(reader.outputs[0].shape) for reader in readers]
        written = sum(n * (costs.writing(n + elements / count) + costs.moved) for n in outputs)
        each = written + 2 * costs.overhead
        return (count - 1) * each - elements * costs.moved
    writing = costs.writing(elements + elements / count)
    each = elements * (writing + costs.moved) + 2 * costs.overhead
    return count * each + elements * (costs.sparse - costs.moved)


def _window_extra(operator: Operator, region: Region, costs: Costs) -> float:
    placed = placed_window(operator)
    if placed is None:
        return math.inf
    rows, columns = placed.axes(region.context.mirrored)
    size = window_size(rows, columns) or 0
    elements = math.prod(operator.outputs[0].shape[:3]) * placed.source.shape[3]
    large = size > SHIFT_WINDOW
    inside = size * size * (costs.depthwise_sparse_large if large else costs.depthwise_sparse)
    if operator.name == "AVERAGE_POOL_2D":
        scaled = sum(not axis.inside for axis in (rows, columns))
        more = scaled * (elements * costs.moved + costs.overhead)
        return more + elements * inside - elements * costs.moved
    if operator.name == "CONV_2D":
        return elements * inside + costs.overhead
    outside = rows.kernel * columns.kernel * costs.depthwise
    return elements * (inside - outside)
