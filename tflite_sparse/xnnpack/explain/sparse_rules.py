"""The rules by which a partition runs sparse: roles, clusters, zeros, and the layout of values."""

from __future__ import annotations

from tflite_sparse.xnnpack.explain.runtime_rule import Row, Stage

__all__ = ["SPARSE_RULES"]

_DELEGATE = "tflite/delegates/xnnpack/xnnpack_delegate.cc"
_NCHW = "src/subgraph.c: xnn_check_nchw_compatibility"
_REWRITE = "src/subgraph.c: xnn_subgraph_rewrite_for_nchw"

SPARSE_RULES: dict[Stage, tuple[Row, ...]] = {
    Stage.ROLE: (
        ("role-operator", "the operator has no form for the sparse layout", _NCHW, "TFS303"),
        ("role-type", "an operand is neither fp32 nor fp16", _NCHW, "TFS310"),
        ("conv-groups", "a convolution with groups has no sparse form", _NCHW, "TFS303"),
        ("conv-dilation", "a dilated convolution has no sparse form", _NCHW, "TFS303"),
        ("conv-kernel", "only 1x1 and 3x3 convolutions have a sparse form", _NCHW, "TFS303"),
        ("conv-pointwise-padding", "a 1x1 convolution must have no padding", _NCHW, "TFS303"),
        ("conv-pointwise-stride", "a 1x1 convolution must have stride 1", _NCHW, "TFS303"),
        (
            "conv-entry-padding",
            "a 3x3 entry must have padding 1 on all four sides",
            _NCHW,
            "TFS301",
        ),
        ("conv-entry-stride", "a 3x3 entry must have stride 2", _NCHW, "TFS301"),
        ("conv-entry-channels", "a 3x3 entry must have 3 input channels", _NCHW, "TFS301"),
        (
            "depthwise-dilation",
            "a dilated depthwise convolution has no sparse form",
            _NCHW,
            "TFS302",
        ),
        (
            "depthwise-same",
            "SAME with stride 2 has no sparse form, whatever the size",
            _NCHW,
            "TFS302",
        ),
        ("depthwise-multiplier", "the depth multiplier must be 1", _NCHW, "TFS302"),
        (
            "depthwise-stride",
            "a depthwise stride must be 1 or 2, the same in both directions",
            _NCHW,
            "TFS302",
        ),
        ("depthwise-kernel", "a depthwise kernel must be 3x3 or 5x5", _NCHW, "TFS302"),
        (
            "depthwise-padding",
            "a depthwise convolution must pad 1 (3x3) or 2 (5x5) on all four sides",
            _NCHW,
            "TFS302",
        ),
        (
            "binary-operator",
            "of binary operators only ADD and MUL have a sparse form",
            _NCHW,
            "TFS303",
        ),
        ("binary-rank", "both inputs of ADD and MUL must be 4-D", _NCHW, "TFS303"),
        (
            "binary-constant",
            "a constant first input must vary along one dimension at most",
            _NCHW,
            "TFS304",
        ),
        (
            "binary-second-constant",
            "with a constant second input it is the first input that must not vary along two",
            _NCHW,
            "TFS304",
        ),
        ("unary-rank", "the input of an elementwise operator must be 4-D", _NCHW, "TFS303"),
        (
            "resize-size",
            "the input of a bilinear resize must be higher and wider than 1",
            _NCHW,
            "TFS303",
        ),
        ("reduce-rank", "the input of MEAN and SUM must be 4-D", _NCHW, "TFS303"),
    ),
    Stage.CLUSTER: (
        (
            "cluster-no-exit",
            "nothing happens in a partition unless an exit reads an operator with a sparse form",
            _REWRITE,
            "TFS306",
        ),
        ("cluster-input", "a member reads an input or output of the partition", _REWRITE, "TFS307"),
        (
            "cluster-producer",
            "a member reads an operator that has no sparse form",
            _REWRITE,
            "TFS307",
        ),
        ("cluster-consumer", "a value of the cluster is read outside it", _REWRITE, "TFS305"),
        (
            "cluster-output",
            "a value of the cluster is an output of the partition",
            _REWRITE,
            "TFS305",
        ),
        (
            "cluster-repeated",
            "a member reads the same value twice, which is counted wrongly",
            _REWRITE,
            "TFS305",
        ),
    ),
    Stage.PROFIT: (
        (
            "profit-zeros",
            "more than two thirds of the cluster's 1x1 weights must be zero",
            _REWRITE,
            "TFS308",
        ),
        (
            "target-dense",
            "on this hardware the sparse path is off",
            "src/xnnpack/hardware-config.h: xnn_is_chw_compatible_config",
            "TFS312",
        ),
    ),
    Stage.LAYOUT: (
        (
            "layout-nchw-read",
            "an operator that expects NHWC reads a value that lies in NCHW",
            _REWRITE,
            "TFS201",
        ),
        (
            "layout-nhwc-read",
            "an operator that expects NCHW reads a value that lies in NHWC",
            _REWRITE,
            "TFS201",
        ),
        (
            "layout-shape",
            "an operator is given another shape than the model says",
            "src/subgraph/static-reduce.c: reshape_reduce_operator",
            "TFS202",
        ),
        (
            "layout-axes",
            "a reduction runs along another axis than the model says",
            "src/subgraph/static-reduce.c: rewrite_reduction_axes_for_nchw",
            "TFS203",
        ),
        (
            "layout-all-axes",
            "a reduction over all four axes reads past the end of a table",
            "src/subgraph/static-reduce.c: rewrite_reduction_axes_for_nchw",
            "TFS204",
        ),
        (
            "layout-broadcast",
            "two operands no longer broadcast",
            "src/subgraph/binary.c: reshape_binary_operator",
            "TFS202",
        ),
        (
            "layout-channels",
            "the channels of an input no longer match the filter",
            "src/subgraph/fully-connected.c: reshape_fully_connected_operator",
            "TFS202",
        ),
        (
            "layout-elements",
            "the number of elements no longer matches a fixed shape",
            "src/subgraph/copy.c: resize_copy_output_tensor",
            "TFS202",
        ),
        (
            "layout-kernel",
            "no kernel exists for this operator in the sparse layout",
            "src/operators/convolution-nchw.c: select_convolution2d_ukernel",
            "TFS209",
        ),
        (
            "layout-output-shape",
            "an output of the model gets another shape than the model says; its numbers are right",
            f"{_DELEGATE}: Subgraph::Prepare",
            "TFS212",
        ),
        (
            "layout-output",
            "a value that is read outside the partition gets another shape than the model says",
            f"{_DELEGATE}: Subgraph::Prepare",
            "TFS202",
        ),
        (
            "layout-overflow",
            "a value is larger than the memory set aside for it",
            f"{_DELEGATE}: Subgraph::Prepare",
            "TFS204",
        ),
        (
            "filter-computed",
            "the zeros of a filter that is computed are counted all the same",
            _REWRITE,
            "TFS209",
        ),
        (
            "filter-type",
            "the zeros of a quantized filter are counted as though it were fp32",
            _REWRITE,
            "TFS209",
        ),
        (
            "weight-lost",
            "a DENSIFY behind which a DEQUANTIZE stays with TFLite is unpacked for XNNPACK alone",
            f"{_DELEGATE}: PrepareOpsToDelegate",
            "TFS207",
        ),
        (
            "filter-packed",
            "a sparse constant without DENSIFY is read as though it were dense",
            f"{_DELEGATE}: VisitNode; tflite/kernels: only densify.cc and fully_connected.cc ask",
            "TFS205",
        ),
        (
            "filter-unpacked",
            "a DENSIFY of int8 feeds an operator that reads the packed buffer",
            f"{_DELEGATE}: VisitFullyConnectedNode, VisitConv2DNode",
            "TFS206",
        ),
    ),
}
