"""What a model contains and nothing needs: dead operators, tensors and buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.tensor_numbers import look_up_buffers

if TYPE_CHECKING:
    from tflite_sparse.model import Buffer, Model, Operator, Subgraph, Tensor

__all__ = ["dead_buffers", "dead_operators", "dead_tensors"]

# Operators that do something beside writing their outputs, or whose subgraphs may.
_EFFECTS = {
    "CUSTOM",
    "DELEGATE",
    "CALL",
    "CALL_ONCE",
    "IF",
    "WHILE",
    "ASSIGN_VARIABLE",
    "VAR_HANDLE",
    "READ_VARIABLE",
    "HASHTABLE",
    "HASHTABLE_FIND",
    "HASHTABLE_IMPORT",
    "HASHTABLE_SIZE",
    "STABLEHLO_CUSTOM_CALL",
    "STABLEHLO_COMPOSITE",
    "STABLEHLO_WHILE",
    "STABLEHLO_CASE",
}


def dead_operators(subgraph: Subgraph) -> list[Operator]:
    """Operators whose results nothing reads, in the order of execution.

    An operator that only dead operators read is dead too. Operators with effects of their own, and
    those that read or write variable tensors, are alive.
    """
    alive = set(subgraph.interface)
    dead = []
    for operator in reversed(subgraph.operators):
        effects = (
            operator.name in _EFFECTS
            or not operator.outputs
            or any(t is not None and t.is_variable for t in operator.inputs)
        )
        if effects or any(tensor in alive for tensor in operator.outputs):
            alive |= {tensor for tensor in operator.inputs if tensor is not None}
        else:
            dead.append(operator)
    return dead[::-1]


def dead_tensors(subgraph: Subgraph) -> list[Tensor]:
    """Tensors that no operator, input, output or signature refers to, in the order of the file."""
    used = set(subgraph.interface)
    for operator in subgraph.operators:
        tensors = (*operator.inputs, *operator.outputs, *operator.intermediates)
        used |= {tensor for tensor in tensors if tensor is not None}
        used |= _quantization_tensors(operator.outputs)
    used |= _quantization_tensors(tuple(subgraph.tensors))
    return [tensor for tensor in subgraph.tensors if tensor not in used]


def _quantization_tensors(tensors: tuple[Tensor, ...]) -> set[Tensor]:
    """Scales and zero points of blockwise quantization, which are tensors of their own."""
    used = set()
    for tensor in tensors:
        details = tensor.quantization and tensor.quantization["details"]
        if not details:
            continue
        for name in ("scales", "zero_points"):
            if name in details.definition.by_name:
                index = details[name]
                if 0 <= index < len(tensor.subgraph.tensors):
                    used.add(tensor.subgraph.tensors[index])
    return used


def dead_buffers(model: Model) -> list[Buffer]:
    """Buffers with data that no tensor and no metadata refers to."""
    used = {tensor.buffer for subgraph in model.subgraphs for tensor in subgraph.tensors}
    used |= {entry.buffer for entry in model.metadata}
    used |= look_up_buffers(model)
    numbers = model.table["metadata_buffer"]
    listed = set() if numbers is None else set(numbers.tolist())
    return [
        buffer
        for buffer in model.buffers
        if buffer.nbytes and buffer not in used and buffer.index not in listed
    ]
