"""The sparse form of an operator: what it must read, whether it has one, and how to give it one.

A form says in the terms of the model's operator what XNNPACK's sparse layout takes. Operators that
only have to be spelled otherwise or placed in another window get there without a change to what
they compute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse._dataclass import dataclass
from tflite_sparse.rewrite.adapt.common import RANK, Context, Said, numbers_of
from tflite_sparse.rewrite.adapt.passes import elementwise, joining, windows
from tflite_sparse.rewrite.adapt.passes import max_pool as maximum
from tflite_sparse.rewrite.adapt.window import placed_window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model import Operator, Tensor

__all__ = ["Form", "form_of"]


@dataclass(frozen=True, slots=True)
class Form:
    """A sparse form.

    Attributes:
        reads: the values that must lie in the sparse layout.
        refusal: why an operator has no such form, in words; None where it has.
        apply: gives the operator the form; says what it did.
        leaves: whether its result lies outside the sparse layout.
    """

    reads: Callable[[Operator], list[Tensor]]
    refusal: Callable[[Operator, Context], str | None]
    apply: Callable[[Operator, Context], Said]
    leaves: bool = False


def form_of(operator: Operator) -> Form | None:
    """The form of an operator's kind; None where the kind has none."""
    if operator.name == "CONV_2D" and not windows.is_pointwise(operator):
        return None
    return _FORMS.get(operator.name)


def _first(operator: Operator) -> list[Tensor]:
    source = operator.inputs[0] if operator.inputs else None
    return [] if source is None else [source]


def _window_source(operator: Operator) -> list[Tensor]:
    placed = placed_window(operator)
    return [] if placed is None else [placed.source]


def _as_it_is(_: Operator, __: Context) -> Said:
    return None


def _reduction(operator: Operator, context: Context) -> str | None:
    source = operator.inputs[0]
    axes = numbers_of(operator, 1)
    if source is None or len(source.shape) != RANK or axes is None:
        return "has no axes that are known"
    if sorted(axis % RANK for axis in axes) != [1, 2]:
        return f"runs along the axes {list(axes)}; the sparse layout takes height and width"
    if not operator.option("keep_dims", default=False) and not context.ends(operator):
        return "drops dimensions that the operators after it need"
    return None


def _depth_to_space(operator: Operator, context: Context) -> str | None:
    del context
    source = operator.inputs[0]
    return None if source is not None and len(source.shape) == RANK else "is not 4-D"


_FORMS: dict[str, Form] = {
    "CONV_2D": Form(_window_source, windows.pointwise_refusal, windows.make_pointwise),
    "DEPTHWISE_CONV_2D": Form(_window_source, windows.depthwise_refusal, windows.make_depthwise),
    "AVERAGE_POOL_2D": Form(_window_source, windows.pool_refusal, windows.make_pool),
    "MAX_POOL_2D": Form(_first, maximum.pool_refusal, maximum.make_pool),
    "PAD": Form(_first, joining.channel_pad_refusal, joining.make_channel_pad),
    "CONCATENATION": Form(
        joining.concatenated, joining.concatenation_refusal, joining.make_concatenation
    ),
    "PRELU": Form(_first, elementwise.prelu_refusal, elementwise.make_prelu),
    "RESIZE_BILINEAR": Form(_first, elementwise.resize_refusal, _as_it_is),
    "MEAN": Form(_first, _reduction, _as_it_is),
    "SUM": Form(_first, _reduction, _as_it_is),
    "DEPTH_TO_SPACE": Form(_first, _depth_to_space, _as_it_is, leaves=True),
    **dict.fromkeys(
        ("ADD", "MUL", "SUB", "DIV", "MAXIMUM", "MINIMUM"),
        Form(elementwise.computed, elementwise.binary_refusal, elementwise.make_binary),
    ),
    **dict.fromkeys(elementwise.UNARY_KINDS, Form(_first, elementwise.unary_refusal, _as_it_is)),
}
