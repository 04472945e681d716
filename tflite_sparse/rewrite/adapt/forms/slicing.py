"""Slices of channels in the sparse layout, which has no operator for them.

Where 1x1 convolutions alone read a slice they read the whole map instead, with zeros in their
filters for the channels that are left out. Elsewhere a 1x1 convolution picks the channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.build import select
from tflite_sparse.rewrite.adapt.convolution import ungrouped
from tflite_sparse.rewrite.adapt.forms.joining import splits
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied
from tflite_sparse.rewrite.adapt.passes.canonicalize import CANONICALIZE
from tflite_sparse.rewrite.adapt.queries import RANK, integers_of, is_map, present

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.context import Context

__all__ = ["make_slice", "slice_refusal", "sliced_channels"]

_MASKS = ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
_STEPS = 3


def slice_refusal(operator: Operator, context: Context) -> str | None:
    """Why a SLICE or STRIDED_SLICE has no sparse form."""
    if not is_map(operator.inputs[0]) or not is_map(operator.outputs[0]):
        return "does not work on 4-D fp32 maps"
    if sliced_channels(operator) is None:
        return "takes more than a range of channels apart"
    if not context.allows(CANONICALIZE):
        return f"has a sparse form with pass {CANONICALIZE.name} only"
    return None


def sliced_channels(operator: Operator) -> range | None:
    """The channels that a slice of a map takes; None where it takes anything else apart."""
    source, result = present(operator.inputs[0]), operator.outputs[0]
    begin, end = integers_of(operator, 1), integers_of(operator, 2)
    if begin is None or end is None or len(begin) != RANK or len(end) != RANK:
        return None
    if source.shape[:3] != result.shape[:3]:
        return None
    if operator.name == "SLICE":
        first = begin[3]
    else:
        strides = integers_of(operator, _STEPS)
        if strides != (1, 1, 1, 1) or any(operator.option(mask, 0) for mask in _MASKS):
            return None
        first = 0 if operator.option("begin_mask", 0) & 1 << 3 else begin[3]
        first += source.shape[3] if first < 0 else 0
    channels = range(first, first + result.shape[3])
    return channels if first >= 0 and channels.stop <= source.shape[3] else None


def make_slice(operator: Operator, context: Context) -> Applied:
    """Lets the convolutions that read a slice read the whole map, or picks its channels."""
    editor, source = context.editor, present(operator.inputs[0])
    channels, total = present(sliced_channels(operator)), present(operator.inputs[0]).shape[3]
    result = operator.outputs[0]
    if splits(operator, context):

        def widened(filt: NDArray[Any]) -> NDArray[Any]:
            wide = np.zeros((*filt.shape[:3], total), filt.dtype)
            wide[..., channels.start : channels.stop] = ungrouped(filt, len(channels))
            return wide

        key = f"channels_{channels.start}_{channels.stop}_of_{total}"
        for use in list(operator.subgraph.consumers(result)):
            editor.set_weight(use.operator, 1, widened, key)
            editor.read(use.operator, 0, source)
        editor.drop(operator)
        return Applied("the convolutions that read it have zeros for the other channels", _NO_FORM)
    matrix = np.eye(total, dtype=np.float32)[channels.start : channels.stop]
    select(editor, operator, source, matrix, f"{result.name}/picked", result)
    editor.drop(operator)
    return Applied("became a 1x1 convolution that picks channels", _NO_FORM)


_NO_FORM = "slices have no sparse form"
