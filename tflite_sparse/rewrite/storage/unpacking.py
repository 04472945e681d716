"""Puts operators that unpack a constant into a model, in the form that converters give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.flatbuffer.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tflite_sparse.model import Buffer, Model, Operator, Subgraph, Tensor, Use

__all__ = ["bypass", "insert_densify", "insert_dequantize", "remove_unpacking"]


def insert_densify(
    model: Model, constant: Tensor, names: set[str] | None = None
) -> Operator | None:
    """Puts a DENSIFY between a constant and all its consumers, right before the first of them.

    The constant keeps its index, name and buffer; the dense value gets a tensor of its own behind
    all others. Operator code and version are the only ones there are: DENSIFY, 1, without options.

    Args:
        model: the model.
        constant: a constant that is stored sparse, or will be.
        names: the names of all tensors of the subgraph, where they are known; the new one is added.

    Returns:
        The operator, or None where nothing reads the constant.
    """
    uses = list(constant.subgraph.consumers(constant))
    if not uses:
        return None
    table = _twin(constant)
    if constant.quantization is not None:
        # The same table: long lists of scales are then written once.
        table["quantization"] = constant.quantization
    code = model.operator_code("DENSIFY")
    return _insert(model, constant, uses, code, table, "_densify", names)


def insert_dequantize(
    model: Model,
    packed: Tensor,
    uses: Sequence[Use],
    version: int,
    names: set[str] | None = None,
) -> Operator | None:
    """Puts a DEQUANTIZE to fp32 between a tensor and some of its consumers.

    Args:
        model: the model.
        packed: a constant, or the output of a DENSIFY.
        uses: where it is read as fp32.
        version: the version that the tensor's type and scales need.
        names: the names of all tensors of the subgraph, where they are known; the new one is added.

    Returns:
        The operator, or None where there are no uses.
    """
    if not uses:
        return None
    table = _twin(packed)
    table.set_enum("type", "FLOAT32")
    code = model.operator_code("DEQUANTIZE", version)
    return _insert(model, packed, uses, code, table, "_dequantize", names)


def bypass(tensor: Tensor, kind: str) -> list[Operator]:
    """Lets every reader of a DENSIFY or DEQUANTIZE of a tensor read the tensor itself.

    Args:
        tensor: the tensor.
        kind: "DENSIFY" or "DEQUANTIZE".

    Returns:
        The operators that are idle now, for `remove_unpacking`.
    """
    subgraph = tensor.subgraph
    idle = [use.operator for use in subgraph.consumers(tensor) if use.operator.name == kind]
    for operator in idle:
        for use in subgraph.consumers(operator.outputs[0]):
            subgraph.rewire(use, tensor)
    return idle


def remove_unpacking(idle: Iterable[Operator]) -> None:
    """Removes operators that nobody reads, with their outputs, subgraph by subgraph."""
    groups: dict[Subgraph, list[Operator]] = {}
    for operator in idle:
        groups.setdefault(operator.subgraph, []).append(operator)
    for subgraph, operators in groups.items():
        subgraph.remove(operators, [operator.outputs[0] for operator in operators])


def _insert(
    model: Model,
    packed: Tensor,
    uses: Sequence[Use],
    code: Table,
    table: Table,
    suffix: str,
    names: set[str] | None,
) -> Operator:
    subgraph = packed.subgraph
    if names is None:
        names = {tensor.name for tensor in subgraph.tensors}
    table["name"] = _unused_name(packed.name, suffix, names)
    unpacked = subgraph.add_tensor(table, _empty_buffer(model))
    for use in uses:
        subgraph.rewire(use, unpacked)
    first = min(use.operator.index for use in uses)
    return subgraph.add_operator(first, code, [packed], [unpacked])


def _twin(tensor: Tensor) -> Table:
    """A tensor of the same type and shape, without data."""
    table = Table("Tensor")
    for name in ("shape", "type", "shape_signature", "has_rank"):
        if name in tensor.table:
            table[name] = tensor.table[name]
    return table


def _unused_name(name: str, suffix: str, taken: set[str]) -> str:
    unused = f"{name}{suffix}"
    number = 1
    while unused in taken:
        number += 1
        unused = f"{name}{suffix}_{number}"
    taken.add(unused)
    return unused


def _empty_buffer(model: Model) -> Buffer:
    # Buffer 0 is empty by convention and stands for "no data".
    return next((b for b in model.buffers if b.nbytes == 0), None) or model.add_buffer()
