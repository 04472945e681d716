"""The layout stage: how values really lie in memory, and who reads them as something else.

The runtime marks values to lie in the sparse layout and never checks that whoever reads them knows.
This follows every value of a partition through reshaping and running: the shape that the runtime
believes in, and the order in which the numbers really lie. Where the two part from what the model
says, the model fails to load, aborts or computes wrong numbers.

Sources: the reshape functions in XNNPACK src/subgraph/*.c.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.explain.wording import reason, value_title
from tflite_sparse.xnnpack.plan_types import Failure, Outcome
from tflite_sparse.xnnpack.stages.kernels import nchw_kernel
from tflite_sparse.xnnpack.stages.layout.memory_layout import (
    Lying,
    broadcast,
    dims_text,
    joint_order,
    nchw_order,
    permuted,
    plain_order,
    renumbered,
)
from tflite_sparse.xnnpack.stages.layout.partition_outputs import handed_out
from tflite_sparse.xnnpack.stages.layout.reduction import Reduced, reduce_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.xnnpack.graph import Graph, Node, Value

__all__ = ["follow"]

_RANK = 4


def follow(graph: Graph) -> tuple[Failure, ...]:
    """Follows the values of a partition; what goes wrong, first things first.

    Nothing is followed beyond a failure to load.

    Args:
        graph: a partition in which values have been marked to lie in the sparse layout.
    """
    if not any(value.nchw for value in graph.values):
        return ()
    return tuple(_Follower(graph).failures())


class _StopError(Exception):
    """The model does not load; nothing comes after."""


class _Follower:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._lying: dict[int, Lying] = {}
        self._failures: list[Failure] = []

    def failures(self) -> list[Failure]:
        """All failures."""
        try:
            for node in self._graph.nodes:
                handler = _HANDLERS.get(node.kind, _Follower.unaware)
                handler(self, node)
            for value in self._graph.values:
                if value.is_output and value.producer is not None:
                    self._failures += handed_out(value, value.producer, self.at(value))
        except _StopError:
            pass
        return self._failures

    def at(self, value: Value) -> Lying:
        """How a value lies; constants and inputs lie as the model says."""
        known = self._lying.get(id(value))
        return known or Lying(value.shape, value.shape, plain_order(value.shape))

    def put(
        self, value: Value, shape: tuple[int, ...], order: tuple[int, ...] | None = None
    ) -> None:
        """Notes how a value lies; plain where no order is given."""
        order = plain_order(value.shape) if order is None else order
        self._lying[id(value)] = Lying(shape, value.shape, order)

    def wrong(
        self, code: str, node: Node, sentence: str, *, found: object = "", wanted: object = ""
    ) -> None:
        """Notes wrong numbers."""
        why = reason(code, node.operator, sentence, operand="input", found=found, wanted=wanted)
        self._failures.append(Failure(Outcome.WRONG_NUMBERS, why))

    def stop(
        self,
        code: str,
        node: Node,
        sentence: str,
        *,
        outcome: Outcome = Outcome.LOAD_FAILURE,
        found: object = "",
        wanted: object = "",
    ) -> None:
        """Notes a failure after which nothing comes."""
        why = reason(code, node.operator, sentence, operand="input", found=found, wanted=wanted)
        self._failures.append(Failure(outcome, why))
        raise _StopError

    def expect(self, node: Node, value: Value, *, nchw: bool) -> None:
        """The value lies as the node reads it."""
        lying = self.at(value)
        fits = lying.is_nchw if nchw else lying.is_plain
        if not fits:
            code = "layout-nhwc-read" if nchw else "layout-nchw-read"
            reads, lies = ("NCHW", "NHWC") if nchw else ("NHWC", "NCHW")
            self.wrong(
                code,
                node,
                f"reads {value_title(value)} as {reads}, but it lies in {lies}",
                found=lies,
                wanted=reads,
            )

    def expect_shape(self, node: Node, value: Value, dims: int | None = None) -> None:
        """The runtime believes in the shape that the model says, in its first dimensions."""
        lying = self.at(value)
        if lying.shape[:dims] != lying.true[:dims]:
            self.wrong(
                "layout-shape",
                node,
                f"gets {value_title(value)} as {lying.difference}",
                found=lying.shape,
                wanted=lying.true,
            )

    def convolve(self, node: Node) -> None:
        """Convolutions of all kinds, and what runs as fully connected."""
        source, result = node.inputs[0], node.outputs[0]
        lying = self.at(source)
        if result.nchw:
            if nchw_kernel(node) is None:
                self.stop("layout-kernel", node, "has no kernel for the sparse layout")
            if len(lying.shape) != _RANK:
                self.stop(
                    "layout-shape",
                    node,
                    f"gets {value_title(source)} with {len(lying.shape)} dimensions",
                    found=lying.shape,
                    wanted="4 dimensions",
                )
            self.expect(node, source, nchw=source.nchw)
            # Kernels of the sparse layout know their channels and never look.
            self.expect_shape(node, source, 3)
            shape = self._window(node, lying.shape, result.shape[3])
            self.put(result, shape, nchw_order(result.shape))
            return
        channels = node.inputs[1].shape[-1] if node.kind == "fully_connected" else source.shape[-1]
        if not lying.shape or lying.shape[-1] != channels:
            self.stop(
                "layout-channels",
                node,
                f"gets {value_title(source)} as {dims_text(lying.shape)}; its filter takes "
                f"{channels} channels",
                found=lying.shape[-1:],
                wanted=channels,
            )
        self.expect(node, source, nchw=False)
        self.expect_shape(node, source)
        if node.kind == "fully_connected":
            self.put(result, (*lying.shape[:-1], result.shape[-1]))
        else:
            self.put(result, self._window(node, lying.shape, result.shape[3]))

    def _window(self, node: Node, shape: tuple[int, ...], channels: int) -> tuple[int, ...]:
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
                self.stop(
                    "layout-shape",
                    node,
                    f"gets a map of {dims_text(shape)}, smaller than its kernel",
                    found=shape,
                    wanted="a larger map",
                )
            else:
                sizes.append((size + pads - reach) // step + 1)
        return (shape[0], *sizes, channels)

    def unary(self, node: Node) -> None:
        """Elementwise operators take numbers as they lie."""
        lying = self.at(node.inputs[0])
        self.put(node.outputs[0], lying.shape, lying.order)

    def binary(self, node: Node) -> None:
        """Elementwise operators with two inputs: both must lie alike, and broadcast alike."""
        result = node.outputs[0]
        first, second = (self.at(v) for v in node.inputs)
        shape = broadcast(first.shape, second.shape)
        inner = broadcast(
            permuted(first.shape, nchw=result.nchw), permuted(second.shape, nchw=result.nchw)
        )
        if shape is None or inner is None:
            self.stop(
                "layout-broadcast",
                node,
                f"gets {dims_text(first.shape)} and {dims_text(second.shape)}, which do not go "
                "together in the sparse layout",
                found=(first.shape, second.shape),
                wanted=(first.true, second.true),
            )
            return
        order = joint_order(first, second, nchw=result.nchw, rank=len(result.shape))
        if order is None:
            code = "layout-nchw-read" if first.is_plain != second.is_plain else "layout-shape"
            self.wrong(
                code,
                node,
                "gets two inputs that lie differently in memory",
                found=(first.order, second.order),
                wanted="the same order",
            )
        self.put(result, shape, order)

    def resize(self, node: Node) -> None:
        """Bilinear resizing, in the layout in which its input is marked."""
        source, result = node.inputs[0], node.outputs[0]
        self.expect(node, source, nchw=source.nchw)
        self.expect_shape(node, source)
        lying = self.at(source)
        shape = (lying.shape[0], *result.shape[1:3], lying.shape[3])
        self.put(result, shape, nchw_order(result.shape) if source.nchw else None)

    def reduce(self, node: Node) -> None:
        """MEAN and SUM, whose axes the runtime rewrites for the sparse layout."""
        source, result = node.inputs[0], node.outputs[0]
        lying = self.at(source)
        if not source.nchw or len(lying.shape) != _RANK or node.reduction is None:
            self.expect(node, source, nchw=False)
            self.expect_shape(node, source)
            self.put(result, result.shape)
            return
        self.expect(node, source, nchw=True)
        self.expect_shape(node, source)
        reduced = reduce_shape(lying.shape, node.reduction, output_nchw=result.nchw)
        if reduced is None:
            self.stop(
                "layout-all-axes",
                node,
                "reduces along all four axes",
                outcome=Outcome.PROCESS_ABORT,
                found=node.reduction.axes,
                wanted="(1, 2)",
            )
            return
        self._reduced(node, reduced)

    def _reduced(self, node: Node, reduced: Reduced) -> None:
        result = node.outputs[0]
        if reduced.order is None:
            self.wrong(
                "layout-axes",
                node,
                "reduces along other axes than the model says",
                found=reduced.positions,
                wanted=node.reduction and node.reduction.axes,
            )
            order = None
        else:
            kept = [a for a in reduced.order if self.at(node.inputs[0]).true[a] != 1]
            order = tuple(renumbered(a, node) for a in kept)
        self.put(result, reduced.shape, order)

    def depth_to_space(self, node: Node) -> None:
        """The operator that knows how to leave the sparse layout."""
        source = node.inputs[0]
        self.expect(node, source, nchw=source.nchw)
        self.expect_shape(node, source)
        self.put(node.outputs[0], node.outputs[0].shape)

    def reshape(self, node: Node) -> None:
        """RESHAPE copies memory; the number of elements must fit."""
        source, result = node.inputs[0], node.outputs[0]
        lying = self.at(source)
        count, fixed = math.prod(lying.shape), math.prod(n for n in node.numbers if n)
        gap = 0 in node.numbers
        if count % max(fixed, 1) if gap else count != fixed:
            self.stop(
                "layout-elements",
                node,
                f"gets {value_title(source)} with {count} elements for {dims_text(node.numbers)}",
                found=count,
                wanted=fixed,
            )
        self.expect(node, source, nchw=False)
        rest = count // max(fixed, 1)
        self.put(result, tuple(n or rest for n in node.numbers))

    def softmax(self, node: Node) -> None:
        """SOFTMAX runs along the last dimension that the runtime believes in."""
        source = node.inputs[0]
        self.expect(node, source, nchw=False)
        self.expect_shape(node, source)
        self.put(node.outputs[0], self.at(source).shape)

    def concatenate(self, node: Node) -> None:
        """CONCATENATION: all inputs agree in all dimensions but one."""
        axis = node.numbers[0] % max(len(node.outputs[0].shape), 1)
        shapes = [self.at(value).shape for value in node.inputs]
        others = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
        if len(others) > 1:
            self.stop(
                "layout-shape",
                node,
                "gets inputs that no longer fit together",
                found=shapes,
                wanted=[value.shape for value in node.inputs],
            )
        self.unaware(node)
        total = sum(shape[axis] for shape in shapes)
        self.put(node.outputs[0], (*shapes[0][:axis], total, *shapes[0][axis + 1 :]))

    def unaware(self, node: Node) -> None:
        """Any other operator: it knows channels last only."""
        for value in node.reads:
            self.expect(node, value, nchw=False)
            self.expect_shape(node, value)
        for value in node.outputs:
            self.put(value, value.shape)


_HANDLERS: dict[str, Callable[[_Follower, Node], None]] = {
    "convolution": _Follower.convolve,
    "depthwise": _Follower.convolve,
    "fully_connected": _Follower.convolve,
    "unary": _Follower.unary,
    "copy": _Follower.unary,
    "binary": _Follower.binary,
    "resize": _Follower.resize,
    "reduce": _Follower.reduce,
    "depth_to_space": _Follower.depth_to_space,
    "reshape": _Follower.reshape,
    "softmax": _Follower.softmax,
    "concatenate": _Follower.concatenate,
}
