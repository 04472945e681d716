"""Makes the values of a partition's tensors and the nodes of its operators."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.graph import Graph, Node
from tflite_sparse.xnnpack.stages.delegate.operand_checks import is_constant

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.xnnpack.graph import Value
    from tflite_sparse.xnnpack.releases.runtimes import Runtime
    from tflite_sparse.xnnpack.stages.delegate.delegate import Delegation
    from tflite_sparse.xnnpack.stages.delegate.partition import Run

__all__ = ["BOUNDS", "UNBOUNDED", "NodeBuilder", "activation_bounds", "pair_option"]

BOUNDS = {
    "RELU": (0.0, math.inf),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}
"""What activations clamp to."""

UNBOUNDED = (-math.inf, math.inf)

_TYPES = {
    "FLOAT32": "f32", "FLOAT16": "f16", "INT8": "qs8", "UINT8": "qu8", "INT4": "qc4",
    "INT2": "qc2", "INT32": "i32",
}  # fmt: skip
_INTEGER_FILTERS = ("qs8", "qc8", "qc4", "qc2")


class NodeBuilder:
    """Makes values of tensors and nodes of operators."""

    def __init__(self, run: Run, delegation: Delegation, *, fp16: bool, runtime: Runtime) -> None:
        self.graph = Graph(runtime)
        self._run = run
        self._fp16 = fp16
        self._delegation = delegation
        self._values: dict[Tensor, Value] = {}

    def value_of(self, tensor: Tensor) -> Value:
        """The value of a tensor."""
        value = self._values.get(tensor)
        if value is None:
            value = self._values[tensor] = self._make(tensor)
        return value

    def _make(self, tensor: Tensor) -> Value:
        static = self._delegation.static
        kind = self._type_of(tensor)
        constant = is_constant(tensor) or static.is_unpacked(tensor)
        if self._fp16 and kind == "f32" and not constant:
            # What goes in or out is converted and keeps its type outside.
            return self.graph.value(tensor.shape, "f16", tensor=tensor)
        return self.graph.value(
            tensor.shape,
            kind,
            tensor=tensor,
            source=self._delegation.origins.get(tensor.index, tensor) if constant else None,
            is_static=constant,
            is_input=tensor.index in self._run.inputs and not constant,
            is_output=tensor.index in self._run.outputs and not constant,
        )

    def variable(self, op: Operator) -> Value:
        """The value of the variable that an operator reads or assigns."""
        handle = op.inputs[0]
        variable = None if handle is None else self._delegation.variables.of(handle)
        if handle is None or variable is None or variable.stand_in is None:
            raise AssertionError("the delegate takes operators on known variables only")
        if handle not in self._values:
            self._values[handle] = self.graph.value(
                variable.stand_in.shape,
                self._type_of(variable.stand_in),
                tensor=handle,
                is_input=variable.is_read,
                is_output=variable.is_assigned,
            )
        return self._values[handle]

    def _type_of(self, tensor: Tensor) -> str:
        if tensor.index in self._delegation.static.halves:
            return "f16"
        kind = _TYPES.get(tensor.type, "other")
        scales = None if tensor.quantization is None else tensor.quantization["scale"]
        return "qc8" if kind == "qs8" and scales is not None and len(scales) > 1 else kind

    def convert_inputs(self) -> None:
        """Converts what comes into the partition, where arithmetic is in half precision."""
        written = {tensor for op in self._run.operators for tensor in op.outputs}
        for op in self._run.operators if self._fp16 else ():
            for tensor in op.inputs:
                if tensor is None or tensor in self._values or tensor in written:
                    continue
                value = self.value_of(tensor)
                if value.type == "f16" and not value.is_static:
                    outside = self.graph.value(value.shape, "f32", is_input=True)
                    self.add("unary", op, [outside], [value]).function = "convert"

    def convert_outputs(self) -> None:
        """Converts what goes out of it."""
        for op in self._run.operators if self._fp16 else ():
            for tensor in op.outputs:
                value = self._values.get(tensor)
                if value is not None and value.type == "f16" and tensor.index in self._run.outputs:
                    outside = self.graph.value(value.shape, "f32", is_output=True)
                    self.add("unary", op, [value], [outside]).function = "convert"

    def inputs(self, op: Operator, *operands: int) -> list[Value]:
        """The values of operands that are there; of all of them if none is named."""
        chosen = operands or tuple(range(len(op.inputs)))
        tensors = (op.inputs[i] for i in chosen if i < len(op.inputs))
        return [self.value_of(tensor) for tensor in tensors if tensor is not None]

    def outputs(self, op: Operator) -> list[Value]:
        """The values of the outputs."""
        return [self.value_of(tensor) for tensor in op.outputs]

    def add(self, kind: str, op: Operator, inputs: list[Value], outputs: list[Value]) -> Node:
        """Adds a node."""
        return self.graph.node(Node(kind, op, inputs, outputs))

    def clamp(self, node: Node, bounds: tuple[float, float]) -> None:
        """Puts a clamp of its own behind a node."""
        if bounds == UNBOUNDED:
            return
        result = node.outputs[0]
        between = self.graph.value(result.shape, result.type)
        node.outputs[0] = between
        clamp = self.add("unary", node.operator, [between], [result])
        clamp.function, clamp.clamp = "clamp", bounds

    def quantized(self, op: Operator, source: Value, filt: Value) -> Value:
        """The activation as a matrix product with an integer filter reads it."""
        if source.type not in ("f32", "f16") or filt.type not in _INTEGER_FILTERS:
            return source
        converted = self.graph.value(source.shape, "qd8")
        self.add("unary", op, [source], [converted]).function = "convert"
        return converted


def activation_bounds(op: Operator) -> tuple[float, float]:
    """The bounds to which the fused activation of an operator clamps."""
    return BOUNDS.get(op.option("fused_activation_function", "NONE"), UNBOUNDED)


def pair_option(op: Operator, height: str, width: str) -> tuple[int, int]:
    """Two options that belong together: of the height and of the width."""
    return int(op.option(height, 1)), int(op.option(width, 1))
