"""A model that was edited, as the file that it would be."""

from __future__ import annotations

from tflite_sparse.files.output import scratch
from tflite_sparse.model import Model

__all__ = ["reread"]


def reread(model: Model) -> Model:
    """A model as it is after it was written, where that can be to a file without a name.

    What is mapped from a file needs no memory of the process, and is copied for nothing.

    Raises:
        RewriteError: the model holds something that would be lost.
    """
    try:
        with scratch() as (file, path):
            model.write(file)
            file.flush()
            return Model.read(path)
    except OSError:
        # There is no room for it, or no place.
        return Model.read(model.to_bytes())
