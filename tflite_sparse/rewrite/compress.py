"""The smallest file: every weight in as few bytes as its values allow, in the graph as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.rewrite.at_sizes import run_at_sizes
from tflite_sparse.rewrite.changes import RewriteKind
from tflite_sparse.rewrite.sequence import Sequence
from tflite_sparse.rewrite.storage.store_values import sparsify_pass
from tflite_sparse.storage.options import SparsifyOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence as SequenceOf

    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.changes import Rewrite
    from tflite_sparse.storage.values.calibration import Calibration
    from tflite_sparse.storage.values.options import ValuesOptions

__all__ = ["Compress", "compress"]


class Compress(Sequence):
    """Stores every weight in the smallest form that its values may take."""

    name = RewriteKind.COMPRESS
    summary = "Make a model small: store every weight in as few bytes as its values allow."

    def __init__(
        self,
        storage: SparsifyOptions | None = None,
        values: ValuesOptions | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        storage = storage or SparsifyOptions(reencode=True)
        super().__init__(sparsify_pass(storage, values, calibration))


def compress(
    model: Model,
    storage: SparsifyOptions | None = None,
    values: ValuesOptions | None = None,
    *,
    calibration: Calibration | None = None,
    input_shapes: Mapping[str, SequenceOf[int]] | None = None,
    batch: int | None = None,
) -> Rewrite:
    """Stores every weight in the smallest form that its values may take: sparse, narrower, or both.

    Operators stay as they are, but for those that unpack weights when the model is loaded.

    Args:
        model: the model; it stays as it is.
        storage: which weights, and how sparse ones are encoded; by default all, those that are
            sparse already included.
        values: the numbers in which they may be stored, which loses information; None for those
            that they have.
        calibration: see `optimize`.
        input_shapes: see `optimize`.
        batch: see `optimize`.

    Returns:
        What was done, with the new model.

    Raises:
        UsageError: there is no such input, or no model of such a size.
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding in the model is malformed.
    """
    return run_at_sizes(Compress(storage, values, calibration), model, input_shapes, batch)
