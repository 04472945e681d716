"""The layout that each kind of node makes: one function for each kind, in a table.

Sources: the reshape functions in XNNPACK src/subgraph/*.c.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.explain.wording import value_title
from tflite_sparse.xnnpack.stages.layout.convolutions import convolve
from tflite_sparse.xnnpack.stages.layout.memory_layout import (
    broadcast,
    dims_text,
    joint_order,
    nchw_order,
    permuted,
    renumbered,
)
from tflite_sparse.xnnpack.stages.layout.reduction import Reduced, reduce_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.xnnpack.graph import Node
    from tflite_sparse.xnnpack.stages.layout.tracker import LayoutTracker

__all__ = ["HANDLERS", "unaware"]

_RANK = 4


def _unary(tracker: LayoutTracker, node: Node) -> None:
    """Elementwise operators take numbers as they are stored."""
    layout = tracker.layout_of(node.inputs[0])
    tracker.put(node.outputs[0], layout.shape, layout.order)


def _binary(tracker: LayoutTracker, node: Node) -> None:
    """Elementwise operators with two inputs: both must be stored alike, and broadcast alike."""
    result = node.outputs[0]
    first, second = (tracker.layout_of(v) for v in node.inputs)
    shape = broadcast(first.shape, second.shape)
    inner = broadcast(
        permuted(first.shape, nchw=result.nchw), permuted(second.shape, nchw=result.nchw)
    )
    if shape is None or inner is None:
        tracker.stop(
            "layout-broadcast",
            node,
            f"gets {dims_text(first.shape)} and {dims_text(second.shape)}, which do not go "
            "together in the sparse layout",
            found=(first.shape, second.shape),
            wanted=(first.model_shape, second.model_shape),
        )
    order = joint_order(first, second, nchw=result.nchw, rank=len(result.shape))
    if order is None:
        code = "layout-nchw-read" if first.is_plain != second.is_plain else "layout-shape"
        tracker.wrong(
            code,
            node,
            "gets two inputs that lie differently in memory",
            found=(first.order, second.order),
            wanted="the same order",
        )
    tracker.put(result, shape, order)


def _resize(tracker: LayoutTracker, node: Node) -> None:
    """Bilinear resizing, in the layout in which its input is marked."""
    source, result = node.inputs[0], node.outputs[0]
    tracker.expect(node, source, nchw=source.nchw)
    tracker.expect_shape(node, source)
    layout = tracker.layout_of(source)
    shape = (layout.shape[0], *result.shape[1:3], layout.shape[3])
    tracker.put(result, shape, nchw_order(result.shape) if source.nchw else None)


def _reduce(tracker: LayoutTracker, node: Node) -> None:
    """MEAN and SUM, whose axes the runtime rewrites for the sparse layout."""
    source, result = node.inputs[0], node.outputs[0]
    layout = tracker.layout_of(source)
    if not source.nchw or len(layout.shape) != _RANK or node.reduction is None:
        tracker.expect(node, source, nchw=False)
        tracker.expect_shape(node, source)
        tracker.put(result, result.shape)
        return
    tracker.expect(node, source, nchw=True)
    tracker.expect_shape(node, source)
    if not tracker.runtime.sparse_reductions:
        # The global pooling that there was knows its output's shape.
        tracker.put(result, result.shape)
        return
    reduced = reduce_shape(layout.shape, node.reduction, output_nchw=result.nchw)
    if reduced is None:
        tracker.stop(
            "layout-all-axes",
            node,
            "reduces along all four axes",
            outcome=tracker.runtime.all_axes,
            found=node.reduction.axes,
            wanted="(1, 2)",
        )
    _reduced(tracker, node, reduced)


def _reduced(tracker: LayoutTracker, node: Node, reduced: Reduced) -> None:
    result = node.outputs[0]
    if reduced.order is None:
        tracker.wrong(
            "layout-axes",
            node,
            "reduces along other axes than the model says",
            found=reduced.positions,
            wanted=node.reduction and node.reduction.axes,
        )
        order = None
    else:
        kept = [a for a in reduced.order if tracker.layout_of(node.inputs[0]).model_shape[a] != 1]
        order = tuple(renumbered(a, node) for a in kept)
    tracker.put(result, reduced.shape, order)


def _depth_to_space(tracker: LayoutTracker, node: Node) -> None:
    """The operator that knows how to leave the sparse layout."""
    source = node.inputs[0]
    tracker.expect(node, source, nchw=source.nchw)
    tracker.expect_shape(node, source)
    tracker.put(node.outputs[0], node.outputs[0].shape)


def _reshape(tracker: LayoutTracker, node: Node) -> None:
    """RESHAPE copies memory; the number of elements must fit."""
    source, result = node.inputs[0], node.outputs[0]
    layout = tracker.layout_of(source)
    count, fixed = math.prod(layout.shape), math.prod(n for n in node.numbers if n)
    gap = 0 in node.numbers
    if count % max(fixed, 1) if gap else count != fixed:
        tracker.stop(
            "layout-elements",
            node,
            f"gets {value_title(source)} with {count} elements for {dims_text(node.numbers)}",
            found=count,
            wanted=fixed,
        )
    tracker.expect(node, source, nchw=False)
    rest = count // max(fixed, 1)
    tracker.put(result, tuple(n or rest for n in node.numbers))


def _softmax(tracker: LayoutTracker, node: Node) -> None:
    """SOFTMAX runs along the last dimension that the runtime assumes."""
    source = node.inputs[0]
    tracker.expect(node, source, nchw=False)
    tracker.expect_shape(node, source)
    tracker.put(node.outputs[0], tracker.layout_of(source).shape)


def _concatenate(tracker: LayoutTracker, node: Node) -> None:
    """CONCATENATION: all inputs agree in all dimensions but one."""
    axis = node.numbers[0] % max(len(node.outputs[0].shape), 1)
    shapes = [tracker.layout_of(value).shape for value in node.inputs]
    others = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    if len(others) > 1:
        tracker.stop(
            "layout-shape",
            node,
            "gets inputs that no longer fit together",
            found=shapes,
            wanted=[value.shape for value in node.inputs],
        )
    unaware(tracker, node)
    total = sum(shape[axis] for shape in shapes)
    tracker.put(node.outputs[0], (*shapes[0][:axis], total, *shapes[0][axis + 1 :]))


def unaware(tracker: LayoutTracker, node: Node) -> None:
    """Any other operator: it knows channels last only."""
    for value in node.reads:
        tracker.expect(node, value, nchw=False)
        tracker.expect_shape(node, value)
    for value in node.outputs:
        tracker.put(value, value.shape)


HANDLERS: dict[str, Callable[[LayoutTracker, Node], None]] = {
    "convolution": convolve,
    "depthwise": convolve,
    "fully_connected": convolve,
    "unary": _unary,
    "copy": _unary,
    "binary": _binary,
    "resize": _resize,
    "reduce": _reduce,
    "depth_to_space": _depth_to_space,
    "reshape": _reshape,
    "softmax": _softmax,
    "concatenate": _concatenate,
}
"""What works out the layout that each kind of node makes; `unaware` stands for all others."""
