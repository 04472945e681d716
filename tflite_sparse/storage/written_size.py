"""The size of the file that a model would be written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflite_sparse.model import Model

__all__ = ["written_size"]


def written_size(model: Model) -> int:
    """Size in bytes of the file that a model would be written to; nothing is computed for it.

    It has a size even where writing it would be refused.
    """
    model.commit()
    return model.file.layout(to_write=False).size
