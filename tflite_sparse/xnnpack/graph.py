"""The graph that XNNPACK builds of a partition: nodes and values, before and after rewriting."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from tflite_sparse.model import Operator, Tensor
from tflite_sparse.xnnpack.releases.runtimes import DEFAULT_RUNTIME, Runtime

__all__ = ["Graph", "Node", "Reduction", "Value", "Window", "pools_all"]

_FLOAT = ("f32", "f16")


class Window(msgspec.Struct, frozen=True):
    """The window of a convolution or pooling; pairs are (height, width).

    Attributes:
        kernel: its size.
        stride: its step.
        dilation: distance of its taps.
        padding: explicit padding: top, right, bottom, left.
        same: whether the SAME flag is still set, so that padding is worked out at run time.
        groups: number of groups.
        inputs: input channels a group.
        outputs: output channels a group.
        multiplier: output channels an input channel, of a depthwise convolution.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    same: bool = False
    groups: int = 1
    inputs: int = 1
    outputs: int = 1
    multiplier: int = 1

    def explicit(self) -> Window:
        """SAME as explicit padding, which the runtime does only where the stride is 1."""
        if not self.same or self.stride != (1, 1):
            return self
        height, width = ((k - 1) * d for k, d in zip(self.kernel, self.dilation, strict=True))
        top, left = height // 2, width // 2
        padding = (top, width - left, height - top, left)
        return msgspec.structs.replace(self, same=False, padding=padding)

    def padded(self, more: tuple[int, int, int, int]) -> Window:
        """The window with further explicit padding."""
        added = tuple(a + b for a, b in zip(self.padding, more, strict=True))
        return msgspec.structs.replace(self, padding=added)

    @property
    def pointwise(self) -> bool:
        """Whether it is 1x1 with stride 1, no padding and one group."""
        return (
            self.kernel == (1, 1)
            and self.stride == (1, 1)
            and not any(self.padding)
            and self.groups == 1
        )


class Reduction(msgspec.Struct, frozen=True):
    """A reduction along axes.

    Attributes:
        axes: the axes as the model gives them, negative ones included.
        keep_dims: whether reduced axes stay with size 1.
    """

    axes: tuple[int, ...]
    keep_dims: bool


class Value(msgspec.Struct, eq=False):
    """A value of the graph.

    Attributes:
        number: its place in the order in which XNNPACK looks at values.
        shape: its shape by the model.
        type: "f32", "f16", "qs8", "qu8", "qc8", "qd8", "qc4", "i32" or "other".
        tensor: the tensor of the model that it stands for; None for one that was inserted.
        source: for a constant, the tensor that the file stores.
        is_static: whether it is a constant.
        is_input: whether it comes from outside the partition.
        is_output: whether it goes outside.
        producer: the node that writes it.
        readers: the nodes that read it, in order, each once.
        fixed_shape: whether XNNPACK knows the shape before it reshapes.
        nchw: whether it is marked for the sparse layout.
    """

    number: int
    shape: tuple[int, ...]
    type: str
    tensor: Tensor | None = None
    source: Tensor | None = None
    is_static: bool = False
    is_input: bool = False
    is_output: bool = False
    producer: Node | None = None
    readers: list[Node] = msgspec.field(default_factory=list)
    fixed_shape: bool = False
    nchw: bool = False

    @property
    def is_float(self) -> bool:
        """Whether it holds fp32 or fp16."""
        return self.type in _FLOAT

    @property
    def consumers(self) -> int:
        """Number of consumers, counting being an output as one."""
        return len(self.readers) + self.is_output

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


