"""Writes the sizes that a model is looked at with into the model itself.

A browser's runtime takes no model with open sizes, and integers that the model computes of its
sizes keep XNNPACK from taking what reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.errors import Place, UsageError
from tflite_sparse.model.sizes.asked import entries, open_shape, shown_open
from tflite_sparse.model.sizes.propagate import Misfit, Propagated, propagate
from tflite_sparse.model.sizes.sized import InputShapes, resize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model.model import Model
    from tflite_sparse.model.operator import Operator
    from tflite_sparse.model.subgraph import Subgraph

__all__ = ["fix_sizes", "fixed_copy"]


def fix_sizes(
    model: Model,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    *,
    defaults: bool = False,
) -> InputShapes:
    """Gives a model fixed sizes: no tensor leaves one open, but where its values decide.

    Integers that the model computed of open sizes become constants, and their operators go.

    Args:
        model: the model; it is edited in place.
        input_shapes: shapes by the name of the input, "" for the only one.
        batch: the first dimension, where that is open.
        defaults: whether sizes that nobody asked for become those that the model is looked at with.

    Returns:
        What the sizes were fixed to.

    Raises:
        UsageError: there is no such input, it cannot have that shape, the model does not take it,
            or it leaves sizes open for which none was asked.
    """
    sizes = resize(model, input_shapes, batch)
    left = [entry for entry in sizes.inputs if entry.source == "default"]
    if left and not defaults:
        raise UsageError(
            f"input {left[0].name!r} is {shown_open(left[0].open)} in the file, and a model of"
            " fixed size needs them all",
            place=Place(file=model.name),
            hint=f"give them with --input-shape, as in {left[0].name}="
            + ",".join(map(str, left[0].shape)),
        )
    for subgraph in entries(model):
        if any(-1 in open_shape(tensor) for tensor in subgraph.inputs):
            try:
                propagated = propagate(subgraph, {})
            except Misfit as error:
                raise UsageError(
                    f"the model does not take its sizes: {error}", place=Place(file=model.name)
                ) from None
            _write(subgraph, propagated)
            _fold(subgraph, propagated)
    model.input_shapes = None
    return sizes


def _write(subgraph: Subgraph, propagated: Propagated) -> None:
    for tensor, shape in propagated.shapes.items():
        table = tensor.table
        if table["shape_signature"] is not None:
            table["shape_signature"] = None
        if table["shape"] is None or tuple(table["shape"].tolist()) != shape:
            table["shape"] = np.array(shape, np.int32)
        tensor.shape = shape
    subgraph.memo.clear()


def _fold(subgraph: Subgraph, propagated: Propagated) -> None:
    """Makes constants of the integers that operators computed of sizes."""
    seen = subgraph.interface
    gone: list[Operator] = [
        operator
        for operator in subgraph.operators
        if operator.outputs
        and all(t in propagated.integers and t not in seen for t in operator.outputs)
    ]
    if not gone:
        return
    dropped = set(gone)
    inner = []
    for operator in gone:
        for tensor in operator.outputs:
            if all(use.operator in dropped for use in subgraph.consumers(tensor)):
                inner.append(tensor)
                continue
            tensor.store_in(subgraph.model.add_buffer(propagated.integers[tensor]))
    subgraph.remove(gone, inner)


def fixed_copy(model: Model, input_shapes: Mapping[str, Sequence[int]] | None) -> Model:
    """A copy of fixed sizes: those that were asked for, and where none were, the default ones.

    Args:
        model: the model; it stays as it is.
        input_shapes: shapes by the name of the input, "" for the only one.

    Raises:
        UsageError: see `fix_sizes`.
        RewriteError: the model cannot be written without loss.
    """
    copy = model.copy()
    fix_sizes(copy, input_shapes, defaults=True)
    return copy
