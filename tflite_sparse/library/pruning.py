"""Pruning, whose options may be given by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.library.models import opened
from tflite_sparse.library.rewrites import with_fields
from tflite_sparse.pruning import prune as engine
from tflite_sparse.pruning.options import PruneOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.library.models import ModelLike
    from tflite_sparse.pruning.result import PrunedModel
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["prune"]

# Options say how many zeros there are to be; these are replaced by what is asked for.
_UNASKED = PruneOptions(zeros=0.0)
_HOW_MANY = ("zeros", "speed", "size")


def prune(
    model: ModelLike,
    options: PruneOptions | None = None,
    calibration: Sequence[Outputs] = (),
    *,
    labels: Sequence[int] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    **fields: Any,
) -> PrunedModel:
    """Sets weights to zero in the filters that `optimize` then makes run sparse.

    Everything else of the file stays as it is, but for biases with data: they make up for what the
    zeros change on average.

    Args:
        model: the dense model, which stays as it is, or what `read` makes one of.
        options: how many zeros, where, and how they are chosen; None where `fields` say so.
        calibration: sets of inputs by position, as "0", to which values are fitted; without any,
            values are chosen by magnitude.
        labels: the class of each of them, for training; None for none.
        progress: is told what is worked on, how much is done, and of how much: filters, or batches
            of a training.
        fields: fields of `PruneOptions`, such as `zeros=0.8`.

    Returns:
        The pruned model, stored dense, and what was done; `write` writes it.

    Raises:
        UsageError: there is no such field; no filter can run sparse, or not with so many zeros; the
            options contradict each other, or name filters that are not pruned.
        RewriteError: the model cannot be written without loss.
        RuntimeUnavailableError: LiteRT, which runs the model on the data, is not installed; or
            PyTorch, which trains it.
        RuntimeFailureError: LiteRT does not run the model, or what a filter reads on the data is
            not finite.
    """
    if options is None:
        options, fields = _UNASKED, dict.fromkeys(_HOW_MANY) | fields
    chosen = with_fields(options, fields)
    return engine.prune(opened(model), chosen, calibration, labels=labels, progress=progress)
