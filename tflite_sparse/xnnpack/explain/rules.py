"""The registry of rules: every decision of the runtime that the plan reports, by a stable code."""

from __future__ import annotations

from enum import Enum

from tflite_sparse._dataclass import dataclass

__all__ = ["RULES", "Rule", "Stage", "rule", "rules_table"]


class Stage(Enum):
    """The stages of the runtime, in the order in which it goes through them."""

    DELEGATE = "delegate"
    DEFINE = "define"
    FUSE = "fuse"
    ROLE = "role"
    CLUSTER = "cluster"
    PROFIT = "profit"
    LAYOUT = "layout"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the runtime.

    Attributes:
        code: stable name; it never changes its meaning.
        stage: the stage that applies it.
        summary: what it says, in one line.
        source: where the runtime does it: file and function.
    """

    code: str
    stage: Stage
    summary: str
    source: str


_DELEGATE = "tflite/delegates/xnnpack/xnnpack_delegate.cc"
_SUBGRAPH = "src/subgraph.c"
_NCHW = "src/subgraph.c: xnn_check_nchw_compatibility"
_REWRITE = "src/subgraph.c: xnn_subgraph_rewrite_for_nchw"

_ROWS: dict[Stage, tuple[tuple[str, str, str], ...]] = {
    Stage.DELEGATE: (
        ("delegate-operator", "XNNPACK takes no operator of this kind", f"{_DELEGATE}: VisitNode"),
        (
            "delegate-version",
            "FULLY_CONNECTED of version 8 reads its sparse filter itself and is left to TFLite",
            f"{_DELEGATE}: VisitNode",
        ),
        (
            "delegate-operands",
            "the operator has more or fewer operands than XNNPACK takes",
            f"{_DELEGATE}: CheckNumInputsAndOutputs",
        ),
        (
            "delegate-type",
            "XNNPACK does not take an operand of this type",
            f"{_DELEGATE}: CheckTensorFloatType and its neighbours",
        ),
        (
            "delegate-mixed-types",
            "operands have types that XNNPACK does not take together",
            f"{_DELEGATE}: VisitConv2DNode, CheckFilterAndBiasTypes",
        ),
        (
            "delegate-quantization",
            "the quantization of an operand is of a kind that XNNPACK does not take",
            f"{_DELEGATE}: CheckTensorFloat32OrQUInt8Type and its neighbours",
        ),
        (
            "delegate-rank",
            "an operand has more or fewer dimensions than XNNPACK takes, or an empty one",
            f"{_DELEGATE}: CheckTensorShape",
        ),
        (
            "delegate-constant",
            "an operand must be a constant and is computed",
            f"{_DELEGATE}: CheckTensorStaticAllocation",
        ),
        ("delegate-bias", "a convolution without a bias is not taken", f"{_DELEGATE}: Visit..."),
        (
            "delegate-activation",
            "the fused activation is none of NONE, RELU, RELU6, RELU_N1_TO_1",
            f"{_DELEGATE}: ConvertActivationToOutputRange",
        ),
        (
            "delegate-option",
            "an option of the operator has a value that XNNPACK does not take",
            f"{_DELEGATE}: Visit... of the operator",
        ),
        (
            "densify-kept",
            "a DENSIFY that an operator outside XNNPACK reads runs in TFLite and stays in memory",
            f"{_DELEGATE}: PrepareOpsToDelegate",
        ),
        (
            "hint-none",
            "a partition goes sparse only where one of its operators reads a DENSIFY",
            f"{_DELEGATE}: Subgraph::Create",
        ),
    ),
    Stage.DEFINE: (
        (
            "fold-densify",
            "a DENSIFY of a constant is unpacked at load time",
            f"{_DELEGATE}: PrepareOpsToDelegate",
        ),
        (
            "fold-dequantize",
            "a DEQUANTIZE of a constant is unpacked at load time",
            f"{_DELEGATE}: PrepareOpsToDelegate",
        ),
        (
            "define-fully-connected",
            "a 1x1 convolution without stride, padding or groups is run as fully connected",
            "src/subgraph/convolution-2d.c: xnn_define_convolution_2d",
        ),
        (
            "define-explicit-padding",
            "SAME becomes explicit padding where the stride is 1, and only there",
            "src/subgraph/convolution-2d.c: xnn_define_convolution_2d",
        ),
        (
            "define-clamp-pool",
            "a 1x1 pooling becomes a clamp",
            f"{_DELEGATE}: VisitAveragePool2DNode, VisitMaxPool2DNode",
        ),
    ),
    Stage.FUSE: (
        (
            "fuse-pad",
            "zeros padded onto H and W vanish in the one convolution that reads them",
            f"{_SUBGRAPH}: xnn_subgraph_fusion",
        ),
        (
            "fuse-clamp",
            "an activation vanishes in the operator before it",
            f"{_SUBGRAPH}: optimize_common_subgraphs_merge_clamps",
        ),
        (
            "elide-clamp",
            "a clamp without bounds vanishes",
            f"{_SUBGRAPH}: optimize_common_subgraphs_spurious_clamps",
        ),
        (
            "rewrite-square",
            "MUL of a value with itself becomes a square",
            f"{_SUBGRAPH}: optimize_common_subgraphs_mul_to_sqr",
        ),
        (
            "rewrite-clamp",
            "MINIMUM and MAXIMUM with a constant scalar become a clamp",
            f"{_SUBGRAPH}: optimize_common_subgraphs_min_max_to_clamp",
        ),
        (
            "rewrite-reduce-squared",
            "MEAN and SUM of a square become one operator",
            f"{_SUBGRAPH}: optimize_common_subgraphs_reduce_sum_to_square",
        ),
        (
            "merge-reshape",
            "a RESHAPE vanishes in the next one, or where it changes nothing",
            f"{_SUBGRAPH}: optimize_common_subgraphs_merge_reshapes",
        ),
        (
            "drop-transpose",
            "a TRANSPOSE of the last two dimensions vanishes in the matrix product after it",
            f"{_SUBGRAPH}: optimize_common_subgraphs_gemm_rhs_transpose",
        ),
        (
            "drop-unused",
            "an operator whose result nothing reads is dropped",
            f"{_SUBGRAPH}: xnn_subgraph_clean_up",
        ),
    ),
    Stage.ROLE: (
        ("role-operator", "the operator has no form for the sparse layout", _NCHW),
        ("role-type", "an operand is neither fp32 nor fp16", _NCHW),
        ("conv-groups", "a convolution with groups has no sparse form", _NCHW),
        ("conv-dilation", "a dilated convolution has no sparse form", _NCHW),
        ("conv-kernel", "only 1x1 and 3x3 convolutions have a sparse form", _NCHW),
        ("conv-pointwise-padding", "a 1x1 convolution must have no padding", _NCHW),
        ("conv-pointwise-stride", "a 1x1 convolution must have stride 1", _NCHW),
        ("conv-entry-padding", "a 3x3 entry must have padding 1 on all four sides", _NCHW),
        ("conv-entry-stride", "a 3x3 entry must have stride 2", _NCHW),
        ("conv-entry-channels", "a 3x3 entry must have 3 input channels", _NCHW),
        ("depthwise-dilation", "a dilated depthwise convolution has no sparse form", _NCHW),
        ("depthwise-same", "SAME with stride 2 has no sparse form, whatever the size", _NCHW),
        ("depthwise-multiplier", "the depth multiplier must be 1", _NCHW),
        (
            "depthwise-stride",
            "a depthwise stride must be 1 or 2, the same in both directions",
            _NCHW,
        ),
        ("depthwise-kernel", "a depthwise kernel must be 3x3 or 5x5", _NCHW),
        (
            "depthwise-padding",
            "a depthwise convolution must pad 1 (3x3) or 2 (5x5) on all four sides",
            _NCHW,
        ),
        ("binary-operator", "of binary operators only ADD and MUL have a sparse form", _NCHW),
        ("binary-rank", "both inputs of ADD and MUL must be 4-D", _NCHW),
        ("binary-constant", "a constant first input must vary along one dimension at most", _NCHW),
        (
            "binary-second-constant",
            "with a constant second input it is the first input that must not vary along two",
            _NCHW,
        ),
        ("unary-rank", "the input of an elementwise operator must be 4-D", _NCHW),
        ("resize-size", "the input of a bilinear resize must be higher and wider than 1", _NCHW),
        ("reduce-rank", "the input of MEAN and SUM must be 4-D", _NCHW),
    ),
    Stage.CLUSTER: (
        (
            "cluster-no-exit",
            "nothing happens in a partition unless an exit reads an operator with a sparse form",
            _REWRITE,
        ),
        ("cluster-input", "a member reads an input or output of the partition", _REWRITE),
        ("cluster-producer", "a member reads an operator that has no sparse form", _REWRITE),
        ("cluster-consumer", "a value of the cluster is read outside it", _REWRITE),
        ("cluster-output", "a value of the cluster is an output of the partition", _REWRITE),
        (
            "cluster-repeated",
            "a member reads the same value twice, which is counted wrongly",
            _REWRITE,
        ),
    ),
    Stage.PROFIT: (
        (
            "profit-zeros",
            "more than two thirds of the cluster's 1x1 weights must be zero",
            _REWRITE,
        ),
        (
            "target-dense",
            "on this hardware the sparse path is off",
            "src/xnnpack/hardware-config.h: xnn_is_chw_compatible_config",
        ),
    ),
    Stage.LAYOUT: (
        (
            "layout-nchw-read",
            "an operator that expects NHWC reads a value that lies in NCHW",
            _REWRITE,
        ),
        (
            "layout-nhwc-read",
            "an operator that expects NCHW reads a value that lies in NHWC",
            _REWRITE,
        ),
        (
            "layout-shape",
            "an operator is given another shape than the model says",
            "src/subgraph/static-reduce.c: reshape_reduce_operator",
        ),
        (
            "layout-axes",
            "a reduction runs along another axis than the model says",
            "src/subgraph/static-reduce.c: rewrite_reduction_axes_for_nchw",
        ),
        (
            "layout-all-axes",
            "a reduction over all four axes reads past the end of a table",
            "src/subgraph/static-reduce.c: rewrite_reduction_axes_for_nchw",
        ),
        (
            "layout-broadcast",
            "two operands no longer broadcast",
            "src/subgraph/binary.c: reshape_binary_operator",
        ),
        (
            "layout-channels",
            "the channels of an input no longer match the filter",
            "src/subgraph/fully-connected.c: reshape_fully_connected_operator",
        ),
        (
            "layout-elements",
            "the number of elements no longer matches a fixed shape",
            "src/subgraph/copy.c: resize_copy_output_tensor",
        ),
        (
            "layout-kernel",
            "no kernel exists for this operator in the sparse layout",
            "src/operators/convolution-nchw.c: select_convolution2d_ukernel",
        ),
        (
            "layout-output",
            "an output of the partition gets another shape than the model says",
            f"{_DELEGATE}: Subgraph::Prepare",
        ),
        (
            "layout-overflow",
            "a value is larger than the memory set aside for it",
            f"{_DELEGATE}: Subgraph::Prepare",
        ),
        (
            "filter-computed",
            "the zeros of a filter that is computed are counted all the same",
            _REWRITE,
        ),
        (
            "filter-type",
            "the zeros of a quantized filter are counted as though it were fp32",
            _REWRITE,
        ),
        (
            "weight-lost",
            "a DENSIFY behind which a DEQUANTIZE stays with TFLite is unpacked for XNNPACK alone",
            f"{_DELEGATE}: PrepareOpsToDelegate",
        ),
        (
            "filter-packed",
            "a sparse constant without DENSIFY is read as though it were dense",
            f"{_DELEGATE}: VisitNode; tflite/kernels: only densify.cc and fully_connected.cc ask",
        ),
        (
            "filter-unpacked",
            "a DENSIFY of int8 feeds an operator that reads the packed buffer",
            f"{_DELEGATE}: VisitFullyConnectedNode, VisitConv2DNode",
        ),
    ),
}

RULES: dict[str, Rule] = {
    code: Rule(code, stage, summary, source)
    for stage, rows in _ROWS.items()
    for code, summary, source in rows
}
"""All rules by their codes, in the order of the stages."""


def rule(code: str) -> Rule:
    """The rule of a code; every code that a plan mentions is registered."""
    return RULES[code]


def rules_table() -> str:
    """All rules as Markdown, a table for each stage: the reference in the documentation."""
    lines: list[str] = []
    for stage in Stage:
        lines += [f"### {stage.value}", "", "| rule | what it says | where |", "|---|---|---|"]
        lines += [
            f"| `{known.code}` | {known.summary} | {known.source} |"
            for known in RULES.values()
            if known.stage is stage
        ]
        lines.append("")
    return "\n".join(lines)
