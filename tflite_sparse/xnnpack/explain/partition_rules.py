"""The rules by which the runtime forms partitions: what XNNPACK takes, defines and fuses."""

from __future__ import annotations

from tflite_sparse.xnnpack.explain.runtime_rule import Expected, Row, Stage

__all__ = ["PARTITION_RULES"]

_DELEGATE = "tflite/delegates/xnnpack/xnnpack_delegate.cc"
_SUBGRAPH = "src/subgraph.c"
_STEP = Expected("the runtime computes the same in another way")

PARTITION_RULES: dict[Stage, tuple[Row, ...]] = {
    Stage.DELEGATE: (
        (
            "custom-operator",
            "XNNPACK does not take a custom operator, and LiteRT has no kernel of that name",
            "tflite/core/kernels/register.cc: BuiltinOpResolver",
            "TFS210",
        ),
        (
            "operands-rejected",
            "the kernels of an operator refuse the sizes of its operands",
            "tflite/kernels/*.cc: Prepare",
            "TFS211",
        ),
        (
            "no-bias",
            "the kernel of a convolution without a bias does not start",
            "tflite/kernels/conv.cc, depthwise_conv.cc: Prepare",
            "TFS214",
        ),
        (
            "no-bias-crash",
            "the kernel of a depthwise convolution reads the bias that the operator lacks",
            "tflite/kernels/depthwise_conv.cc: EvalFloat",
            "TFS214",
        ),
        (
            "no-options-crash",
            "the kernel of a custom operator reads the options that it lacks",
            "tflite/kernels/detection_postprocess.cc, audio_spectrogram.cc, mfcc.cc: Init",
            "TFS209",
        ),
        (
            "delegate-operator",
            "XNNPACK takes no operator of this kind",
            f"{_DELEGATE}: VisitNode",
            "TFS311",
        ),
        (
            "delegate-version",
            "FULLY_CONNECTED of version 8 reads its sparse filter itself and is left to TFLite",
            f"{_DELEGATE}: VisitNode",
            "TFS311",
        ),
        (
            "delegate-operands",
            "the operator has more or fewer operands than XNNPACK takes",
            f"{_DELEGATE}: CheckNumInputsAndOutputs",
            "TFS311",
        ),
        (
            "delegate-type",
            "XNNPACK does not take an operand of this type",
            f"{_DELEGATE}: CheckTensorFloatType and its neighbours",
            "TFS311",
        ),
        (
            "delegate-mixed-types",
            "operands have types that XNNPACK does not take together",
            f"{_DELEGATE}: VisitConv2DNode, CheckFilterAndBiasTypes",
            "TFS311",
        ),
        (
            "delegate-quantization",
            "the quantization of an operand is of a kind that XNNPACK does not take",
            f"{_DELEGATE}: CheckTensorFloat32OrQUInt8Type and its neighbours",
            "TFS311",
        ),
        (
            "delegate-rank",
            "an operand has more or fewer dimensions than XNNPACK takes, or an empty one",
            f"{_DELEGATE}: CheckTensorShape",
            "TFS311",
        ),
        (
            "delegate-constant",
            "an operand must be a constant and is computed",
            f"{_DELEGATE}: CheckTensorStaticAllocation",
            "TFS311",
        ),
        (
            "delegate-bias",
            "a convolution without a bias is not taken",
            f"{_DELEGATE}: Visit...",
            "TFS311",
        ),
        (
            "delegate-activation",
            "the fused activation is none of NONE, RELU, RELU6, RELU_N1_TO_1",
            f"{_DELEGATE}: ConvertActivationToOutputRange",
            "TFS311",
        ),
        (
            "delegate-option",
            "an option of the operator has a value that XNNPACK does not take",
            f"{_DELEGATE}: Visit... of the operator",
            "TFS311",
        ),
        (
            "delegate-variable",
            "no operator of XNNPACK uses the variable, or not with this type, shape and handle",
            f"{_DELEGATE}: ResourceInfo",
            "TFS311",
        ),
        (
            "densify-kept",
            "a DENSIFY that an operator outside XNNPACK reads runs in TFLite and stays in memory",
            f"{_DELEGATE}: PrepareOpsToDelegate",
            "TFS504",
        ),
        (
            "hint-none",
            "a partition goes sparse only where one of its operators reads a DENSIFY",
            f"{_DELEGATE}: Subgraph::Create",
            "TFS309",
        ),
    ),
    Stage.DEFINE: (
        (
            "fold-densify",
            "a DENSIFY of a constant is unpacked at load time",
            f"{_DELEGATE}: PrepareOpsToDelegate",
            _STEP,
        ),
        (
            "fold-dequantize",
            "a DEQUANTIZE of a constant is unpacked at load time",
            f"{_DELEGATE}: PrepareOpsToDelegate",
            _STEP,
        ),
        (
            "define-fully-connected",
            "a 1x1 convolution without stride, padding or groups is run as fully connected",
            "src/subgraph/convolution-2d.c: xnn_define_convolution_2d",
            _STEP,
        ),
        (
            "define-explicit-padding",
            "SAME becomes explicit padding where the stride is 1, and only there",
            "src/subgraph/convolution-2d.c: xnn_define_convolution_2d",
            _STEP,
        ),
        (
            "define-clamp-pool",
            "a 1x1 pooling becomes a clamp",
            f"{_DELEGATE}: VisitAveragePool2DNode, VisitMaxPool2DNode",
            _STEP,
        ),
    ),
    Stage.FUSE: (
        (
            "fuse-pad",
            "zeros padded onto H and W vanish in the one convolution that reads them",
            f"{_SUBGRAPH}: xnn_subgraph_fusion",
            _STEP,
        ),
        (
            "fuse-copy",
            "a copy is left out where what it reads, or what it writes, is of no use elsewhere",
            f"{_SUBGRAPH}: xnn_subgraph_fusion",
            _STEP,
        ),
        (
            "fuse-clamp",
            "an activation vanishes in the operator before it",
            f"{_SUBGRAPH}: optimize_common_subgraphs_merge_clamps",
            _STEP,
        ),
        (
            "elide-clamp",
            "a clamp without bounds vanishes",
            f"{_SUBGRAPH}: optimize_common_subgraphs_spurious_clamps",
            _STEP,
        ),
        (
            "rewrite-square",
            "MUL of a value with itself becomes a square",
            f"{_SUBGRAPH}: optimize_common_subgraphs_mul_to_sqr",
            _STEP,
        ),
        (
            "rewrite-clamp",
            "MINIMUM and MAXIMUM with a constant scalar become a clamp",
            f"{_SUBGRAPH}: optimize_common_subgraphs_min_max_to_clamp",
            _STEP,
        ),
        (
            "rewrite-reduce-squared",
            "MEAN and SUM of a square become one operator",
            f"{_SUBGRAPH}: optimize_common_subgraphs_reduce_sum_to_square",
            _STEP,
        ),
        (
            "merge-reshape",
            "a RESHAPE vanishes in the next one, or where it changes nothing",
            f"{_SUBGRAPH}: optimize_common_subgraphs_merge_reshapes",
            _STEP,
        ),
        (
            "drop-transpose",
            "a TRANSPOSE of the last two dimensions vanishes in the matrix product after it",
            f"{_SUBGRAPH}: optimize_common_subgraphs_gemm_rhs_transpose",
            _STEP,
        ),
        (
            "drop-unused",
            "an operator whose result nothing reads is dropped",
            f"{_SUBGRAPH}: xnn_subgraph_clean_up",
            "TFS408",
        ),
    ),
}
