"""Repairs what follows a reduction, where today's runtime would fail or compute wrong numbers.

A reduction that keeps its dimensions ends the sparse layout, but what comes out of it is then
taken for NCHW. Without its dimensions, and with a RESHAPE that restores them, it is not.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.common import Context, is_map, reduces_map
from tflite_sparse.rewrite.adapt.passes.boundary import reduce_out

if TYPE_CHECKING:
    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.editor import Editor

__all__ = ["feeds_map", "mend_heads"]


def mend_heads(editor: Editor) -> None:
    """Lets every reduction over height and width that feeds no map drop its dimensions."""
    context = Context(editor, (False, False), frozenset({"heads"}))
    for op in list(editor.subgraph.operators):
        if op.name in ("MEAN", "SUM") and reduces_map(op) and not feeds_map(op):
            editor.noted(op, partial(reduce_out, op, context))


def feeds_map(operator: Operator) -> bool:
    """Whether what an operator computes takes part in a map larger than 1x1 again."""
    graph = operator.subgraph
    queue, seen = list(operator.outputs), {id(tensor) for tensor in operator.outputs}
    while queue:
        for use in graph.consumers(queue.pop()):
            for output in use.operator.outputs:
                if is_map(output) and max(output.shape[1:3]) > 1:
                    return True
                if is_map(output) and id(output) not in seen:
                    seen.add(id(output))
                    queue.append(output)
    return False
