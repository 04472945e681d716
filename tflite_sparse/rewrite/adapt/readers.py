"""Finds the readers of a map, looking through the PADs that fuse into what reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.queries import is_map, remembered
from tflite_sparse.rewrite.adapt.window import placed_window, spatial_padding

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tflite_sparse.model import Operator, Tensor

__all__ = ["feeds_map", "readers_among", "readers_of"]


@remembered
def readers_of(tensor: Tensor) -> list[Operator]:
    """The operators that read a map, through PADs of height and width too; each once.

    Such a PAD counts as a reader itself where something reads it that has no window.
    """
    graph = tensor.subgraph
    readers: dict[Operator, None] = {}
    for use in graph.consumers(tensor):
        op = use.operator
        if spatial_padding(op) is None:
            readers[op] = None
            continue
        padded = op.outputs[0]
        beyond = readers_of(padded)
        through = [r for r in beyond if placed_window(r) is not None and use.operand == 0]
        readers.update(dict.fromkeys(through))
        if len(through) < len(beyond) or padded in graph.outputs:
            readers[op] = None
    return list(readers)


def readers_among(tensor: Tensor, members: AbstractSet[Operator]) -> list[Operator]:
    """The members that read a map, and the PADs through which they do."""
    readers: dict[Operator, None] = {}
    for use in tensor.subgraph.consumers(tensor):
        op = use.operator
        if spatial_padding(op) is None:
            inside = op in members
        else:
            inside = all(reader in members for reader in readers_of(op.outputs[0]))
        if inside:
            readers[op] = None
    return list(readers)


def feeds_map(operator: Operator) -> bool:
    """Whether what an operator computes takes part in a map larger than 1x1 again."""
    graph = operator.subgraph
    queue, seen = list(operator.outputs), set(operator.outputs)
    while queue:
        for use in graph.consumers(queue.pop()):
            for output in use.operator.outputs:
                if is_map(output) and max(output.shape[1:3]) > 1:
                    return True
                if is_map(output) and output not in seen:
                    seen.add(output)
                    queue.append(output)
    return False
