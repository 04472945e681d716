"""The kernel stage: which kernel runs a node, and the name that LiteRT's profiler prints for it.

Sources: XNNPACK src/operators/*.c, src/operator-utils.c (xnn_operator_type_to_string_v2) and
src/runtime.c (xnn_get_runtime_profiling_info).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tflite_sparse.xnnpack.graph import Node, Window
    from tflite_sparse.xnnpack.releases.runtimes import Runtime

__all__ = ["executed_names", "is_sparse_kernel", "nchw_kernel"]

_UNARY = {
    "abs": "Abs", "approxgelu": "ApproxGELU", "bankers_rounding": "Bankders Rounding",
    "ceiling": "Ceiling", "clamp": "Clamp", "convert": "Convert", "cosine": "Cosine",
    "elu": "ELU", "exp": "Exp", "floor": "Floor", "gelu": "GELU", "hardswish": "HardSwish",
    "leaky_relu": "LeakyReLU", "log": "Log", "negate": "Negate",
    "reciprocal_square_root": "Reciprocal Square Root", "sigmoid": "Sigmoid", "sine": "Sine",
    "square": "Square", "square_root": "Square Root", "tanh": "TanH",
}  # fmt: skip
_BINARY = {
    "add": "Add", "divide": "Divide", "maximum": "Maximum", "minimum": "Minimum",
    "multiply": "Multiply", "prelu": "PReLU", "squared_difference": "Squared Difference",
    "subtract": "Subtract",
}  # fmt: skip
_REDUCE = {
    "mean": "Mean", "sum": "Sum", "mean_squared": "Mean Squared", "sum_squared": "Normalize",
    "max": "Reduce Max", "min": "Reduce Min",
}  # fmt: skip
_WIDTH = {"f32": "X32", "f16": "X16", "qs8": "X8", "qu8": "X8", "i32": "X32"}
_PRECISION = {"f32": "F32", "f16": "F16"}
_CONVOLVED = {("qs8", "qc8"): "QC8", ("qs8", "qs8"): "QS8", ("qu8", "qu8"): "QU8"}
_MULTIPLIED = {("qs8", "qc8"): "QS8, QC8W", ("qs8", "qs8"): "QS8, QC8W", ("qu8", "qu8"): "QU8",
               ("qs8", "qc4"): "QS8, QC4W", ("qs8", "qc2"): "QS8, QC2W"}  # fmt: skip
_POOLED = {"f32": "F32", "f16": "F16", "qs8": "S8", "qu8": "U8"}


def nchw_kernel(node: Node) -> str | None:
    """The kernel of a convolution in the sparse layout, None where there is none.

    Args:
        node: a convolution, depthwise convolution or fully connected node whose output is marked.
    """
    window = node.window
    if node.inputs[0].nchw:
        if node.kind == "fully_connected":
            return "SPMM"
        if window is None:
            return None
        if node.kind == "convolution" and window.pointwise:
            return "SPMM"
        return "DWConv" if _is_depthwise(window) else None
    entry = (
        window is not None
        and node.kind == "convolution"
        and window.kernel == (3, 3)
        and window.stride == (2, 2)
        and window.padding == (1, 1, 1, 1)
        and window.dilation == (1, 1)
        and window.groups == 1
    )
    return "Conv2D HWC2CHW" if entry else None


def _is_depthwise(window: Window) -> bool:
    side = (window.kernel[0] - 1) // 2
    return (
        window.kernel in ((3, 3), (5, 5))
        and window.stride in ((1, 1), (2, 2))
        and window.padding == (side,) * 4
        and window.dilation == (1, 1)
        and (window.inputs, window.outputs) == (1, 1)
    )


def is_sparse_kernel(node: Node) -> bool:
    """Whether a node runs the kernel that skips zeros."""
    convolves = node.kind in ("convolution", "fully_connected")
    return convolves and node.outputs[0].nchw and nchw_kernel(node) == "SPMM"


def executed_names(nodes: Iterable[Node], runtime: Runtime) -> tuple[str, ...]:
    """The names under which LiteRT's profiler lists nodes; none of YNNPACK's, never seen.

    Args:
        nodes: the nodes.
        runtime: the release that runs them.
    """
    return tuple(map(_executed_name, nodes)) if runtime.unpacks else ()


def _executed_name(node: Node) -> str:
    special = _NAMES.get(node.kind)
    return special(node) if special is not None else node.kind.replace("_", " ").title()


def _in_nchw(node: Node) -> str:
    kind = _PRECISION.get(node.outputs[0].type, "F32")
    return f"Convolution (NCHW, {kind}) {nchw_kernel(node)}"


def _types(node: Node, static: dict[tuple[str, str], str]) -> str:
    source, filt, result = node.inputs[0].type, node.inputs[1].type, node.outputs[0].type
    if source in _PRECISION:
        return _PRECISION[source]
    if source == "qd8":
        width = {"qs8": "QC8W", "qc8": "QC8W", "qc4": "QC4W", "qc2": "QC2W"}.get(filt, "QC8W")
        return f"QD8, {_PRECISION.get(result, 'F32')}, {width}"
    return static.get((source, filt), source.upper())


_LARGEST_DEPTHWISE = 25
"""Most weights a channel for which there is a depthwise kernel (src/configs/dwconv-config.c)."""


def _convolution(node: Node) -> str:
    if node.outputs[0].nchw:
        return _in_nchw(node)
    window = node.window
    kernel = "IGEMM"
    if window is not None and (window.inputs, window.outputs) == (1, 1):
        small = window.kernel[0] * window.kernel[1] <= _LARGEST_DEPTHWISE
        kernel = "DWConv" if small else kernel
    return f"Convolution (NHWC, {_types(node, _CONVOLVED)}) {kernel}"


def _depthwise(node: Node) -> str:
    if node.outputs[0].nchw:
        return _in_nchw(node)
    return _convolution(node)


def _fully_connected(node: Node) -> str:
    if node.outputs[0].nchw:
        return _in_nchw(node)
    dynamic = "" if all(v.is_static for v in node.inputs[1:]) else "Dynamic "
    return f"{dynamic}Fully Connected (NC, {_types(node, _MULTIPLIED)}) GEMM"


def _deconvolution(node: Node) -> str:
    window = node.window
    parts = (
        window is not None
        and max(window.stride) > 1
        and all(step <= size for step, size in zip(window.stride, window.kernel, strict=True))
    )
    layout = "NC" if node.inputs[1].type == "qc8" and node.inputs[0].type == "qs8" else "NHWC"
    return (
        f"Deconvolution ({layout}, {_types(node, _MULTIPLIED)}) {'Subconv2D' if parts else 'IGEMM'}"
    )


def _unary(node: Node) -> str:
    if node.function == "convert" and node.outputs[0].type == "qd8":
        return f"Convert (NC, {_PRECISION.get(node.inputs[0].type, 'F32')}, QD8)"
    return f"{_UNARY[node.function]} (NC)"


def _average_pool(node: Node) -> str:
    same = node.window is not None and node.window.same
    kernel = "Pixelwise Average Pooling" if same else "Average Pooling"
    return f"Average Pooling (NHWC, {_POOLED[node.outputs[0].type]}) {kernel}"


def _depth_to_space(node: Node) -> str:
    layout = "NCHW2NHWC" if node.inputs[0].nchw else "NHWC"
    return f"Depth To Space ({layout}, {_width(node)}) Transpose"


def _reduce(node: Node) -> str:
    # Maximum and minimum still have the older kernels.
    kernel = "Reduce" if node.function in ("max", "min") else "Reduce2"
    return f"{_REDUCE[node.function]} (ND) {kernel}"


def _width(node: Node) -> str:
    return _WIDTH.get(node.outputs[0].type, "X32")


_NAMES: dict[str, Callable[[Node], str]] = {
    "argmax_pool": lambda _: "ArgMax Pooling (NHWC, F32)",
    "average_pool": _average_pool,
    "binary": lambda n: f"{_BINARY[n.function]} (ND)",
    "concatenate": lambda n: f"Copy (NC, {_width(n)})",
    "convolution": _convolution,
    "copy": lambda n: f"Copy (NC, {_width(n)})",
    "deconvolution": _deconvolution,
    "depth_to_space": _depth_to_space,
    "depthwise": _depthwise,
    "fully_connected": _fully_connected,
    "matrix_product": lambda n: f"Batch Matrix Multiply (NC, {_types(n, _MULTIPLIED)}) GEMM",
    "max_pool": lambda n: f"Max Pooling (NHWC, {_POOLED[n.outputs[0].type]})",
    "pad": lambda n: f"Constant Pad (ND, {_width(n)})",
    "reduce": _reduce,
    "reshape": lambda _: "Static Reshape (NC)",
    "resize": lambda n: f"Resize Bilinear ({'NCHW' if n.inputs[0].nchw else 'NHWC'})",
    "slice": lambda n: f"Slice (ND, {_width(n)})",
    "softmax": lambda n: f"Softmax (NC, {_POOLED[n.outputs[0].type]})",
    "space_to_depth": lambda n: f"Space To Depth (NHWC, {_width(n)}) Transpose",
    "split": lambda n: f"Copy (NC, {_width(n)})",
    "transpose": lambda n: f"Transpose (ND, {_width(n)}) Transpose",
    "unary": _unary,
    "unpool": lambda _: "Unpooling (NHWC, X32)",
}
