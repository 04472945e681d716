"""Keeps clusters that would compute wrong numbers out of the sparse layout.

Where a cluster cannot be completed, a weight that is stored sparse makes the runtime compute wrong
numbers, so that all of them have to stay dense. An entry reads three channels; with a fourth one of
zeros it is an ordinary convolution, nothing after it goes sparse, and the weights can be stored
sparse for their size.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.common import Context, pad_before
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.outlook import prospects
from tflite_sparse.rewrite.adapt.passes.windows import is_pointwise
from tflite_sparse.rewrite.adapt.regions.region import stem_refusal
from tflite_sparse.rewrite.adapt.shape_check import unsound

if TYPE_CHECKING:
    from tflite_sparse.model import Model, Operator
    from tflite_sparse.rewrite.adapt.adaptation import Step

__all__ = ["raise_barriers"]

_TARGET = "arm64"
_CHANNELS = 3
_STRAIGHT = (False, False)


def raise_barriers(model: Model) -> list[Step]:
    """Widens the entries of a model by a zero channel, where that lets weights be stored sparse.

    Args:
        model: a model with dense weights; it is edited where that wins anything.
    """
    if not _entries(model):
        return []
    now = prospects(model, (_TARGET,))[_TARGET]
    if now.sparse:
        return []
    trial = model.copy()
    _widen(trial)
    then = prospects(trial, (_TARGET,))[_TARGET]
    if then.outcome.is_failure or then.stored <= now.stored:
        return []
    return _widen(model)


def _entries(model: Model) -> list[Operator]:
    return [
        op
        for op in model.operators()
        if op.name == "CONV_2D"
        and unsound(op.subgraph) is None
        and not is_pointwise(op)
        and op.inputs[0] is not None
        and op.inputs[0].shape[3:] == (_CHANNELS,)
        and stem_refusal(op, _STRAIGHT) is None
    ]


def _widen(model: Model) -> list[Step]:
    steps: list[Step] = []
    for subgraph in model.subgraphs:
        editor = Editor(subgraph)
        context = Context(editor, _STRAIGHT, frozenset({"barriers"}))
        for op in _entries(model):
            if op.subgraph is subgraph:
                editor.noted(op, partial(_widen_entry, op, context))
        steps += editor.steps
    return steps


def _widen_entry(operator: Operator, context: Context) -> tuple[str, str, str]:
    editor = context.editor
    source = operator.inputs[0]
    assert source is not None  # noqa: S101 - see _entries
    editor.set_weight(
        operator, 1, lambda filt: np.pad(filt, ((0, 0), (0, 0), (0, 0), (0, 1))), "barrier"
    )
    editor.read(operator, 0, pad_before(editor, operator, source, (0, 0, 0, 0), 1))
    return (
        "barriers",
        "reads a fourth channel of zeros",
        "an entry reads three: nothing after it goes sparse and computes wrong numbers",
    )
