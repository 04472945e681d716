"""Makes PyTorch modules of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.model.types import FLOATS
from tflite_sparse.torch.constants import (
    constant_value,
    trainable,
    unpacks_a_constant,
)
from tflite_sparse.torch.module import Instruction, StoredWeight, TfliteModule
from tflite_sparse.torch.operators.lowering import Lowering
from tflite_sparse.torch.operators.table import RULES

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Subgraph, Tensor
    from tflite_sparse.torch.operators.lowering import Step

__all__ = ["from_tflite"]


def from_tflite(
    model: Model | str | os.PathLike[str] | bytes, *, subgraph: int = 0
) -> TfliteModule:
    """A subgraph of a float model as a PyTorch module.

    Filters, biases and slopes that are stored dense in single or half precision become parameters;
    those that are quantized or stored sparse keep their values. Shapes that are computed from other
    shapes while the model runs are worked out once, for the sizes that the file states.

    Args:
        model: the model, its path, or its bytes.
        subgraph: index of the subgraph.

    Returns:
        The module, which computes what LiteRT does.

    Raises:
        UsageError: an operator has no counterpart in PyTorch here, or an input is no float32.
        FileError: the file cannot be read or is no .tflite file.
        FormatError: the file is damaged.
        ModelError: what the file says makes no model.
    """
    read = model if isinstance(model, Model) else Model.read(model)
    if not 0 <= subgraph < len(read.subgraphs):
        raise UsageError(f"the model has no subgraph {subgraph}, only {len(read.subgraphs)}")
    return _Builder(read.subgraphs[subgraph]).module()


class _Builder:
    """Goes through the operators of a subgraph in their order.

    Attributes:
        examples: every tensor so far, as one that has only a shape and a type.
        batched: those whose first dimension goes with that of the inputs.
        fixed: those whose values are known.
        parameter_of: those that are parameters: name, and the shape as it is read.
    """

    def __init__(self, subgraph: Subgraph) -> None:
        self.subgraph = subgraph
        self.examples: dict[Tensor, torch.Tensor] = {}
        self.batched: set[Tensor] = set()
        self.fixed: dict[Tensor, NDArray[Any]] = {}
        self.parameter_of: dict[Tensor, tuple[str, tuple[int, ...]]] = {}
        self.stored: dict[object, StoredWeight] = {}
        self.mixes_batch: str | None = None
        self.instructions: list[Instruction] = []

    def module(self) -> TfliteModule:
        """The module of the subgraph."""
        for tensor in trainable(self.subgraph):
            self.stored.setdefault(tensor.buffer.content, _stored(tensor))
        for tensor in self.subgraph.inputs:
            if tensor.type != "FLOAT32":
                raise UsageError(
                    f"an input of type {tensor.type} cannot be trained with, only FLOAT32",
                    place=tensor.place,
                )
            self.examples[tensor] = torch.empty(tensor.shape, device="meta")
            if tensor.shape:
                self.batched.add(tensor)
        for operator in self.subgraph.operators:
            self._add(operator)
        outputs = self.subgraph.outputs
        for tensor in outputs:
            self._meet(tensor)
        inputs = [(tensor.index, tensor.shape) for tensor in self.subgraph.inputs]
        module = TfliteModule(
            self.subgraph.index, inputs, [t.index for t in outputs], self.mixes_batch
        )
        tensors = self.subgraph.tensors
        read = {n for instruction in self.instructions for n in instruction.inputs}
        read |= {tensor.index for tensor in outputs}
        module.hold(
            [*self.stored.values()],
            {w.name: constant_value(tensors[w.tensor]) for w in self.stored.values()},
            {t.index: where for t, where in self.parameter_of.items() if t.index in read},
            {t.index: value for t, value in self.fixed.items() if t.index in read},
            _with_ends(self.instructions),
        )
        return module

    def _meet(self, tensor: Tensor) -> None:
        """Learns what a tensor is that no operator has written so far."""
        if tensor not in self.examples:
            if not tensor.is_constant or tensor.is_variable:
                raise UsageError("a state between runs cannot be trained with", place=tensor.place)
            self._hold(tensor, tensor)

    def _hold(self, tensor: Tensor, constant: Tensor) -> None:
        """Notes that a tensor has the value of a constant."""
        weight = self.stored.get(constant.buffer.content)
        if weight is not None and constant.type == weight.type and constant.sparsity is None:
            self.parameter_of[tensor] = (weight.name, constant.shape)
            self.examples[tensor] = torch.empty(constant.shape, device="meta")
        else:
            self._fix(tensor, constant_value(constant))

    def _fix(self, tensor: Tensor, value: NDArray[Any]) -> None:
        """Notes that the value of a tensor is known."""
        self.fixed[tensor] = value
        self.examples[tensor] = torch.tensor(value).to("meta")

    def _add(self, operator: Operator) -> None:
        """Works out what an operator makes, and notes how it is computed."""
        constant = unpacks_a_constant(operator)
        if constant is not None:
            self._hold(operator.outputs[0], constant)
            return
        present = [tensor for tensor in operator.inputs if tensor is not None]
        for tensor in present:
            self._meet(tensor)
        if operator.name == "SHAPE":
            self._fix(operator.outputs[0], np.array(self.examples[present[0]].shape, np.int64))
            return
        if all(tensor in self.fixed for tensor in present):
            values = [None if t is None else torch.tensor(self.fixed[t]) for t in operator.inputs]
            _, results = self._lowered(operator, values)
            for tensor, result in zip(operator.outputs, results, strict=False):
                self._fix(tensor, result.numpy())
            return
        examples = [None if t is None else self.examples[t] for t in operator.inputs]
        step, results = self._lowered(operator, examples)
        plain, _ = self._lowered(operator, examples, plain=True)
        for tensor, result in zip(operator.outputs, results, strict=False):
            self.examples[tensor] = result
            if result.ndim and any(t in self.batched for t in present):
                self.batched.add(tensor)
        self.instructions.append(
            Instruction(
                operator.label,
                step,
                tuple(None if t is None else t.index for t in operator.inputs),
                tuple(t.index for t in operator.outputs),
                plain=plain,
            )
        )

    def _lowered(
        self, operator: Operator, operands: list[torch.Tensor | None], *, plain: bool = False
    ) -> tuple[Step, tuple[torch.Tensor, ...]]:
        """What computes an operator, and what it makes of some operands."""
        lowering = Lowering(
            operator,
            [None if t is None else tuple(self.examples[t].shape) for t in operator.inputs],
            [None if t is None else self.fixed.get(t) for t in operator.inputs],
            [t in self.batched for t in operator.inputs],
            plain=plain,
        )
        rule = RULES.get(operator.custom_code or operator.name)
        if rule is None:
            raise lowering.refused("it has no counterpart there")
        try:
            step = rule(lowering)
            with torch.no_grad():
                result = step(*operands)
        except (ArithmeticError, IndexError, RuntimeError, TypeError, ValueError) as error:
            why = str(error).partition("\n")[0]
            raise lowering.refused(f"its operands do not fit ({why})") from None
        if lowering.mixes_batch and self.mixes_batch is None:
            self.mixes_batch = operator.label
        return step, (result,) if isinstance(result, torch.Tensor) else tuple(result)


def _stored(tensor: Tensor) -> StoredWeight:
    # PyTorch wants names without dots.
    name = f"{tensor.index}:{tensor.name}".replace(".", "_")
    assert tensor.type in FLOATS  # noqa: S101 - those are what is trained
    return StoredWeight(name, tensor.index, tensor.type, tensor.shape)


def _with_ends(instructions: list[Instruction]) -> list[Instruction]:
    """The instructions, each with the tensors that nothing reads after it."""
    last: dict[int, int] = {}
    for place, instruction in enumerate(instructions):
        for number in (*instruction.inputs, *instruction.outputs):
            if number is not None:
                last[number] = place
    finished: list[list[int]] = [[] for _ in instructions]
    for number, place in last.items():
        finished[place].append(number)
    return [
        instruction._replace(finished=tuple(numbers))
        for instruction, numbers in zip(instructions, finished, strict=True)
    ]
