"""Edits a subgraph: adds constants, values and operators, and removes what became unused.

Operators keep their order; tensors that the caller sees keep their index, name and buffer.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model.macs import macs
from tflite_sparse.model.quantization import moved_quantization, quantization_table
from tflite_sparse.model.tensor import Buffer
from tflite_sparse.model.uses import Use, trace_constant
from tflite_sparse.rewrite.adapt.adaptation import Step
from tflite_sparse.rewrite.adapt.option_tables import edit_options, give_options
from tflite_sparse.rewrite.adapt.queries import present
from tflite_sparse.rewrite.writing.runtime_version import dequantize_version
from tflite_sparse.xnnpack.cost.prices import COSTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Subgraph, Tensor
    from tflite_sparse.rewrite.adapt.passes.adapt_pass import AnyPass, Applied
    from tflite_sparse.xnnpack.cost.prices import Costs

__all__ = ["Editor"]

# Operators that do nothing but compute their outputs: unread, they can go.
_PURE = frozenset(
    {
        "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE",
        "DIV", "HARD_SWISH", "LOGISTIC", "MAXIMUM", "MEAN", "MINIMUM", "MUL", "PAD", "PRELU",
        "RELU", "RELU6", "RESHAPE", "SLICE", "STRIDED_SLICE", "SUB", "TRANSPOSE", "CAST", "SQUEEZE",
        "EXPAND_DIMS", "SHAPE", "PACK",
    }
)  # fmt: skip


class Editor:
    """Edits a subgraph.

    Attributes:
        subgraph: the subgraph.
        model: its model.
        steps: what was done, see `apply` and `note`.
        max_arena: bytes that activations may take.
        costs: the prices by which one form of an operator is better than another.
    """

    def __init__(
        self, subgraph: Subgraph, max_arena: float = math.inf, costs: Costs = COSTS["wasm"]
    ) -> None:
        self.subgraph = subgraph
        self.max_arena = max_arena
        self.costs = costs
        self.model = subgraph.model
        self._names = {tensor.name for tensor in subgraph.tensors}
        self._idle = {op for op in subgraph.operators if not self._is_read(op)}
        self._unused = set(self._loose())
        self._empty = next((b for b in self.model.buffers if b.nbytes == 0), None)
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Buffer] = {}
        self._changed_constants: dict[tuple[Tensor, str], Tensor] = {}
        self._dropped: set[Operator] = set()
        self._labels = {op: op.label for op in subgraph.operators}
        self._added: list[Operator] = []
        self._added_bytes = 0
        self._replaced: set[Tensor] = set()
        self.steps: list[Step] = []
        self._interface = self._caller_sees()

    def constant(self, values: Any, name: str) -> Tensor:
        """A new constant of fp32 or int32; those that are alike share a buffer."""
        array = np.asarray(values)
        kind = "INT32" if array.dtype.kind in "iu" else "FLOAT32"
        array = array.astype(kind.lower())
        alike = (kind, array.shape, hashlib.sha256(array.tobytes()).digest())
        buffer = self._constants.get(alike)
        if buffer is None or not buffer.nbytes:
            buffer = self._constants[alike] = self.model.add_buffer(array)
            self._added_bytes += array.nbytes
        return self._tensor(array.shape, kind, name, buffer)

    def value(self, shape: Sequence[int], like: Tensor, name: str) -> Tensor:
        """A new value with the type of another; sizes that it leaves open stay so."""
        if self._empty is None:
            self._empty = self.model.add_buffer()
        tensor = self._tensor(tuple(shape), like.type, name, self._empty)
        if not (signature := like.shape_signature) or not shape:
            return tensor
        alike = signature if len(signature) == len(shape) else signature[:1]
        free = [size == -1 for size in alike] + [False] * (len(shape) - len(alike))
        if any(free):
            pairs = list(zip(free, shape, strict=True))
            tensor.table["shape_signature"] = np.array([-1 if f else n for f, n in pairs], np.int32)
            # As a converter writes it: what stands for a height or width is 1.
            stated = [1 if f and axis else n for axis, (f, n) in enumerate(pairs)]
            tensor.table["shape"] = np.array(stated, np.int32)
        return tensor

    def settle(self, tensor: Tensor, data: NDArray[Any] | Buffer) -> None:
        """Makes a value a constant; the operator that writes it is to be dropped.

        Args:
            tensor: the value.
            data: its values, or the buffer that holds them already.
        """
        tensor.store_in(data if isinstance(data, Buffer) else self.model.add_buffer(data))
        self.subgraph.relink()

    def dequantize(
        self, place: Operator, data: NDArray[Any] | Buffer, like: Tensor, axis: int
    ) -> None:
        """Adds a DEQUANTIZE of a new constant that writes what an operator writes.

        Args:
            place: the operator, which is to be dropped.
            data: values of the constant, or the buffer that holds them already.
            like: a constant of the same type and with the same scales.
            axis: the dimension that has a scale for each index.
        """
        result = place.outputs[0]
        buffer = data if isinstance(data, Buffer) else self.model.add_buffer(data)
        constant = self._tensor(result.shape, like.type, f"{result.name}/{like.type}", buffer)
        if place.name == "CAST" and like.type == "INT8":
            constant.table["quantization"] = quantization_table([1.0])
        elif like.quantization is not None:
            constant.table["quantization"] = like.quantization.copy()
            constant.table["quantization"]["quantized_dimension"] = axis
        table = constant.table["quantization"]
        scales = 0 if table is None or table["scale"] is None else len(table["scale"])
        code = self.model.operator_code("DEQUANTIZE", dequantize_version(like.type, scales))
        operator = self.subgraph.add_operator(place.index, code, [constant], [result])
        give_options(operator, "DEQUANTIZE")

    def before(
        self,
        place: Operator | None,
        kind: str,
        inputs: Sequence[Tensor | None],
        outputs: Sequence[Tensor],
        **options: Any,
    ) -> Operator:
        """Adds an operator before another one, or at the end.

        Args:
            place: the operator that it comes before; None for the end.
            kind: its name, such as "PAD".
            inputs: what it reads.
            outputs: what it writes.
            **options: fields of its option table; enum values by name.
        """
        position = len(self.subgraph.operators) if place is None else place.index
        code = self.model.operator_code(kind)
        operator = self.subgraph.add_operator(position, code, inputs, outputs)
        self._added.append(operator)
        give_options(operator, kind, **options)
        return operator

    def after(self, place: Operator) -> Operator | None:
        """The operator that comes after another; None for the last."""
        return next(iter(self.subgraph.operators[place.index + 1 :]), None)

    def set_options(self, operator: Operator, **options: Any) -> None:
        """Changes fields of an operator's option table; enum values by name."""
        edit_options(operator, **options)
        self.subgraph.memo.clear()

    def drop(self, *operators: Operator) -> None:
        """Removes operators; their outputs must have other producers, or no readers."""
        self._dropped.update(operators)
        self.subgraph.remove(operators)

    def is_gone(self, operator: Operator) -> bool:
        """Whether an operator was dropped."""
        return operator in self._dropped

    def read(self, operator: Operator, operand: int, tensor: Tensor | None) -> None:
        """Makes an operator read another tensor at an operand."""
        if operand < len(operator.inputs):
            self.subgraph.rewire(Use(operator, operand), tensor)
            return
        missing = [None] * (operand - len(operator.inputs))
        self.set_inputs(operator, [*operator.inputs, *missing, tensor])

    def set_inputs(self, operator: Operator, inputs: Sequence[Tensor | None]) -> None:
        """Gives an operator other inputs."""
        self.subgraph.reread(operator, inputs)

    def write(self, operator: Operator, output: int, tensor: Tensor) -> None:
        """Makes an operator write another tensor."""
        outputs = list(operator.outputs)
        outputs[output] = tensor
        operator.outputs = tuple(outputs)
        self.subgraph.relink()

    def split(self, tensor: Tensor, suffix: str, readers: Iterable[Operator]) -> Tensor:
        """Gives a value's producer a new output and moves some of the readers over to it.

        The value itself, which the other readers and the caller keep, then has no producer.
        """
        producer = present(self.subgraph.producer(tensor))
        output = self.value(tensor.shape, tensor, f"{tensor.name}{suffix}")
        chosen = set(readers)
        for use in list(self.subgraph.consumers(tensor)):
            if use.operator in chosen:
                self.read(use.operator, use.operand, output)
        self.write(producer, producer.outputs.index(tensor), output)
        return output

    def set_weight(
        self, operator: Operator, operand: int, change: Callable[[Any], Any], key: str
    ) -> None:
        """Makes an operator read a changed copy of a constant, stored in the same type.

        Args:
            operator: the operator.
            operand: position among its inputs.
            change: makes the new values of the stored ones.
            key: names the change; operators that change a shared constant alike share the copy.
        """
        use = present(trace_constant(operator, operand))
        tensor = self._changed_constants.get((use.constant, key))
        if tensor is None:
            stored = use.constant.data
            values = np.ascontiguousarray(change(stored))
            name, kind = f"{use.constant.name}/{key}", use.constant.type
            tensor = self._tensor(values.shape, kind, name, self.model.add_buffer(values))
            tensor.table["quantization"] = moved_quantization(use.constant, change)
            self._added_bytes += values.nbytes
            if use.constant not in self._replaced and stored is not None:
                # Its parts together stand for the whole.
                self._added_bytes -= stored.nbytes
                self._replaced.add(use.constant)
            if use.dequantize is not None:
                tensor = self._dequantized(tensor, use, use.dequantize, key)
            self._changed_constants[use.constant, key] = tensor
        self.read(operator, operand, tensor)

    def label(self, operator: Operator) -> str:
        """The label that an operator had in the original model."""
        return self._labels.get(operator, operator.label)

    def note(self, adapt_pass: AnyPass, label: str, what: str, why: str) -> None:
        """Records a change that costs nothing.

        Args:
            adapt_pass: the pass that made it.
            label: label of the operator in the original model.
            what: what was done.
            why: what it is for.
        """
        self.steps.append(Step(self.subgraph.index, adapt_pass.name, label, what, why, 0, 0))

    def apply(
        self, adapt_pass: AnyPass, operator: Operator, change: Callable[[], Applied | None]
    ) -> None:
        """Makes a change to an operator and records it with its cost.

        Args:
            adapt_pass: the pass that makes it.
            operator: the operator.
            change: makes the change and describes it; returns None if there was nothing to do.
        """
        label, before = self.label(operator), macs(operator)
        self._added, self._added_bytes, self._replaced = [], 0, set()
        applied = change()
        if applied is None:
            return
        work = sum(macs(op) for op in self._added if not self.is_gone(op)) - before
        work += 0 if self.is_gone(operator) else macs(operator)
        name, added = (applied.by or adapt_pass).name, self._added_bytes
        self.steps.append(
            Step(self.subgraph.index, name, label, applied.what, applied.why, work, added)
        )

    def keeps_interface(self) -> bool:
        """Whether the inputs and outputs of the subgraph are what they were, under their names."""
        return self._interface == self._caller_sees()

    def sweep(self) -> tuple[int, int]:
        """Removes operators and constants that became unused; what was unused before stays.

        Returns:
            The number of operators and of tensors that went.
        """
        operators = 0
        while dead := [
            op
            for op in self.subgraph.operators
            if op.name in _PURE and op not in self._idle and not self._is_read(op)
        ]:
            self.subgraph.remove(dead)
            operators += len(dead)
        tensors = [tensor for tensor in self._loose() if tensor not in self._unused]
        self.subgraph.remove(tensors=tensors)
        used = {entry.buffer for entry in self.model.metadata}
        used |= {t.buffer for graph in self.model.subgraphs for t in graph.tensors}
        for buffer in {tensor.buffer for tensor in tensors} - used:
            buffer.clear()
        return operators, len(tensors)

    def _caller_sees(self) -> dict[Tensor, tuple[str, str, tuple[int, ...]]]:
        return {t: (t.name, t.type, t.shape) for t in self.subgraph.interface}

    def _is_read(self, operator: Operator) -> bool:
        outputs = self.subgraph.outputs
        return any(
            tensor in outputs or self.subgraph.consumers(tensor) for tensor in operator.outputs
        )

    def _loose(self) -> list[Tensor]:
        held = set(self.subgraph.interface)
        for op in self.subgraph.operators:
            held.update(t for t in (*op.inputs, *op.outputs, *op.intermediates) if t)
        return [tensor for tensor in self.subgraph.tensors if tensor not in held]

    def _dequantized(self, constant: Tensor, use: Use, dequantize: Operator, key: str) -> Tensor:
        """Adds a DEQUANTIZE of a changed constant, like that of the original."""
        old = present(use.operator.inputs[use.operand])
        result = self.value(constant.shape, old, f"{old.name}/{key}")
        result.table["shape_signature"] = None
        twin = self.subgraph.add_operator(use.operator.index, dequantize.code, [constant], [result])
        if dequantize.options is not None:
            twin.table["builtin_options"] = dequantize.options
        return result

    def _tensor(self, shape: tuple[int, ...], kind: str, name: str, buffer: Buffer) -> Tensor:
        table = Table("Tensor")
        table["shape"] = np.array(shape, np.int32)
        table.set_enum("type", kind)
        table["has_rank"] = True
        table["name"] = self._unused_name(name)
        return self.subgraph.add_tensor(table, buffer)

    def _unused_name(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name
