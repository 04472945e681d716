"""Keeps clusters that would compute wrong numbers out of the sparse layout.

Where a cluster cannot be completed, a weight that is stored sparse makes the runtime compute wrong
numbers, so that all of them have to stay dense. An entry has a 3x3 kernel and reads three channels;
with a fourth row, column or channel of zeros it is an ordinary convolution, nothing after it goes
sparse, and the weights can be stored sparse for their size. A row costs a third of its
multiplications; a channel also has to be put into each pixel of the image.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.build import pad_before
from tflite_sparse.rewrite.adapt.convolution import is_pointwise
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.outlook import prospects
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied, FinalPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.adapt.passes.windows import stem_refusal
from tflite_sparse.rewrite.adapt.queries import present
from tflite_sparse.rewrite.adapt.shape_check import shape_mismatch
from tflite_sparse.rewrite.adapt.window import AS_IT_IS

if TYPE_CHECKING:
    from tflite_sparse.model import Model, Operator
    from tflite_sparse.rewrite.adapt.adaptation import Step

__all__ = ["BARRIERS"]

_TARGET = "arm64"
_CHANNELS = 3
_WIDER = 4
_AXES = {1: "row", 2: "column"}


class Barriers(FinalPass):
    """Widens the entries of a model by zeros, where that lets weights be stored sparse."""

    name = PassName.BARRIERS
    summary = "keep a cluster that would compute wrong numbers out of the sparse layout"
    detail = (
        "Where a cluster cannot be completed, its entry gets a fourth row, column or channel of"
        " zeros and is none any more, so that the weights can be stored sparse for their size"
        " without wrong numbers."
    )
    cost = "one row, column or channel more in the stem"
    exact = "yes"
    repairs = True

    def apply(self, subject: Model) -> tuple[Step, ...]:
        """Tries it on a copy; a model with dense weights is edited where that wins anything."""
        if not _entries(subject):
            return ()
        now = prospects(subject, (_TARGET,))[_TARGET]
        if now.sparse:
            return ()
        trial = subject.copy()
        _widen(trial)
        then = prospects(trial, (_TARGET,))[_TARGET]
        if then.outcome.is_failure or then.stored <= now.stored:
            return ()
        return tuple(_widen(subject))

    def ensures(self, subject: Model, result: tuple[Step, ...]) -> None:
        """Where anything was done, no convolution brings maps in any more."""
        self.check(not result or not _entries(subject), "no cluster begins")


BARRIERS = Barriers()


def _entries(model: Model) -> list[Operator]:
    return [
        op
        for subgraph in model.subgraphs
        # Once a subgraph: every operator of it is looked at.
        if any(map(_reads_image, subgraph.operators)) and shape_mismatch(subgraph) is None
        for op in subgraph.operators
        if _reads_image(op) and stem_refusal(op, AS_IT_IS) is None
    ]


def _reads_image(operator: Operator) -> bool:
    """Whether it is a convolution, not 1x1, over three channels."""
    read = next(iter(operator.inputs), None)
    return (
        operator.name == "CONV_2D"
        and not is_pointwise(operator)
        and read is not None
        and read.shape[3:] == (_CHANNELS,)
    )


def _widen(model: Model) -> list[Step]:
    steps: list[Step] = []
    for subgraph in model.subgraphs:
        editor = Editor(subgraph)
        for op in _entries(model):
            if op.subgraph is subgraph:
                editor.apply(BARRIERS, op, partial(_widen_entry, op, editor))
        steps += editor.steps
    return steps


def _widen_entry(operator: Operator, editor: Editor) -> Applied:
    source = present(operator.inputs[0])
    kernel = present(operator.inputs[1]).shape
    axis = next((axis for axis in (1, 2) if _has_room(operator, axis)), None)
    pads = [(0, 0)] * len(kernel)
    if axis is None:
        what = "reads a fourth channel of zeros"
        pads[3] = (0, 1)
    else:
        what = f"has a fourth {_AXES[axis]} of zeros"
        pads[axis] = (0, _WIDER - kernel[axis])
    editor.set_weight(operator, 1, lambda filt: np.pad(filt, pads), "barrier")
    if axis is None:
        editor.read(operator, 0, pad_before(editor, operator, source, (0, 0, 0, 0), 1))
    return Applied(
        what, "an entry has three: nothing after it goes sparse and computes wrong numbers"
    )


def _has_room(operator: Operator, axis: int) -> bool:
    """Whether a kernel with a fourth row, or column, of zeros gives as many cells as before."""
    letter = "hw"[axis - 1]
    if operator.option("padding", "SAME") != "VALID":
        return False
    if operator.option(f"dilation_{letter}_factor", 1) != 1:
        return False
    size, result = present(operator.inputs[0]).shape[axis], operator.outputs[0].shape[axis]
    last = (result - 1) * operator.option(f"stride_{letter}", 1)
    return present(operator.inputs[1]).shape[axis] < _WIDER and last + _WIDER <= size
