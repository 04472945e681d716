"""The form by lines: maps shifted along one axis, sums of products along the other.

What the cells of one line of the window contribute is summed up where the line lies, and the sum is
shifted: by as many steps as the line is away, picking up the sums of the lines on the way. So a 3x3
window needs two shifts of the map and two of sums, instead of eight of the map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.build import add_up
from tflite_sparse.rewrite.adapt.kxk.parts import (
    bias_of,
    convolved,
    one_step,
    shifted,
    tap_product,
    zeros,
)
from tflite_sparse.rewrite.adapt.kxk.shifts import Shift
from tflite_sparse.rewrite.adapt.kxk.taps import taps_of
from tflite_sparse.rewrite.adapt.window import window_of

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.kxk.taps import Tap

__all__ = ["build_by_lines"]


def build_by_lines(operator: Operator, context: Context, along: int = 1) -> None:
    """Makes a convolution with stride 1 sums over the lines of its window, which are shifted.

    Args:
        operator: the convolution.
        context: the editor, and how maps lie.
        along: the axis along which the map is shifted, 0 for the height; sums along the other.
    """
    lines: dict[int, list[Tap]] = {}
    for tap in taps_of(operator, context.mirrored):
        lines.setdefault(_shift(tap)[1 - along], []).append(tap)
    activation = operator.option("fused_activation_function", "NONE")
    builder = _Lines(operator, context, along, lines)
    builder.sum_up(0, (-1, 1), operator.outputs[0], bias_of(operator, context), activation)
    context.editor.drop(operator)


def _shift(tap: Tap) -> tuple[int, int]:
    return tap.rows.before, tap.columns.before


class _Lines:
    """Builds the sums of one convolution."""

    def __init__(
        self, operator: Operator, context: Context, along: int, lines: dict[int, list[Tap]]
    ) -> None:
        self.operator = operator
        self.context = context
        self.along = along
        self.lines = lines

    def sum_up(
        self, line: int, sides: tuple[int, ...], output: Tensor, bias: Tensor, activation: str
    ) -> None:
        """Sums up the products of a line and what comes from the lines beyond it.

        Args:
            line: how far it is from the middle, along the axis of the sums.
            sides: on which sides of it there may be more lines, -1 or 1.
            output: the tensor to write.
            bias: what is added.
            activation: what is applied to the sum.
        """
        editor, operator = self.context.editor, self.operator
        taps = self.lines.get(line, [])
        beyond = [side for side in sides if any((n - line) * side > 0 for n in self.lines)]
        alone = len(taps) + len(beyond) == 1
        parts = []
        nothing = zeros(output.shape[3], self.context)
        for tap in taps:
            part = output if alone else editor.value(output.shape, output, f"{output.name}/tap")
            last = tap_product(operator, tap, self._moved(tap), part, bias, self.context)
            parts.append(part)
            bias = nothing
        for side in beyond:
            further = editor.value(output.shape, output, f"{output.name}/line")
            self.sum_up(line + side, (side,), further, nothing, "NONE")
            part = output if alone else editor.value(output.shape, output, f"{output.name}/moved")
            step = (0, side) if self.along == 0 else (side, 0)
            kernel = one_step(step, output.shape[3])
            last = convolved(operator, further, kernel, part, bias, self.context)
            parts.append(part)
            bias = nothing
        if alone:
            editor.set_options(last, fused_activation_function=activation)
        else:
            add_up(editor, operator, parts, output, activation)

    def _moved(self, tap: Tap) -> Tensor:
        """The map, shifted for a cell of its line."""
        steps = list(_shift(tap))
        steps[1 - self.along] = 0
        source = window_of(self.operator).source
        return shifted(self.operator, source, Shift((0, 0), (steps[0], steps[1])), 1, self.context)
