"""Whether a model leaves no more than its batch open, which no page takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.model.sizes.sized import InputShapes

__all__ = ["open_batch"]

_BROWSER = "wasm"


def open_batch(inspection: Inspection) -> InputShapes | None:
    """The batches that are to be fixed for the browser; None for none.

    Args:
        inspection: what is known of a model.

    Returns:
        The sizes that it is looked at with, where it leaves batches open and nothing else, and the
        browser is among the targets.
    """
    sizes = inspection.input_shapes
    if sizes is None or not sizes.inputs or not sizes.only_batches:
        return None
    names = {target.name for group in inspection.runtime for target in group.targets}
    return sizes if _BROWSER in names else None
