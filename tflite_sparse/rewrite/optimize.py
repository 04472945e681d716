"""All in one step: adapt a model, then store its weights sparse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model.sizes.asked import shown_open
from tflite_sparse.model.sizes.sized import input_shapes_of
from tflite_sparse.rewrite.adapt.outlook import TARGETS
from tflite_sparse.rewrite.adapt.planner import Adapt
from tflite_sparse.rewrite.at_sizes import run_at_sizes
from tflite_sparse.rewrite.changes import RewriteKind
from tflite_sparse.rewrite.sequence import Sequence
from tflite_sparse.rewrite.storage.store_values import sparsify_pass
from tflite_sparse.storage.options import SparsifyOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence as SequenceOf

    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.adapt.options import AdaptOptions
    from tflite_sparse.rewrite.changes import Rewrite
    from tflite_sparse.storage.values.calibration import Calibration
    from tflite_sparse.storage.values.options import ValuesOptions

__all__ = ["Optimize", "optimize"]

_BROWSER = "wasm"


class Optimize(Sequence):
    """Adapts a model where that pays, and stores its weights sparse where that is smaller."""

    name = RewriteKind.OPTIMIZE
    summary = (
        "Make a pruned model small and fast: adapt it, store its weights sparse, and prove it."
    )

    def __init__(
        self,
        options: AdaptOptions | None = None,
        storage: SparsifyOptions | None = None,
        values: ValuesOptions | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        storage = storage or SparsifyOptions(lean_download=True)
        super().__init__(Adapt(options), sparsify_pass(storage, values, calibration))
        self._for_browsers = _BROWSER in ((options and options.targets) or TARGETS)

    def apply(self, model: Model) -> Rewrite:
        """Runs the passes; of a result that is for browsers too, and no page takes, says why."""
        result = super().apply(model)
        sizes = input_shapes_of(model)
        if not (self._for_browsers and sizes.inputs):
            return result
        note = (
            f"its input is {shown_open(sizes.inputs[0].open)}, and LiteRT.js takes no open sizes,"
            f" so that it runs in no page: {sizes.fixing} fixes them"
        )
        return msgspec.structs.replace(result, notes=(*result.notes, note))


def optimize(
    model: Model,
    options: AdaptOptions | None = None,
    storage: SparsifyOptions | None = None,
    values: ValuesOptions | None = None,
    *,
    calibration: Calibration | None = None,
    input_shapes: Mapping[str, SequenceOf[int]] | None = None,
    batch: int | None = None,
) -> Rewrite:
    """Adapts a model where that pays, and stores its weights sparse where that is smaller.

    Args:
        model: the model; it stays as it is.
        options: how it is adapted.
        storage: how its weights are stored; by default as `sparsify` does, but for int8 weights
            that run dense in any case and would make the download larger.
        values: the numbers in which they are stored, which loses information; None for those that
            they have.
        calibration: runs a model on data, to which int8 values are then fitted, such as
            `runtime.activations.calibrate.calibrated` gives; None for none.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one. The
            result has these sizes for good.
        batch: the same for the first dimension alone.

    Returns:
        What was done, what `adapt` did and the changes of `sparsify`, with the new model.

    Raises:
        UsageError: there is no such target or input, or no model of such a size.
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding in the model is malformed.
    """
    rewrite = Optimize(options, storage, values, calibration)
    return run_at_sizes(rewrite, model, input_shapes, batch)
