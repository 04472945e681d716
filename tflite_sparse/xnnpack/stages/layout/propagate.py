"""The layout stage: how values are really laid out in memory, and who reads them as something else.

The runtime marks values for the sparse layout and never checks that their readers know about it.
This follows every value of a partition through reshaping and running: the shape that the runtime
assumes, and the order in which the numbers are really stored. Where the two differ from what the
model states, the model fails to load, aborts or computes wrong numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.stages.layout.operators import HANDLERS, unaware
from tflite_sparse.xnnpack.stages.layout.partition_outputs import output_failures
from tflite_sparse.xnnpack.stages.layout.tracker import LayoutTracker, StopError

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.graph import Graph
    from tflite_sparse.xnnpack.plan_types import Failure

__all__ = ["layout_failures"]


def layout_failures(graph: Graph) -> list[Failure]:
    """Follows the values of a partition; what goes wrong, first things first.

    Nothing is followed beyond a failure to load.

    Args:
        graph: a partition in which values have been marked for the sparse layout.
    """
    tracker = LayoutTracker(graph.runtime)
    if not any(value.nchw for value in graph.values):
        return tracker.failures
    inside = {node.operator.index for node in graph.nodes}
    try:
        for node in graph.nodes:
            HANDLERS.get(node.kind, unaware)(tracker, node)
        for value in graph.values:
            if value.is_output and value.producer is not None:
                layout = tracker.layout_of(value)
                tracker.failures += output_failures(value, value.producer, layout, inside)
    except StopError:
        pass
    return tracker.failures
