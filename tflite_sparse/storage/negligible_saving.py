"""Leaves a model alone where its weights together would save nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.storage.encoding_choice import DENSIFY_CODE_NBYTES
from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.storage.written_size import written_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.model import Model
    from tflite_sparse.storage.decision import Decision
    from tflite_sparse.storage.options import SparsifyOptions

__all__ = ["refuse_negligible_saving"]

_ALIGNMENT = 32
_OTHER_VECTORS = 64


def refuse_negligible_saving(
    model: Model, decisions: Iterable[Decision], options: SparsifyOptions
) -> None:
    """Refuses all weights where together they would not make the file smaller.

    The first DENSIFY adds an operator code, and a file that was packed tightly grows by the
    alignment of its buffers when it is written anew. What was asked for whatever it saves, zeros or
    other kernels, is not refused.
    """
    kept = [(d, d.candidate) for d in decisions if d.candidate is not None]
    if not kept or options.zero_below > 0 or any(candidate.direct for _, candidate in kept):
        return
    saving = sum(decision.bytes - candidate.bytes_after for decision, candidate in kept)
    if not any(operator.name == "DENSIFY" for operator in model.operators()):
        saving -= DENSIFY_CODE_NBYTES
    # Alignment costs at most so much; where more is saved, the exact number does not matter.
    if 0 < saving <= _ALIGNMENT * (len(model.buffers) + _OTHER_VECTORS) and model.size:
        saving -= written_size(model) - model.size
    if saving <= 0:
        reason = "all weights together would not make the file smaller"
        for decision, _ in kept:
            decision.refuse(Refusal("saves-too-little", reason))
