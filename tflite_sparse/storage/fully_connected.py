"""Sparse weights that FULLY_CONNECTED reads without DENSIFY, with kernels of TFLite's own.

Sources: tflite/kernels/fully_connected.cc for what the kernels accept, and
tflite/converter/tools/versioning/op_version.cc for the versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tflite_sparse.model import Model, Operator, Tensor

__all__ = [
    "SPARSE_VERSION",
    "DirectForm",
    "dense_version",
    "direct_form",
    "direct_refusal",
    "set_version",
]

SPARSE_VERSION = 8
"""The version of a FULLY_CONNECTED with a sparse weight; XNNPACK refuses it, and only it."""

_MATRIX = 2
_CLIPS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")
_FILTER = 1
_BIAS = 2


class DirectForm(msgspec.Struct, frozen=True):
    """An encoding that a kernel reads.

    Attributes:
        block: values that are stored together, along the rows; 1 for single values.
    """

    block: int


_FORMS = {
    ("FLOAT32", "FLOAT32"): (DirectForm(1), DirectForm(4)),
    ("INT8", "INT8"): (DirectForm(16),),
    ("FLOAT32", "INT8"): (DirectForm(16),),
}

# The kernel for dynamic quantization keeps the number of blocks in a row, and their indices, in one
# byte each, and does not look whether they fit (PopulateLedgerData).
_DYNAMIC_COLUMNS = 255 * 16


def direct_form(operator: Operator) -> tuple[DirectForm, ...]:
    """The encodings that TFLite's kernel for the types of an operator reads; () for none."""
    inputs = operator.inputs
    if operator.name != "FULLY_CONNECTED" or len(inputs) <= _FILTER:
        return ()
    value, weights = inputs[0], inputs[_FILTER]
    if value is None or weights is None:
        return ()
    return _FORMS.get((value.type, weights.type), ())


def direct_refusal(operator: Operator, operand: int) -> str | None:
    """Why an operator must not read a sparse weight directly, or None where it may.

    The kernels are right for a plain product: activations only clip, the input's last dimension is
    the weight's, quantized weights are symmetric and have a bias; with float activations they have
    one scale, at most 4,080 columns, and inputs that are quantized asymmetrically.
    """
    forms = direct_form(operator)
    if operand != _FILTER or not forms:
        return "TFLite has no sparse kernel for it"
    value, weights = operator.inputs[0], operator.inputs[_FILTER]
    if value is None or weights is None or len(weights.shape) != _MATRIX:
        return "its weight is no matrix"
    if not value.shape or value.shape[-1] != weights.shape[1]:
        return "its input is flattened, which the sparse kernels do not expect"
    if (value.type, weights.type) == ("FLOAT32", "INT8"):
        dynamic = _dynamic_refusal(operator, weights)
        if dynamic is not None:
            return dynamic
    return _option_refusal(operator, weights)


def _option_refusal(operator: Operator, weights: Tensor) -> str | None:
    if operator.option("fused_activation_function", "NONE") not in _CLIPS:
        return "its activation is none that the sparse kernels have"
    if operator.option("weights_format", "DEFAULT") != "DEFAULT":
        return "its weights are shuffled"
    if weights.type == "INT8" and _bias(operator) is None:
        return "it has no bias, which the int8 kernel expects"
    return None


def _dynamic_refusal(operator: Operator, weights: Tensor) -> str | None:
    """Why a float operator with an int8 weight must not read it sparse."""
    scales = None if weights.quantization is None else weights.quantization["scale"]
    if scales is None or scales.size != 1:
        return "its weight has a scale for each channel, the sparse kernel reads one"
    if weights.shape[1] > _DYNAMIC_COLUMNS:
        return f"its weight has more than {_DYNAMIC_COLUMNS} columns, which the kernel miscounts"
    if not operator.option("asymmetric_quantize_inputs", default=False):
        return "TFLite would quantize its input otherwise than XNNPACK does"
    return None


def dense_version(operator: Operator) -> int:
    """The version that an operator with a dense weight needs, as TFLite's versioning has it.

    Args:
        operator: a FULLY_CONNECTED whose weight is fp32 or int8.
    """
    value, weights = operator.inputs[0], operator.inputs[_FILTER]
    if len(operator.inputs) == _MATRIX:
        return 6
    if operator.option("keep_num_dims", default=False):
        return 5
    kinds = ("" if value is None else value.type, "" if weights is None else weights.type)
    if kinds == ("INT8", "INT8"):
        return 4
    if kinds == ("FLOAT32", "INT8"):
        return 9 if operator.option("asymmetric_quantize_inputs", default=False) else 3
    return 1


def set_version(model: Model, operator: Operator, version: int) -> None:
    """Gives an operator another version.

    An operator code that no other operator uses is changed in its place, so that the order of the
    codes stays as it is.
    """
    code = operator.code
    shared = any(other.code is code and other is not operator for other in model.operators())
    has_code = any(
        other is not code
        and other["version"] == version
        and other["builtin_code"] == code["builtin_code"]
        for other in model.operator_codes
    )
    if shared or has_code:
        operator.code = model.operator_code(operator.name, version)
    else:
        code["version"] = version
    operator.subgraph.edited = True


def _bias(operator: Operator) -> Tensor | None:
    return operator.inputs[_BIAS] if len(operator.inputs) > _BIAS else None
