"""Channels put side by side in the sparse layout: by 1x1 convolutions that pick channels.

CONCATENATION has no sparse form. Where only 1x1 convolutions read it, each of them is split by its
inputs and the parts are added up, which is the same sum in another order. Elsewhere, and for a PAD
of channels, a 1x1 convolution with a single one in each row puts a map's channels in their place.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.build import add_up, placed_side_by_side, select
from tflite_sparse.rewrite.adapt.convolution import is_pointwise, ungrouped
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied
from tflite_sparse.rewrite.adapt.passes.canonicalize import CANONICALIZE
from tflite_sparse.rewrite.adapt.queries import RANK, constant_of, has_bias, is_map, present

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context

__all__ = [
    "channel_pad_refusal",
    "concatenated_inputs",
    "concatenation_refusal",
    "make_channel_pad",
    "make_concatenation",
    "splits",
]

_NO_FORM = "CONCATENATION has no sparse form"
_NEEDS_PASS = f"has a sparse form with pass {CANONICALIZE.name} only"


def concatenated_inputs(operator: Operator) -> list[Tensor]:
    """The inputs of a CONCATENATION, each once."""
    return list(dict.fromkeys(tensor for tensor in operator.inputs if tensor is not None))


def concatenation_refusal(operator: Operator, context: Context) -> str | None:
    """Why a CONCATENATION has no sparse form."""
    if not all(map(is_map, operator.inputs)):
        return "does not work on 4-D fp32 maps"
    if operator.option("axis", 0) % RANK != RANK - 1:
        return "does not put channels side by side"
    if operator.option("fused_activation_function", "NONE") != "NONE":
        return "states an activation, which kernels do not look at"
    return None if context.allows(CANONICALIZE) else _NEEDS_PASS


def splits(operator: Operator, context: Context) -> bool:
    """Whether a CONCATENATION vanishes in the 1x1 convolutions that read it."""
    result = operator.outputs[0]
    graph = operator.subgraph
    readers = [use.operator for use in graph.consumers(result)]
    return (
        bool(readers)
        and result not in graph.outputs
        and all(
            reader in context.members
            and reader.name == "CONV_2D"
            and is_pointwise(reader)
            and (reader.option("stride_h", 1), reader.option("stride_w", 1)) == (1, 1)
            for reader in readers
        )
    )


def make_concatenation(operator: Operator, context: Context) -> Applied:
    """Splits the convolutions that read it, or puts every input's channels in their place."""
    if splits(operator, context):
        for use in list(operator.subgraph.consumers(operator.outputs[0])):
            _split(use.operator, operator, context)
        return Applied("the convolutions that read it work on its inputs one by one", _NO_FORM)
    editor, result = context.editor, operator.outputs[0]
    inputs = list(map(present, operator.inputs))
    add_up(editor, operator, placed_side_by_side(editor, operator, inputs, result), result)
    editor.drop(operator)
    return Applied("became a sum of 1x1 convolutions that place channels", _NO_FORM)


def _split(reader: Operator, join: Operator, context: Context) -> None:
    editor, result = context.editor, reader.outputs[0]
    activation = reader.option("fused_activation_function", "NONE")
    parts = []
    first, total = 0, present(reader.inputs[0]).shape[3]
    for number, tensor in enumerate(map(present, join.inputs)):
        last = first + tensor.shape[3]
        part = editor.value(result.shape, result, f"{result.name}/part")
        bias = reader.inputs[2] if has_bias(reader) else None
        if number or bias is None:
            zeros = np.zeros(result.shape[3], np.float32)
            bias = editor.constant(zeros, f"{part.name}/bias")
        twin = editor.before(
            reader,
            "CONV_2D",
            [tensor, reader.inputs[1], bias],
            [part],
            padding="VALID",
            stride_h=1,
            stride_w=1,
        )
        taken = partial(_taken, channels=range(first, last), total=total)
        editor.set_weight(twin, 1, taken, f"inputs_{first}_{last}_of_{total}")
        parts.append(part)
        first = last
    add_up(editor, reader, parts, result, activation)
    editor.drop(reader)


def _taken(filt: NDArray[Any], channels: range, total: int) -> NDArray[Any]:
    """A filter for some channels of a map that has `total` of them."""
    return ungrouped(filt, total)[..., channels.start : channels.stop]


def channel_pad_refusal(operator: Operator, context: Context) -> str | None:
    """Why a PAD has no sparse form of its own."""
    pads = constant_of(operator, 1)
    if pads is None or pads.shape != (RANK, 2) or not is_map(operator.inputs[0]):
        return "has paddings that are computed"
    if np.any(pads[:3]) or np.any(pads < 0):
        return "pads more than channels"
    return None if context.allows(CANONICALIZE) else _NEEDS_PASS


def make_channel_pad(operator: Operator, context: Context) -> Applied:
    """Makes a PAD of channels a 1x1 convolution."""
    editor, source, result = context.editor, present(operator.inputs[0]), operator.outputs[0]
    pads = present(constant_of(operator, 1))
    matrix = np.zeros((result.shape[3], source.shape[3]), np.float32)
    inside = np.arange(source.shape[3])
    matrix[inside + int(pads[3, 0]), inside] = 1
    select(editor, operator, source, matrix, f"{result.name}/placed", output=result)
    editor.drop(operator)
    return Applied("became a 1x1 convolution that places channels", "PAD has no sparse form")
