"""TRANSPOSE_CONV with stride 2 in the sparse layout: four convolutions whose results are woven.

Of every two by two cells of the result each reads cells of the map by other cells of the filter. So
there are four convolutions of the map itself, as sums of 1x1 convolutions of shifted maps; their
results are put between each other, along the height and then along the width: enlarged, with zeros
in between, one of two shifted by a cell, and added up.
"""

from __future__ import annotations

import math
from itertools import product
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tflite_sparse.model.macs import macs
from tflite_sparse.rewrite.adapt.build import add_up
from tflite_sparse.rewrite.adapt.forms.upsampling import spread
from tflite_sparse.rewrite.adapt.kxk.parts import ONE_BY_ONE, convolved, one_step, shifted, zeros
from tflite_sparse.rewrite.adapt.kxk.price import KxkForm, KxkPrice
from tflite_sparse.rewrite.adapt.kxk.shifts import SHIFT_WINDOW, Shift
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied
from tflite_sparse.rewrite.adapt.passes.kxk import KXK
from tflite_sparse.rewrite.adapt.queries import (
    ACTIVATIONS,
    constant_of,
    is_map,
    movable_of,
    present,
)
from tflite_sparse.words.numbers import size

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.window import Mirrored
    from tflite_sparse.xnnpack.cost.prices import Costs

__all__ = ["make_transposed", "transposed_price", "transposed_refusal", "transposed_source"]

_SOURCE, _BIAS = 2, 3
_STRIDE = 2
_VALUE = 4
# Two maps are enlarged and multiplied, and added up.
_MOVED = 5


class _Cell(NamedTuple):
    """A cell of the filter, for one of the four convolutions.

    Attributes:
        row: its row in the filter.
        column: its column.
        shift: by how many cells the map that it reads is shifted.
    """

    row: int
    column: int
    shift: tuple[int, int]


def transposed_source(operator: Operator) -> list[Tensor]:
    """The map that a TRANSPOSE_CONV reads."""
    source = operator.inputs[_SOURCE] if len(operator.inputs) > _SOURCE else None
    return [] if source is None else [source]


def transposed_refusal(operator: Operator, context: Context) -> str | None:
    """Why a TRANSPOSE_CONV has no sparse form."""
    if not all(map(is_map, (*transposed_source(operator), next(iter(operator.outputs), None)))):
        return "does not work on 4-D fp32 maps"
    if movable_of(operator, 1) is None:
        return "has a filter that is computed or does not become fp32"
    if operator.option("fused_activation_function", "NONE") not in ACTIVATIONS:
        return "has an activation that XNNPACK does not take"
    if _bias(operator) is not None and movable_of(operator, _BIAS) is None:
        return "has a bias that is computed"
    if not context.allows(KXK):
        return f"has a sparse form with pass {KXK.name} only"
    return _size_refusal(operator) or _price_refusal(operator, context)


def _size_refusal(operator: Operator) -> str | None:
    (source,), result = transposed_source(operator), operator.outputs[0]
    filt = present(operator.inputs[1]).shape
    strides = operator.option("stride_h", 1), operator.option("stride_w", 1)
    if strides != (_STRIDE, _STRIDE) or min(filt[1:3]) < _STRIDE:
        return f"has stride {strides[0]}x{strides[1]} and a {filt[1]}x{filt[2]} kernel"
    if filt[3] != source.shape[3]:
        return "has groups"
    if tuple(_STRIDE * size for size in source.shape[1:3]) != result.shape[1:3]:
        return "does not enlarge to twice the size"
    small = min(source.shape[1:3]) <= 1
    return f"enlarges a {source.shape[1]}x{source.shape[2]} map" if small else None


def _price_refusal(operator: Operator, context: Context) -> str | None:
    price = transposed_price(operator, context.mirrored, context.editor.costs)
    if price.bytes > context.editor.max_arena:
        return f"takes more than {size(int(context.editor.max_arena))} in its sparse form"
    # Outside it costs the way out and in again too, at least.
    (source,), result, costs = (
        transposed_source(operator),
        operator.outputs[0],
        context.editor.costs,
    )
    out = 2 * math.prod(source.shape) * costs.moved
    into = math.prod(result.shape) * SHIFT_WINDOW**3 * costs.entry
    if price.cost <= price.dense_cost + out + into:
        return None
    return "has too few zeros for its sparse form to pay"


def _dense(operator: Operator, costs: Costs) -> float:
    elements = math.prod(operator.outputs[0].shape)
    return macs(operator) * costs.dense + elements * costs.dense_written + costs.overhead


def _bias(operator: Operator) -> Tensor | None:
    return operator.inputs[_BIAS] if len(operator.inputs) > _BIAS else None


def _axis(operator: Operator, axis: int, mirrored: bool) -> list[list[tuple[int, int]]]:
    """For cells at even and at odd places: rows of the filter and the shift of what they read."""
    length, kernel = operator.outputs[0].shape[axis], present(operator.inputs[1]).shape[axis]
    positions = transposed_source(operator)[0].shape[axis]
    # As the padding of the convolution that it is the transpose of.
    before = max(0, (positions - 1) * _STRIDE + kernel - length) // 2
    phases: list[list[tuple[int, int]]] = [[], []]
    for cell in range(kernel):
        place = (cell - before) % _STRIDE
        shift = (cell - before - place) // _STRIDE
        if mirrored:
            phases[1 - place].append((cell, -shift))
        else:
            phases[place].append((cell, shift))
    return phases


