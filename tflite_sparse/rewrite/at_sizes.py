"""Runs a pass over a model at the sizes that somebody asks for, which the result then has."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model.sizes.fix import fix_sizes
from tflite_sparse.model.sizes.sized import input_shapes_of
from tflite_sparse.rewrite.changes import OperatorChange, Rewrite
from tflite_sparse.rewrite.sequence import joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.model_pass import ModelPass

__all__ = ["run_at_sizes"]


def run_at_sizes(
    rewrite: ModelPass,
    model: Model,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
) -> Rewrite:
    """Runs a pass; where sizes are asked for, on a model of these sizes.

    Args:
        rewrite: the pass.
        model: the model; edited in place where the pass does that.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one.
        batch: the first dimension, where that is open.

    Returns:
        What was done, and for which sizes.

    Raises:
        UsageError: there is no such input, it cannot have that shape, the model does not take it,
            or it leaves sizes open for which none was asked.
        RewriteError: see the pass.
        EncodingError: see the pass.
    """
    if not input_shapes and batch is None:
        sizes = input_shapes_of(model)
        result = rewrite.run(model)
        return msgspec.structs.replace(result, input_shapes=sizes if sizes.inputs else None)
    subject = model if rewrite.in_place else model.copy()
    before = Counter(operator.name for operator in subject.operators())
    sizes = fix_sizes(subject, input_shapes, batch)
    folded = before - Counter(operator.name for operator in subject.operators())
    gone = tuple(OperatorChange(name, removed=count) for name, count in folded.items())
    result = rewrite.run(subject)
    if not sizes.inputs:
        # They are those of the file.
        return result
    result = joined(Rewrite(subject, result.kind, operators=gone), result)
    return msgspec.structs.replace(result, input_shapes=sizes, fixed=True)
