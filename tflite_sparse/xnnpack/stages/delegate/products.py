"""Which convolutions and matrix products the delegate takes.

Source: tflite/delegates/xnnpack/xnnpack_delegate.cc, the Visit... function of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.stages.delegate.operand_checks import FLOAT, FLOAT_OR_Q8, MAX_RANK

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.stages.delegate.operand_checks import Visit

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


def convolution(v: Visit) -> None:
    """CONV_2D and DEPTHWISE_CONV_2D."""
    strides = ("stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor")
    v.positive(*strides, default=1)
    if len(v.op.inputs) < 3:  # noqa: PLR2004 - activation and filter, but no bias
        v.input(2, "bias")
    v.operands(3)
    source, filt = v.input(0), v.input(1, "filter")
    v.type(source, "input")
    v.rank(source, "input", 4)
    v.filter(filt, axis=3 if v.op.name == "DEPTHWISE_CONV_2D" else 0)
    v.rank(filt, "filter", 4)
    v.constant(filt, "filter", unpacked=True)
    bias = v.input(2, "bias")
    v.bias(bias)
    v.rank(bias, "bias", 1)
    v.constant(bias, "bias", unpacked=True)
    v.filter_and_bias(filt, bias)
    result = v.output()
    v.type(result, "output")
    v.rank(result, "output", 4)
    dynamic = v.op.name == "CONV_2D" and (source.type, filt.type) == ("FLOAT32", "INT8")
    if source.type != result.type or (source.type != filt.type and not dynamic):
        v.mixed(f"{source.type}, {filt.type} and {result.type}")
    if v.op.name == "CONV_2D":
        groups = source.shape[3] // filt.shape[3]
        v.option("groups", groups, "at least 1", ok=groups > 0)
    else:
        v.positive("depth_multiplier", default=1)
        multiplier = v.op.option("depth_multiplier", 1)
        v.option(
            "depth_multiplier",
            multiplier,
            "a divisor of the output channels",
            ok=filt.shape[3] % multiplier == 0,
        )
    v.activation()


def fully_connected(v: Visit) -> None:
    """FULLY_CONNECTED."""
    if v.op.version == _SPARSE_ITSELF:
        v.refuse(
            "delegate-version",
            "version",
            v.op.version,
            "another version",
            "has version 8: it reads its sparse filter itself, outside XNNPACK",
        )
    form = v.op.option("weights_format", "DEFAULT")
    v.option("weights_format", form, "DEFAULT", ok=form == "DEFAULT")
    v.operands(2, 3)
    source, filt = v.input(0), v.input(1, "filter")
    v.type(source, "input")
    v.rank(filt, "filter", 2)
    if not (v.runtime.dynamic_fully_connected and filt.type == "FLOAT32"):
        v.filter(filt, axis=0, packed=True)
        v.constant(filt, "filter", unpacked=True)
    bias = v.op.inputs[2] if len(v.op.inputs) > 2 else None  # noqa: PLR2004 - the third operand
    if bias is not None:
        if not (v.runtime.dynamic_fully_connected and bias.type == "FLOAT32"):
            v.option("bias", bias.size, f"{filt.shape[0]} elements", ok=bias.size == filt.shape[0])
            v.bias(bias)
            v.constant(bias, "bias", unpacked=True)
        v.filter_and_bias(filt, bias)
    result = v.output()
    v.type(result, "output")
    integers = filt.type in _INTEGERS and source.type in (*FLOAT, "INT8")
    if source.type != result.type or (source.type != filt.type and not integers):
        v.mixed(f"{source.type}, {filt.type} and {result.type}")
    step = {"INT4": 2, "INT2": 4}.get(filt.type, 1)
    v.option("input channels", filt.shape[1], f"a multiple of {step}", ok=not filt.shape[1] % step)
    v.activation()


def transpose_convolution(v: Visit) -> None:
    """TRANSPOSE_CONV."""
    v.operands(3, 4)
    shape = v.input(0, "output shape")
    v.vector(shape, "output shape")
    v.numbers(shape, "output shape")
    filt, source, result = v.input(1, "filter"), v.input(2), v.output()
    v.rank(filt, "filter", 4)
    v.constant(filt, "filter", unpacked=True)
    v.type(source, "input", _F32_OR_Q8)
    v.rank(source, "input", 4)
    v.filter(filt, axis=0)
    bias = v.op.inputs[3] if len(v.op.inputs) > 3 else None  # noqa: PLR2004 - the fourth operand
    if bias is not None:
        v.bias(bias)
        v.rank(bias, "bias", 1)
        v.constant(bias, "bias", unpacked=True)
    v.type(result, "output", _F32_OR_Q8)
    v.rank(result, "output", 4)
    v.option("input channels", source.shape[3], filt.shape[3], ok=source.shape[3] == filt.shape[3])
    v.activation()


def matrix_product(v: Visit) -> None:
    """BATCH_MATMUL."""
    first, second = v.input(0), v.input(1)
    v.type(first, "first input")
    rank = len(second.shape)
    v.filter(second, axis=rank - (2 if v.op.option("adj_y", False) else 1))
    v.type(v.output(), "output")
    if (first.type, second.type) != ("FLOAT32", "INT8"):
        v.same_type(first, second)
    for tensor, name in ((first, "first input"), (second, "second input")):
        v.rank(tensor, name, 2, MAX_RANK)


def mediapipe_deconvolution(v: Visit) -> None:
    """MediaPipe's Convolution2DTransposeBias."""
    v.operands(3)
    for index, name, rank in ((0, "input", 4), (1, "filter", 4), (2, "bias", 1)):
        tensor = v.input(index, name)
        v.type(tensor, name, ("FLOAT32",))
        v.rank(tensor, name, rank)
        if index:
            v.constant(tensor, name, unpacked=True)
    v.type(v.output(), "output", ("FLOAT32",))
