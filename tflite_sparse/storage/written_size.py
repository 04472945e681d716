"""The size of the file that a model would be written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.flatbuffer.byte_layout import lay_out
from tflite_sparse.flatbuffer.schema import schema

if TYPE_CHECKING:
    from tflite_sparse.model import Model

__all__ = ["written_size"]


def written_size(model: Model) -> int:
    """Size in bytes of the file that a model would be written to; nothing is computed for it."""
    model.commit()
    layout = lay_out(model.table, schema().identifier, model.file.source)
    return layout.size + sum(int(run.data.size) for run in model.appended)
