"""The sparse forms of all kinds of operators, as a table.

A form says which operators XNNPACK's sparse layout takes, in terms of the operator in the model,
and how to change the others so that it takes them, without a change to what they compute.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tflite_sparse.model import Operator, Tensor
from tflite_sparse.rewrite.adapt.context import Context
from tflite_sparse.rewrite.adapt.convolution import is_kxk
from tflite_sparse.rewrite.adapt.forms.as_they_are import (
    depth_to_space_refusal,
    reduction_refusal,
    resize_refusal,
    unary_refusal,
)
from tflite_sparse.rewrite.adapt.forms.average_pool import average_pool_refusal, make_average_pool
from tflite_sparse.rewrite.adapt.forms.convolutions import (
    depthwise_refusal,
    make_depthwise,
    make_pointwise,
    pointwise_refusal,
)
from tflite_sparse.rewrite.adapt.forms.elementwise import (
    binary_refusal,
    make_binary,
    make_prelu,
    prelu_refusal,
)
from tflite_sparse.rewrite.adapt.forms.joining import (
    channel_pad_refusal,
    concatenated_inputs,
    concatenation_refusal,
    make_channel_pad,
    make_concatenation,
)
from tflite_sparse.rewrite.adapt.forms.kxk import kxk_refusal
from tflite_sparse.rewrite.adapt.forms.max_pool import make_max_pool, max_pool_refusal
from tflite_sparse.rewrite.adapt.forms.slicing import make_slice, slice_refusal
from tflite_sparse.rewrite.adapt.forms.transposed import (
    make_transposed,
    transposed_refusal,
    transposed_source,
)
from tflite_sparse.rewrite.adapt.forms.upsampling import make_nearest, nearest_refusal
from tflite_sparse.rewrite.adapt.passes.adapt_pass import AnyPass, Applied
from tflite_sparse.rewrite.adapt.passes.canonicalize import CANONICALIZE
from tflite_sparse.rewrite.adapt.passes.heads import HEADS, end_in_reduction
from tflite_sparse.rewrite.adapt.passes.kxk import KXK
from tflite_sparse.rewrite.adapt.passes.mirror import MIRROR, mirror_depth_to_space
from tflite_sparse.rewrite.adapt.passes.windows import WINDOWS
from tflite_sparse.rewrite.adapt.queries import UNARY_KINDS, computed_inputs
from tflite_sparse.rewrite.adapt.window import placed_window

__all__ = ["FORMS", "Change", "Form", "form_of"]


class Change(msgspec.Struct, frozen=True):
    """A change that brings an operator into its form.

    Attributes:
        by: the pass that does it.
        make: makes the change and describes it; returns None if there was nothing to do.
    """

    by: AnyPass
    make: Callable[[Operator, Context], Applied | None]


class Form(msgspec.Struct, frozen=True):
    """A sparse form.

    Attributes:
        reads: the values that must lie in the sparse layout.
        refusal: why an operator does not have this form, in words; None if it has.
        change: the change that gives an operator the form; None if none is needed.
        leaves: whether its result lies outside the sparse layout.
        ending: the change that an operator needs where the sparse layout ends, or None.
    """

    reads: Callable[[Operator], list[Tensor]]
    refusal: Callable[[Operator, Context], str | None]
    change: Change | None = None
    leaves: bool = False
    ending: Change | None = None


def form_of(operator: Operator) -> Form | None:
    """The form of an operator's kind; None where the kind has none."""
    if is_kxk(operator):
        return _KXK
    return FORMS.get(operator.name)


def _first_input(operator: Operator) -> list[Tensor]:
    source = operator.inputs[0] if operator.inputs else None
    return [] if source is None else [source]


def _window_source(operator: Operator) -> list[Tensor]:
    placed = placed_window(operator)
    return [] if placed is None else [placed.source]


_KXK = Form(_window_source, kxk_refusal)
"""Pass kxk gives it to all of a region at once."""

_REDUCTION = Form(_first_input, reduction_refusal, ending=Change(HEADS, end_in_reduction))
_SLICE = Form(_first_input, slice_refusal, Change(CANONICALIZE, make_slice))
_BINARY = Form(computed_inputs, binary_refusal, Change(CANONICALIZE, make_binary))

FORMS: dict[str, Form] = {
    "CONV_2D": Form(_window_source, pointwise_refusal, Change(WINDOWS, make_pointwise)),
    "DEPTHWISE_CONV_2D": Form(_window_source, depthwise_refusal, Change(WINDOWS, make_depthwise)),
    "AVERAGE_POOL_2D": Form(
        _window_source, average_pool_refusal, Change(CANONICALIZE, make_average_pool)
    ),
    "MAX_POOL_2D": Form(_first_input, max_pool_refusal, Change(CANONICALIZE, make_max_pool)),
    "PAD": Form(_first_input, channel_pad_refusal, Change(CANONICALIZE, make_channel_pad)),
    "CONCATENATION": Form(
        concatenated_inputs, concatenation_refusal, Change(CANONICALIZE, make_concatenation)
    ),
    "SLICE": _SLICE,
    "STRIDED_SLICE": _SLICE,
    "PRELU": Form(_first_input, prelu_refusal, Change(CANONICALIZE, make_prelu)),
    "RESIZE_BILINEAR": Form(_first_input, resize_refusal),
    "RESIZE_NEAREST_NEIGHBOR": Form(
        _first_input, nearest_refusal, Change(CANONICALIZE, make_nearest)
    ),
    "TRANSPOSE_CONV": Form(transposed_source, transposed_refusal, Change(KXK, make_transposed)),
    "MEAN": _REDUCTION,
    "SUM": _REDUCTION,
    "DEPTH_TO_SPACE": Form(
        _first_input,
        depth_to_space_refusal,
        leaves=True,
        ending=Change(MIRROR, mirror_depth_to_space),
    ),
    **dict.fromkeys(("ADD", "MUL", "SUB", "DIV", "MAXIMUM", "MINIMUM"), _BINARY),
    **dict.fromkeys(UNARY_KINDS, Form(_first_input, unary_refusal)),
}
"""The forms by the kind of operator."""
