"""Writes operators as the sparse layout takes them, where that costs nothing, wherever they stand.

x * RELU6(x + 3) / 6 becomes HARD_SWISH; a global AVERAGE_POOL_2D becomes MEAN; MEAN without
dimensions and a RESHAPE that restores them become MEAN with dimensions; squeeze-and-excite by
FULLY_CONNECTED becomes one by 1x1 convolutions. What has a price is done to the operators of a
region only, by their forms.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.passes.adapt_pass import SubgraphPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.adapt.passes.spellings import respell
from tflite_sparse.rewrite.adapt.queries import (
    UNARY_KINDS,
    computed_inputs,
    constant_of,
    is_map,
    movable_of,
    present,
    reduces_map,
)
from tflite_sparse.rewrite.adapt.readers import feeds_map
from tflite_sparse.rewrite.adapt.window import placed_window, spatial_padding

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.editor import Editor

__all__ = ["CANONICALIZE", "unshare_paddings"]

_THREE, _SIX, _SIXTH = np.float32(3), np.float32(6), np.float32(1 / 6)
_TWO_VALUES = 2
_FLAT_RANK = 2


class Canonicalize(SubgraphPass):
    """Writes operators as the sparse layout takes them."""

    name = PassName.CANONICALIZE
    summary = "write operators as the sparse layout takes them"
    detail = (
        "x · RELU6(x + 3) / 6 becomes HARD_SWISH, a global pool MEAN, gates through RESHAPE or"
        " FULLY_CONNECTED 1x1 convolutions, as do FULLY_CONNECTED on a map and a shuffle of"
        " channels; a convolution with a group for each channel becomes a depthwise one, others"
        " lose their groups; SUB and DIV by constants become ADD and MUL, constants come first and"
        " 4-D; PRELU becomes LEAKY_RELU or RELU, MUL and ADD; 2x2 MAX_POOL, small AVERAGE_POOL,"
        " CONCATENATION, slices and a PAD of channels become convolutions and sums, and"
        " RESIZE_NEAREST_NEIGHBOR to twice the size RESIZE_BILINEAR, every other cell of"
        " which stays."
    )
    cost = "depends; counted"
    exact = "rounding where sums are reordered"

    def change(self, editor: Editor) -> None:
        """Writes a subgraph anew where that costs nothing."""
        respell(editor, partial(editor.note, self))
        _global_pools(editor)
        _hard_swishes(editor)
        _kept_dimensions(editor)
        _excitations(editor)


CANONICALIZE = Canonicalize()


def unshare_paddings(editor: Editor) -> None:
    """Gives every reader of a PAD of height and width one of its own, which then fuses into it."""
    for pad in list(editor.subgraph.operators):
        if spatial_padding(pad) is None:
            continue
        result = pad.outputs[0]
        if result in editor.subgraph.outputs:
            continue
        for use in editor.subgraph.consumers(result)[1:]:
            twin = editor.value(result.shape, result, f"{result.name}/own")
            editor.before(use.operator, "PAD", pad.inputs, [twin])
            editor.read(use.operator, use.operand, twin)
            label = editor.label(pad)
            editor.note(CANONICALIZE, label, "one for each reader", "a shared PAD does not fuse")


def _global_pools(editor: Editor) -> None:
    for op in list(editor.subgraph.operators):
        if op.name != "AVERAGE_POOL_2D" or not is_map(op.inputs[0]):
            continue
        placed = placed_window(op)
        if placed is None or op.option("fused_activation_function", "NONE") != "NONE":
            continue
        axes = (placed.rows, placed.columns)
        if all(a.outputs == 1 and a.kernel == a.size and a.before == 0 for a in axes):
            label = editor.label(op)
            constant = editor.constant(np.array([1, 2], np.int32), f"{op.outputs[0].name}/axes")
            editor.before(op, "MEAN", [op.inputs[0], constant], op.outputs, keep_dims=True)
            editor.drop(op)
            editor.note(
                CANONICALIZE, label, "became MEAN", "pooling over a whole map has no sparse form"
            )


def _scalar(operator: Operator, value: np.float32) -> Tensor | None:
    """What a binary operator reads besides a constant that is one number everywhere."""
    for operand in (0, 1):
        constant = constant_of(operator, operand)
        if constant is not None and constant.size and np.all(constant == value):
            tensors = computed_inputs(operator)
            return tensors[0] if len(tensors) == 1 else None
    return None


def _hard_swishes(editor: Editor) -> None:
    graph = editor.subgraph
    for op in list(graph.operators):
        if editor.is_gone(op) or op.name != "MUL" or not is_map(op.outputs[0]):
            continue
        source = _swished(editor, op)
        if source is not None and op.option("fused_activation_function", "NONE") == "NONE":
            label = editor.label(op)
            editor.before(op, "HARD_SWISH", [source], op.outputs)
            editor.drop(op)
            editor.note(CANONICALIZE, label, "became HARD_SWISH", "one operator instead of three")
    editor.sweep()


def _swished(editor: Editor, op: Operator) -> Tensor | None:
    """The x of x * RELU6(x + 3) * 1/6, whichever two are multiplied first."""
    graph = editor.subgraph
    for first, second in (op.inputs, op.inputs[::-1]):
        if first is None or second is None or first is second:
            continue
        # A sixth of the gate, times x.
        sixth = graph.producer(second)
        if (
            sixth is not None
            and _is_sixth(sixth)
            and _gate(editor, computed_inputs(sixth)[0]) is first
        ):
            return first
        # The gate times x, and a sixth of that.
        if constant_of(op, op.inputs.index(second)) is not None and _is_sixth(op):
            inner = graph.producer(first)
            if inner is None or inner.name != "MUL" or len(computed_inputs(inner)) != _TWO_VALUES:
                continue
            for gate, value in (inner.inputs, inner.inputs[::-1]):
                if gate is not None and value is not None and _gate(editor, gate) is value:
                    return value
    return None


def _is_sixth(op: Operator) -> bool:
    if op.option("fused_activation_function", "NONE") != "NONE":
        return False
    if op.name == "DIV":
        six = constant_of(op, 1)
        return six is not None and six.size > 0 and bool(np.all(six == _SIX))
    return op.name == "MUL" and _scalar(op, _SIXTH) is not None


def _gate(editor: Editor, tensor: Tensor) -> Tensor | None:
    """The x of RELU6(x + 3)."""
    op = editor.subgraph.producer(tensor)
    if op is not None and op.name == "RELU6":
        inner = op.inputs[0]
        op = None if inner is None else editor.subgraph.producer(inner)
        fused = op is not None and op.option("fused_activation_function", "NONE") == "NONE"
    else:
        fused = op is not None and op.option("fused_activation_function") == "RELU6"
    if op is None or op.name != "ADD" or not fused:
        return None
    return _scalar(op, _THREE)


def _kept_dimensions(editor: Editor) -> None:
    """MEAN that drops height and width, and RESHAPEs that restore them."""
    graph = editor.subgraph
    for op in list(graph.operators):
        if op.name != "MEAN" or op.option("keep_dims", default=False) or not reduces_map(op):
            continue
        result, source = op.outputs[0], present(op.inputs[0])
        wanted = (source.shape[0], 1, 1, source.shape[3])
        restored = [
            use.operator
            for use in graph.consumers(result)
            if use.operator.name == "RESHAPE" and use.operator.outputs[0].shape == wanted
        ]
        restored = [r for r in restored if r.outputs[0] not in graph.outputs]
        if not restored or not any(map(feeds_map, restored)):
            continue
        label = editor.label(op)
        kept = editor.value(wanted, source, f"{result.name}/kept")
        editor.before(op, "MEAN", op.inputs, [kept], keep_dims=True)
        for reshape in restored:
            for use in list(graph.consumers(reshape.outputs[0])):
                editor.read(use.operator, use.operand, kept)
        editor.note(CANONICALIZE, label, "keeps its dimensions", "no RESHAPE has a sparse form")
    editor.sweep()


def _excitations(editor: Editor) -> None:
    """MEAN, FULLY_CONNECTED and elementwise operators, and a RESHAPE to a 1x1 map at the end."""
    graph = editor.subgraph
    for reshape in list(graph.operators):
        if reshape.name != "RESHAPE" or editor.is_gone(reshape):
            continue
        result = reshape.outputs[0]
        if not is_map(result) or max(result.shape[1:3]) > 1 or not feeds_map(reshape):
            continue
        part = _flat_part(editor, reshape)
        if part is not None:
            label = editor.label(part[0])
            _lift(editor, part, reshape)
            editor.note(
                CANONICALIZE,
                label,
                "its gate became one of 1x1 maps",
                "no RESHAPE has a sparse form",
            )
    editor.sweep()


def _flat_part(editor: Editor, reshape: Operator) -> list[Operator] | None:
    """MEANs, and the 2-D operators from them to a RESHAPE, which nothing else reads; in order."""
    graph = editor.subgraph
    part: set[Operator] = set()
    queue = [reshape.inputs[0]]
    while queue:
        tensor = queue.pop()
        op = None if tensor is None else graph.producer(tensor)
        if tensor is None or op is None or len(tensor.shape) != _FLAT_RANK:
            return None
        if op in part:
            continue
        part.add(op)
        if op.name == "MEAN":
            if not reduces_map(op):
                return None
        elif op.name == "FULLY_CONNECTED" and movable_of(op, 1) is not None:
            queue.append(op.inputs[0])
        elif op.name in UNARY_KINDS or op.name in ("ADD", "MUL", "SUB", "DIV"):
            queue += computed_inputs(op)
        else:
            return None
    for op in part:
        result = op.outputs[0]
        readers = [use.operator for use in graph.consumers(result)]
        if result in graph.outputs or any(r is not reshape and r not in part for r in readers):
            return None
    return sorted(part, key=lambda op: op.index) if len(part) > 1 else None


def _lift(editor: Editor, part: list[Operator], reshape: Operator) -> None:
    """The same operators on 1x1 maps."""
    lifted: dict[Tensor | None, Tensor] = {}
    for op in part:
        old = op.outputs[0]
        new = reshape.outputs[0]
        if old is not reshape.inputs[0]:
            shape = (old.shape[0], 1, 1, old.shape[1])
            new = editor.value(shape, old, f"{old.name}/map")
        inputs = [lifted.get(tensor, tensor) for tensor in op.inputs]
        lifted[old] = new
        if op.name == "MEAN":
            editor.before(op, "MEAN", inputs, [new], keep_dims=True)
        elif op.name == "FULLY_CONNECTED":
            twin = editor.before(
                op, "CONV_2D", inputs, [new],
                padding="VALID", stride_h=1, stride_w=1,
                fused_activation_function=op.option("fused_activation_function", "NONE"),
            )  # fmt: skip
            editor.set_weight(twin, 1, lambda filt: filt[:, None, None, :], "map")
        else:
            twin = editor.subgraph.add_operator(op.index, op.code, inputs, [new])
            if op.options is not None:
                twin.table["builtin_options"] = op.options
    editor.drop(reshape, *part)
