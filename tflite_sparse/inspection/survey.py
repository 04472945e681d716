"""Everything about a model that a page with pictures shows: its inspection, and what is behind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.inspection.file.breakdown import SizePart, size_breakdown
from tflite_sparse.inspection.graph_edges import GraphOperator, graph_edges
from tflite_sparse.inspection.inspection import Inspection
from tflite_sparse.inspection.inspector import NEAR, inspect
from tflite_sparse.inspection.weights.zero_maps import ZeroMap, zero_maps
from tflite_sparse.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["CELLS", "Survey", "survey"]

CELLS = 350_000
"""Cells of the maps of a whole model: what keeps a page about 300 operators under a megabyte."""

_SIDES = (16, 64)


class Survey(Record, frozen=True):
    """A model from all sides.

    Attributes:
        inspection: what is known of it, with all its weights.
        operators: its operators in the order of the file, and which reads which.
        maps: where the zeros of each weight lie, in the order of the weights.
        parts: where its bytes are.
    """

    inspection: Inspection
    operators: tuple[GraphOperator, ...]
    maps: tuple[ZeroMap | None, ...]
    parts: tuple[SizePart, ...]


def survey(
    model: Model,
    *,
    near: float = NEAR,
    gzip: bool | None = None,
    targets: Sequence[Target] | None = None,
    cells: int = CELLS,
    progress: Callable[[int, int], None] | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
) -> Survey:
    """Looks at a model from all sides; for its parameters see `inspect`.

    Args:
        model: a model that was read from a file or from bytes.
        near: bound of magnitude for near zeros.
        gzip: whether to compute sizes after gzip.
        targets: the targets of which to say what the runtime does; None for all.
        cells: most cells of the maps of all weights together; each has at least 16 rows and columns
            and at most 64, or all of a smaller weight.
        progress: called with the bytes of weights that are done and the bytes of all.
        input_shapes: shapes of inputs that leave sizes open.
        batch: the first dimension, where that is open.
    """
    inspection = inspect(
        model,
        near=near,
        digest=True,
        gzip=gzip,
        shapes=True,
        targets=targets,
        progress=progress,
        input_shapes=input_shapes,
        batch=batch,
    )
    least, most = _SIDES
    side = min(max(math.isqrt(cells // max(1, len(inspection.weights))), least), most)
    return Survey(
        inspection=inspection,
        operators=graph_edges(model),
        maps=zero_maps(model, side=side, corner=side),
        parts=size_breakdown(model, inspection),
    )
