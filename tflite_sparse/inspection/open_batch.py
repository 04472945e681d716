"""Whether a model leaves no more than its batch open, which no page takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.model.sizes.sized import InputShapes

__all__ = ["batch_to_fix", "open_batch"]

_BROWSER = "wasm"


def open_batch(inspection: Inspection) -> InputShapes | None:
    """The batches of a model that are to be fixed for the browser; None for none.

    Args:
        inspection: what is known of the model; its targets count.
    """
    targets = (target.name for group in inspection.runtime for target in group.targets)
    return batch_to_fix(inspection.input_shapes, targets)


def batch_to_fix(sizes: InputShapes | None, targets: Iterable[str]) -> InputShapes | None:
    """The sizes where batches are all that they leave open, and the browser is a target.

    Args:
        sizes: the sizes that a model is looked at with; None where they are not known.
        targets: names of the targets.
    """
    return sizes if sizes is not None and sizes.only_batches and _BROWSER in targets else None