class Node(msgspec.Struct, eq=False):
    """A node of the graph.

    Attributes:
        kind: "convolution", "depthwise", "fully_connected", "unary", "binary", "reduce" ...
        function: which unary, binary or reduction it is; "" for other kinds.
        operator: the operator of the model that it comes from.
        inputs: the values it reads.
        outputs: the values it writes.
        window: its window, of convolutions and poolings.
        clamp: the bounds that its activation applies.
        reduction: of a reduction.
        numbers: other integers: new shape, new size, paddings (pre, post a dimension), axis.
        absorbed: operators that were fused into it.
        number: its place in the order of execution.
    """

    kind: str
    operator: Operator
    inputs: list[Value]
    outputs: list[Value]
    function: str = ""
    window: Window | None = None
    clamp: tuple[float, float] = (-math.inf, math.inf)
    reduction: Reduction | None = None
    numbers: tuple[int, ...] = ()
    absorbed: list[Operator] = msgspec.field(default_factory=list)
    number: int = -1

    @property
    def reads(self) -> list[Value]:
        """The values it reads, each once."""
        return list(dict.fromkeys(self.inputs))

    @property
    def is_clamp(self) -> bool:
        """Whether it only clamps."""
        return self.kind == "unary" and self.function == "clamp"


def pools_all(node: Node) -> bool:
    """Whether a reduction of a 4-D value is over height and width, a global pooling."""
    axes = () if node.reduction is None else node.reduction.axes
    rank = len(node.inputs[0].shape)
    # By these numbers: the delegate looked for no negative ones.
    return rank == 4 and set(axes) == {1, 2}  # noqa: PLR2004 - as it says


class Graph:
    """A partition as XNNPACK sees it.

    Args:
        runtime: the release of the runtime.

    Attributes:
        runtime: the release, whose rules the stages ask for.
        values: all values, in the order in which they were made.
        nodes: the nodes, in the order of execution.
        steps: rules that were applied to an operator, by its index.
        fused: index of an operator that is gone -> operator that it was fused into, or None.
    """

    def __init__(self, runtime: Runtime = DEFAULT_RUNTIME) -> None:
        self.runtime = runtime
        self.values: list[Value] = []
        self.nodes: list[Node] = []
        self.steps: dict[int, list[str]] = {}
        self.fused: dict[int, Operator | None] = {}

    def value(self, shape: tuple[int, ...], kind: str, **more: Any) -> Value:
        """Makes a value."""
        value = Value(len(self.values), shape, kind, **more)
        self.values.append(value)
        return value

    def node(self, node: Node) -> Node:
        """Adds a node after the last one."""
        node.number = len(self.nodes)
        self.nodes.append(node)
        return node

    def step(self, operator: Operator, code: str) -> None:
        """Records that a rule was applied to an operator."""
        steps = self.steps.setdefault(operator.index, [])
        if code not in steps:
            steps.append(code)

    def absorb(self, gone: Node, into: Node | None, code: str) -> None:
        """Records that a node was absorbed by another, or dropped."""
        for operator in (gone.operator, *gone.absorbed):
            if into is None or operator is not into.operator:
                self.step(operator, code)
                self.fused[operator.index] = None if into is None else into.operator
                if into is not None:
                    into.absorbed.append(operator)

    def link(self) -> None:
        """Works out producers and readers anew, numbers the nodes, and drops unread ones."""
        while True:
            self._connect()
            if not self.runtime.drops_unread:
                return
            kept = [node for node in self.nodes if self._is_used(node)]
            if len(kept) == len(self.nodes):
                return
            used = set(kept)
            for node in self.nodes:
                if node not in used:
                    self.absorb(node, None, "drop-unused")
            self.nodes = kept

    def _connect(self) -> None:
        for value in self.values:
            value.producer = None
            value.readers.clear()
        for number, node in enumerate(self.nodes):
            node.number = number
            for value in node.reads if self.runtime.counts_a_reader_once else node.inputs:
                value.readers.append(node)
            for value in node.outputs:
                value.producer = node

    @staticmethod
    def _is_used(node: Node) -> bool:
        # The runtime drops unread nodes with one output only.
        return len(node.outputs) != 1 or node.outputs[0].consumers > 0
