"""Which convolutions and matrix products the delegate takes.

Source: tflite/delegates/xnnpack/xnnpack_delegate.cc, the Visit... function of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.stages.delegate.operand_checks import FLOAT, FLOAT_OR_Q8, MAX_RANK

if TYPE_CHECKING:
    from tflite_sparse.model import Tensor
    from tflite_sparse.xnnpack.stages.delegate.operand_checks import OperandChecks

__all__ = [
    "convolution",
    "fully_connected",
    "matrix_product",
    "mediapipe_deconvolution",
    "transpose_convolution",
]

_F32_OR_Q8 = FLOAT_OR_Q8 - {"FLOAT16"}
_INTEGERS = ("INT2", "INT4", "INT8")
_SPARSE_ITSELF = 8


def convolution(check: OperandChecks) -> None:
    """CONV_2D and DEPTHWISE_CONV_2D."""
    strides = ("stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor")
    check.positive(*strides, default=1)
    if len(check.op.inputs) < 3:  # noqa: PLR2004 - activation and filter, but no bias
        check.input(2, "bias")
    check.operands(3)
    source, filt = check.input(0), check.input(1, "filter")
    check.type(source, "input")
    check.rank(source, "input", 4)
    check.filter(filt, axis=3 if check.op.name == "DEPTHWISE_CONV_2D" else 0)
    check.rank(filt, "filter", 4)
    check.constant(filt, "filter", unpacked=True)
    bias = check.input(2, "bias")
    check.bias(bias)
    check.rank(bias, "bias", 1)
    check.constant(bias, "bias", unpacked=True)
    check.filter_and_bias(filt, bias)
    result = check.output()
    check.type(result, "output")
    check.rank(result, "output", 4)
    dynamic = check.op.name == "CONV_2D" and (source.type, filt.type) == ("FLOAT32", "INT8")
    if source.type != result.type or (source.type != filt.type and not dynamic):
        check.mixed(f"{source.type}, {filt.type} and {result.type}")
    if check.op.name == "CONV_2D":
        groups = source.shape[3] // filt.shape[3]
        check.option("groups", groups, "at least 1", ok=groups > 0)
    else:
        check.positive("depth_multiplier", default=1)
        multiplier = check.op.option("depth_multiplier", 1)
        check.option(
            "depth_multiplier",
            multiplier,
            "a divisor of the output channels",
            ok=filt.shape[3] % multiplier == 0,
        )
    check.activation()


def fully_connected(check: OperandChecks) -> None:
    """FULLY_CONNECTED."""
    if check.op.version == _SPARSE_ITSELF:
        check.refuse(
            "delegate-version",
            "version",
            check.op.version,
            "another version",
            "has version 8: it reads its sparse filter itself, outside XNNPACK",
        )
    form = check.op.option("weights_format", "DEFAULT")
    check.option("weights_format", form, "DEFAULT", ok=form == "DEFAULT")
    check.operands(2, 3)
    source, filt = check.input(0), check.input(1, "filter")
    check.type(source, "input")
    check.rank(filt, "filter", 2)
    if not (check.runtime.dynamic_fully_connected and filt.type == "FLOAT32"):
        check.filter(filt, axis=0, packed=True)
        check.constant(filt, "filter", unpacked=True)
    bias = check.op.inputs[2] if len(check.op.inputs) > 2 else None  # noqa: PLR2004 - the third operand
    if bias is not None:
        if not (check.runtime.dynamic_fully_connected and bias.type == "FLOAT32"):
            check.option(
                "bias", bias.size, f"{filt.shape[0]} elements", ok=bias.size == filt.shape[0]
            )
            check.bias(bias)
            check.constant(bias, "bias", unpacked=True)
        check.filter_and_bias(filt, bias)
    result = check.output()
    check.type(result, "output")
    integers = filt.type in _INTEGERS and source.type in (*FLOAT, "INT8")
    if source.type != result.type or (source.type != filt.type and not integers):
        check.mixed(f"{source.type}, {filt.type} and {result.type}")
    step = {"INT4": 2, "INT2": 4}.get(filt.type, 1)
    check.option(
        "input channels", filt.shape[1], f"a multiple of {step}", ok=not filt.shape[1] % step
    )
    check.activation()


def transpose_convolution(check: OperandChecks) -> None:
    """TRANSPOSE_CONV."""
    check.operands(3, 4)
    shape = check.input(0, "output shape")
    check.vector(shape, "output shape")
    check.numbers(shape, "output shape")
    filt, source, result = check.input(1, "filter"), check.input(2), check.output()
    check.rank(filt, "filter", 4)
    check.constant(filt, "filter", unpacked=True)
    check.type(source, "input", _F32_OR_Q8)
    check.rank(source, "input", 4)
    check.filter(filt, axis=0)
    bias = check.op.inputs[3] if len(check.op.inputs) > 3 else None  # noqa: PLR2004 - the fourth operand
    if bias is not None:
        check.bias(bias)
        check.rank(bias, "bias", 1)
        check.constant(bias, "bias", unpacked=True)
    check.type(result, "output", _F32_OR_Q8)
    check.rank(result, "output", 4)
    check.option(
        "input channels", source.shape[3], filt.shape[3], ok=source.shape[3] == filt.shape[3]
    )
    _covers(check, filt)
    check.activation()


def _covers(check: OperandChecks, filt: Tensor) -> None:
    """A filter that is padded is no smaller than its stride; output in between would be padding.

    Source: CalculateTransposeConvPaddings, which finds less output than is stated.
    """
    if check.op.option("padding", "SAME") != "SAME":
        return
    for name, size in (("stride_h", filt.shape[1]), ("stride_w", filt.shape[2])):
        stride = check.op.option(name, 1)
        check.option(name, stride, f"at most {size}, as wide as the filter", ok=stride <= size)


def matrix_product(check: OperandChecks) -> None:
    """BATCH_MATMUL."""
    first, second = check.input(0), check.input(1)
    check.type(first, "first input")
    rank = len(second.shape)
    check.filter(second, axis=rank - (2 if check.op.option("adj_y", False) else 1))
    check.type(check.output(), "output")
    if (first.type, second.type) != ("FLOAT32", "INT8"):
        check.same_type(first, second)
    for tensor, name in ((first, "first input"), (second, "second input")):
        check.rank(tensor, name, 2, MAX_RANK)


def mediapipe_deconvolution(check: OperandChecks) -> None:
    """MediaPipe's Convolution2DTransposeBias."""
    check.operands(3)
    for index, name, rank in ((0, "input", 4), (1, "filter", 4), (2, "bias", 1)):
        tensor = check.input(index, name)
        check.type(tensor, name, ("FLOAT32",))
        check.rank(tensor, name, rank)
        if index:
            check.constant(tensor, name, unpacked=True)
    check.type(check.output(), "output", ("FLOAT32",))