def _cells(operator: Operator, mirrored: Mirrored) -> dict[tuple[int, int], list[_Cell]]:
    """The cells of the filter for each of two by two cells of the result: one at least."""
    rows, columns = (_axis(operator, axis, on) for axis, on in zip((1, 2), mirrored, strict=True))
    values = np.count_nonzero(present(constant_of(operator, 1)), axis=(0, 3))
    chosen = {}
    for down, right in product(range(_STRIDE), range(_STRIDE)):
        cells = [
            _Cell(row, column, (up, left))
            for (row, up), (column, left) in product(rows[down], columns[right])
        ]
        kept = [cell for cell in cells if values[cell.row, cell.column]]
        chosen[down, right] = kept or cells[:1]
    return chosen


def transposed_price(operator: Operator, mirrored: Mirrored, costs: Costs) -> KxkPrice:
    """What the form costs, and what it does to the zeros that count."""
    source, result = transposed_source(operator)[0], operator.outputs[0]
    cells = [cell for some in _cells(operator, mirrored).values() for cell in some]
    filt = present(constant_of(operator, 1))
    kept = int(np.count_nonzero(filt))
    pixels, elements = math.prod(source.shape[:3]), math.prod(result.shape)
    channels, outputs = source.shape[3], result.shape[3]
    shifts: set[Shift] = set()
    for cell in cells:
        shift: Shift | None = Shift((0, 0), cell.shift)
        while shift is not None and shift.steps != (0, 0):
            shifts.add(shift)
            shift = shift.parent
    moving = SHIFT_WINDOW**2 * costs.depthwise_sparse
    written = costs.writing(pixels * (channels + outputs)) + costs.moved
    products = kept * costs.sparse + len(cells) * outputs * written
    woven = 2 * elements * (_MOVED * costs.moved + moving)
    operators = len(shifts) + 2 * len(cells) + 3 * (_MOVED + 1)
    values = len(cells) * channels * outputs
    return KxkPrice(
        KxkForm.TAPS,
        pixels * (len(shifts) * channels * moving + products) + woven + operators * costs.overhead,
        _dense(operator, costs),
        values - kept,
        values,
        (4 * elements + pixels * channels * (len(shifts) + 1)) * _VALUE,
    )


def make_transposed(operator: Operator, context: Context) -> Applied:
    """Makes it four convolutions whose results are woven."""
    editor, result = context.editor, operator.outputs[0]
    phases = {
        place: _convolved(operator, cells, context)
        for place, cells in _cells(operator, context.mirrored).items()
    }
    columns = [
        _woven(operator, phases[0, column], phases[1, column], 1, None, context)
        for column in range(_STRIDE)
    ]
    _woven(operator, columns[0], columns[1], 2, result, context)
    editor.drop(operator)
    height, width = present(operator.inputs[1]).shape[1:3]
    return Applied(
        "became four convolutions of shifted maps, whose results are put between each other",
        f"there are no sparse kernels for {height}x{width} transposed convolutions",
    )


def _convolved(operator: Operator, cells: list[_Cell], context: Context) -> Tensor:
    """The convolution for one of two by two cells of the result."""
    editor, result = context.editor, operator.outputs[0]
    source = transposed_source(operator)[0]
    shape = (*source.shape[:3], result.shape[3])
    bias = _bias(operator) or zeros(result.shape[3], context)
    parts = []
    for cell in cells:
        moved = shifted(operator, source, Shift((0, 0), cell.shift), 1, context)
        part = editor.value(shape, result, f"{result.name}/tap")
        inputs = [moved, operator.inputs[1], bias]
        product = editor.before(operator, "CONV_2D", inputs, [part], **ONE_BY_ONE)
        rows, columns = slice(cell.row, cell.row + 1), slice(cell.column, cell.column + 1)
        cut = itemgetter((slice(None), rows, columns))
        editor.set_weight(product, 1, cut, f"cell_{cell.row}_{cell.column}")
        bias = zeros(result.shape[3], context)
        parts.append(part)
    if len(parts) == 1:
        return parts[0]
    total = editor.value(shape, result, f"{result.name}/cells")
    add_up(editor, operator, parts, total)
    return total


def _woven(
    operator: Operator,
    even: Tensor,
    odd: Tensor,
    axis: int,
    output: Tensor | None,
    context: Context,
) -> Tensor:
    """Two maps put between each other along an axis; the last one has the activation."""
    editor, result = context.editor, operator.outputs[0]
    first = spread(operator, context, even, (axis,), result.name)
    second = spread(operator, context, odd, (axis,), result.name)
    behind = editor.value(second.shape, result, f"{result.name}/moved")
    kernel = one_step((1, 0) if axis == 1 else (0, 1), result.shape[3])
    nothing = zeros(result.shape[3], context)
    convolved(operator, second, kernel, behind, nothing, context)
    activation = operator.option("fused_activation_function", "NONE") if output else "NONE"
    if output is None:
        output = editor.value(second.shape, result, f"{result.name}/woven")
    editor.before(operator, "ADD", [first, behind], [output], fused_activation_function=activation)
    return output
