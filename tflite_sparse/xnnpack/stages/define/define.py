"""The define stage: the nodes that each operator of a partition turns into.

Sources: tflite/delegates/xnnpack/xnnpack_delegate.cc, Subgraph::Create and the Visit... functions;
XNNPACK src/subgraph/*.c, the define functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.stages.define.node_builder import NodeBuilder
from tflite_sparse.xnnpack.stages.define.operators import DEFINE

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.graph import Graph
    from tflite_sparse.xnnpack.releases.runtimes import Runtime
    from tflite_sparse.xnnpack.stages.delegate.delegate import Delegation
    from tflite_sparse.xnnpack.stages.delegate.partition import Run

__all__ = ["define"]


def define(run: Run, delegation: Delegation, runtime: Runtime, *, fp16: bool = False) -> Graph:
    """Builds the graph of a partition.

    Args:
        run: the partition.
        delegation: what the delegate stage decided.
        runtime: the release of the runtime.
        fp16: whether arithmetic is done in half precision: values in between are then fp16, and
            inputs and outputs of the partition are converted.
    """
    builder = NodeBuilder(run, delegation, fp16=fp16, runtime=runtime)
    builder.convert_inputs()
    for op in run.operators:
        if op.index not in delegation.unpacking:
            DEFINE[op.custom_code or op.name](builder, op)
    builder.convert_outputs()
    graph = builder.graph
    # External values come first, then the other tensors, then those that were inserted.
    graph.values.sort(
        key=lambda v: (
            v.tensor is None,
            not (v.is_input or v.is_output),
            v.number if v.tensor is None else v.tensor.index,
        )
    )
    for number, value in enumerate(graph.values):
        value.number = number
    graph.link()
    return graph
