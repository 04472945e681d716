"""Puts DENSIFY operators into a model, in the form that Google's exporter gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.flatbuffer.table import Table

if TYPE_CHECKING:
    from tflite_sparse.model import Buffer, Model, Operator, Tensor

__all__ = ["insert_densify"]

_SUFFIX = "_densify"


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
    subgraph = constant.subgraph
    uses = list(subgraph.consumers(constant))
    if not uses:
        return None
    if names is None:
        names = {tensor.name for tensor in subgraph.tensors}
    dense = subgraph.add_tensor(_twin(constant, names), _empty_buffer(model))
    for use in uses:
        subgraph.rewire(use, dense)
    first = min(use.operator.index for use in uses)
    return subgraph.add_operator(first, model.operator_code("DENSIFY"), [constant], [dense])


def _twin(constant: Tensor, names: set[str]) -> Table:
    """A tensor of the same type, shape and quantization, without data."""
    table = Table("Tensor")
    for name in ("shape", "type", "shape_signature", "has_rank"):
        if name in constant.table:
            table[name] = constant.table[name]
    if constant.quantization is not None:
        # The same table: long lists of scales are then written once.
        table["quantization"] = constant.quantization
    table["name"] = _unused_name(constant, names)
    return table


def _unused_name(constant: Tensor, taken: set[str]) -> str:
    name = f"{constant.name}{_SUFFIX}"
    number = 1
    while name in taken:
        number += 1
        name = f"{constant.name}{_SUFFIX}_{number}"
    taken.add(name)
    return name


def _empty_buffer(model: Model) -> Buffer:
    # Buffer 0 is empty by convention and stands for "no data".
    return next((b for b in model.buffers if b.nbytes == 0), None) or model.add_buffer()
