"""Repairs what follows a reduction, where today's runtime would fail or compute wrong numbers.

A reduction that keeps its dimensions ends the sparse layout, but what comes out of it is then
taken for NCHW. Without its dimensions, and with a RESHAPE that restores them, it is not. See
docs/runtime-model.md.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied, SubgraphPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.adapt.queries import reduces_map
from tflite_sparse.rewrite.adapt.readers import feeds_map

if TYPE_CHECKING:
    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.adaptation import Step
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.editor import Editor

__all__ = ["HEADS", "end_in_reduction"]


class Heads(SubgraphPass):
    """Lets every reduction over height and width that feeds no map drop its dimensions."""

    name = PassName.HEADS
    summary = "end the sparse layout after MEAN by a RESHAPE"
    detail = (
        "MEAN that keeps its dimensions drops them, and a RESHAPE restores them: this also repairs"
        " models that today's runtime refuses or gets wrong."
    )
    cost = "nothing"
    exact = "yes"
    repairs = True

    def change(self, editor: Editor) -> None:
        """Mends all heads of the subgraph."""
        for op in _heads(editor):
            editor.apply(self, op, partial(_drop_dimensions, op, editor))

    def ensures(self, subject: Editor, result: tuple[Step, ...]) -> None:
        """Also: no head keeps its dimensions."""
        super().ensures(subject, result)
        kept = any(op.option("keep_dims", default=False) for op in _heads(subject))
        self.check(not kept, "heads drop their dimensions")


HEADS = Heads()


def _heads(editor: Editor) -> list[Operator]:
    """The reductions over height and width of maps that feed no map."""
    return [
        op
        for op in editor.subgraph.operators
        if op.name in ("MEAN", "SUM") and reduces_map(op) and not feeds_map(op)
    ]


def end_in_reduction(operator: Operator, context: Context) -> Applied | None:
    """Lets a reduction that ends the sparse layout drop its dimensions, if heads may be mended."""
    return _drop_dimensions(operator, context.editor) if context.allows(HEADS) else None


def _drop_dimensions(operator: Operator, editor: Editor) -> Applied | None:
    """Lets a reduction drop its dimensions; a RESHAPE behind it restores them."""
    if not operator.option("keep_dims", default=False):
        return None
    result = operator.outputs[0]
    flat = editor.value((result.shape[0], result.shape[3]), result, f"{result.name}/flat")
    editor.write(operator, 0, flat)
    editor.set_options(operator, keep_dims=False)
    shape = editor.constant(np.array([-1, 1, 1, result.shape[3]], np.int32), f"{flat.name}/shape")
    editor.before(editor.after(operator), "RESHAPE", [flat, shape], [result])
    return Applied(
        "drops its dimensions, a RESHAPE restores them", "what reads it would take NCHW for NHWC"
    )
