"""Repairs what follows a reduction, where today's runtime would fail or compute wrong numbers.

A reduction that keeps its dimensions ends the sparse layout, but what comes out of it is then
taken for NCHW. Without its dimensions, and with a RESHAPE that restores them, it is not. See
docs/runtime-model.md.

LiteRT 1.1 to 1.3 count a FULLY_CONNECTED that reads the reduction among the convolutions that need
zeros, so that one without keeps the whole net dense there. A RESHAPE between both prevents it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.outlook import prospects
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied, SubgraphPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.adapt.queries import reduces_map
from tflite_sparse.rewrite.adapt.readers import feeds_map
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model import Model, Operator
    from tflite_sparse.rewrite.adapt.adaptation import Step
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.passes.adapt_pass import AnyPass

__all__ = ["HEADS", "end_in_reduction", "separate_classifiers"]


_ROWS = 2
_COUNTS = "arm64@litert-1.3"


class Heads(SubgraphPass):
    """Lets every reduction over height and width that feeds no map drop its dimensions."""

    name = PassName.HEADS
    summary = "end the sparse layout after MEAN by a RESHAPE"
    detail = (
        "MEAN that keeps its dimensions drops them, and a RESHAPE restores them: this also repairs"
        " models that today's runtime refuses or gets wrong. A RESHAPE sets a classifier apart that"
        " would keep the model dense on LiteRT 1.1 to 1.3."
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


def _counts_classifiers(targets: Sequence[str]) -> bool:
    """Whether a release among the targets counts a FULLY_CONNECTED that reads a reduction."""
    releases = [target(name).runtime for name in targets]
    return any(
        each.sparse_fully_connected and not each.reshapes_for_fully_connected for each in releases
    )


def separate_classifiers(
    model: Model,
    labels: Mapping[Operator, str],
    passes: frozenset[AnyPass],
    targets: Sequence[str],
    *,
    changed: bool,
) -> tuple[Step, ...]:
    """Puts a RESHAPE in front of classifiers that keep the model dense on LiteRT 1.1 to 1.3.

    Args:
        model: the model, with dense weights.
        labels: what operators were called in the original model.
        passes: the passes that may be used.
        targets: names of the targets; one of those releases among them is reason enough.
        changed: whether the model is changed in any case, so that this costs nothing.
    """
    if HEADS not in passes or not (changed or _counts_classifiers(targets)):
        return ()
    editors = [Editor(subgraph) for subgraph in model.subgraphs]
    classifiers = [(editor, op) for editor in editors for op in _classifiers(editor)]
    if not classifiers or prospects(model, (_COUNTS,))[_COUNTS].outcome is not Outcome.DENSE:
        return ()
    steps = []
    for editor, op in classifiers:
        editor.apply(HEADS, op, partial(_separate, op, editor))
        label = labels.get(op, op.label)
        steps.append(msgspec.structs.replace(editor.steps[-1], operator=label))
    return tuple(steps)


def _classifiers(editor: Editor) -> list[Operator]:
    """The reductions without dimensions that a FULLY_CONNECTED reads."""
    return [
        op
        for op in _heads(editor)
        if not op.option("keep_dims", default=False)
        and len(op.outputs[0].shape) == _ROWS
        and any(
            use.operator.name == "FULLY_CONNECTED" and use.operand == 0
            for use in editor.subgraph.consumers(op.outputs[0])
        )
    ]


def _separate(operator: Operator, editor: Editor) -> Applied:
    result = operator.outputs[0]
    own = editor.value(result.shape, result, f"{result.name}/reduced")
    editor.write(operator, 0, own)
    shape = editor.constant(np.array([-1, result.shape[1]], np.int32), f"{own.name}/shape")
    editor.before(editor.after(operator), "RESHAPE", [own, shape], [result])
    return Applied(
        "is followed by a RESHAPE",
        "LiteRT 1.1 to 1.3 would count what reads it among the convolutions that need zeros",
    )
