"""The layout of what convolutions of all kinds make."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.explain.wording import value_title
from tflite_sparse.xnnpack.stages.kernels import is_sparse_kernel, nchw_kernel
from tflite_sparse.xnnpack.stages.layout.memory_layout import dims_text, nchw_order

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.graph import Node
    from tflite_sparse.xnnpack.stages.layout.memory_layout import MemoryLayout
    from tflite_sparse.xnnpack.stages.layout.tracker import LayoutTracker

__all__ = ["convolve"]

_RANK = 4


def convolve(tracker: LayoutTracker, node: Node) -> None:
    """Convolutions of all kinds, and what runs as fully connected."""
    source, result = node.inputs[0], node.outputs[0]
    layout = tracker.layout_of(source)
    if result.nchw:
        if nchw_kernel(node) is None:
            tracker.stop("layout-kernel", node, "has no kernel for the sparse layout")
        if len(layout.shape) != _RANK:
            tracker.stop(
                "layout-shape",
                node,
                f"gets {value_title(source)} with {len(layout.shape)} dimensions",
                found=layout.shape,
                wanted="4 dimensions",
            )
        _check_bias(tracker, node)
        tracker.expect(node, source, nchw=source.nchw)
        # Kernels of the sparse layout know their channels and never look.
        tracker.expect_shape(node, source, 3)
        shape = _window(tracker, node, layout.shape, result.shape[3])
        tracker.put(result, shape, nchw_order(result.shape))
        return
    channels = node.inputs[1].shape[-1] if node.kind == "fully_connected" else source.shape[-1]
    if node.numbers and not tracker.runtime.reshapes_for_fully_connected:
        _flatten(tracker, node, layout, channels)
        return
    if not layout.shape or layout.shape[-1] != channels:
        if not tracker.runtime.checks_channels:
            tracker.wrong(
                "layout-channels",
                node,
                f"gets {value_title(source)} as {dims_text(layout.shape)} and reads it as "
                f"{channels} channels",
                found=layout.shape[-1:],
                wanted=channels,
            )
            tracker.put(result, result.shape)
            return
        tracker.stop(
            "layout-channels",
            node,
            f"gets {value_title(source)} as {dims_text(layout.shape)}; its filter takes "
            f"{channels} channels",
            found=layout.shape[-1:],
            wanted=channels,
        )
    tracker.expect(node, source, nchw=False)
    tracker.expect_shape(node, source)
    if node.kind == "fully_connected":
        tracker.put(result, (*layout.shape[:-1], result.shape[-1]))
    else:
        tracker.put(result, _window(tracker, node, layout.shape, result.shape[3]))


def _check_bias(tracker: LayoutTracker, node: Node) -> None:
    """The sparse kernels of some releases read a bias as though it had the type of the filter."""
    if not tracker.runtime.half_filter_needs_half_bias or not is_sparse_kernel(node):
        return
    kinds = [value.type for value in node.inputs[1:]]
    if kinds == ["f16", "f32"]:
        tracker.wrong(
            "delegate-mixed-types",
            node,
            "has a filter of FLOAT16 and a bias of FLOAT32, which the sparse kernel takes for one"
            " of FLOAT16",
            found="FLOAT32",
            wanted="FLOAT16",
        )


def _flatten(tracker: LayoutTracker, node: Node, layout: MemoryLayout, channels: int) -> None:
    """FULLY_CONNECTED that makes rows of its input itself, of whatever it takes for its shape."""
    source, result = node.inputs[0], node.outputs[0]
    tracker.expect(node, source, nchw=False)
    rows = math.prod(layout.shape) // max(channels, 1)
    if rows * channels != source.size:
        tracker.wrong(
            "layout-elements",
            node,
            f"gets {value_title(source)} as {dims_text(layout.shape)}, which are {rows} rows of "
            f"{channels}",
            found=layout.shape,
            wanted=source.shape,
        )
    tracker.put(result, result.shape)


def _window(
    tracker: LayoutTracker, node: Node, shape: tuple[int, ...], channels: int
) -> tuple[int, ...]:
    window = node.window
    if window is None or node.kind == "fully_connected":
        return (*shape[:3], channels)
    top, right, bottom, left = window.padding
    sizes = []
    for axis, pads in enumerate((top + bottom, left + right)):
        size, step = shape[axis + 1], window.stride[axis]
        reach = (window.kernel[axis] - 1) * window.dilation[axis] + 1
        if window.same:
            sizes.append(-(-size // step))
        elif size + pads < reach:
            tracker.stop(
                "layout-shape",
                node,
                f"gets a map of {dims_text(shape)}, smaller than its kernel",
                found=shape,
                wanted="a larger map",
            )
        else:
            sizes.append((size + pads - reach) // step + 1)
    return (shape[0], *sizes, channels)
