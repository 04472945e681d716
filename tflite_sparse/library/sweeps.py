"""Sweeps, whose options may be given by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.library.models import opened
from tflite_sparse.library.rewrites import with_fields
from tflite_sparse.sweeping import sweep as engine
from tflite_sparse.sweeping.options import SweepData, SweepOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.library.models import ModelLike
    from tflite_sparse.runtime.benched import Here
    from tflite_sparse.sweeping.result import Sweep

__all__ = ["sweep"]


def sweep(
    model: ModelLike,
    options: SweepOptions | None = None,
    *,
    data: str | SweepData | None = None,
    rivals: Sequence[str] = (),
    bench: Here | None = None,
    processes: int = 1,
    resume: bool = True,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    **fields: Any,
) -> Sweep:
    """Size, speed and quality of a model over the share of its zeros, beside its rivals.

    Args:
        model: the model, which stays as it is, or what `read` makes one of.
        options: which shares, and how zeros come about.
        data: inputs, a folder, a file or "module:function", that values are fitted to and by which
            quality is judged; None for none: then zeros are placed by magnitude, for size and speed
            alone.
        rivals: files to hold beside it.
        bench: where all of them are run, in turn; None for nowhere.
        processes: how many processes do it; with more than one, a program has to keep what it
            does at its start behind `if __name__ == "__main__"`.
        resume: whether what an earlier run has done is taken, and what is done is kept.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one.
        batch: the same for the first dimension alone.
        fields: fields of `SweepOptions`, such as `shares=(0.7, 0.8)`.

    Raises:
        UsageError: there is no such field, or no filter would ever run sparse.
        TfliteSparseError: the model or the data cannot be read, written or run.
    """
    return engine.sweep(
        opened(model),
        with_fields(options or SweepOptions(), fields),
        data=SweepData(data) if isinstance(data, str) else data,
        rivals=rivals,
        bench=bench,
        processes=processes,
        resume=resume,
        input_shapes=input_shapes,
        batch=batch,
    )
