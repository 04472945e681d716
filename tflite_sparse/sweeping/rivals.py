"""Other ways to make a model small or fast, made from it, and files of the user's own."""

from __future__ import annotations

from gc import collect
from pathlib import PurePath
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import RuntimeFailureError, RuntimeUnavailableError, TfliteSparseError
from tflite_sparse.inspection.file.gzip_size import file_bytes, gzip_size
from tflite_sparse.model import Model
from tflite_sparse.pruning.judge import judge
from tflite_sparse.rewrite.storage.store_values import store_values
from tflite_sparse.rewrite.writing.reread import reread
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions
from tflite_sparse.sweeping.kept import keep, keep_file, kept
from tflite_sparse.sweeping.quantized import full_int8
from tflite_sparse.sweeping.result import Rival, RivalKind
from tflite_sparse.sweeping.subject import subject_of
from tflite_sparse.sweeping.times import plans_of, predicted

if TYPE_CHECKING:
    from tflite_sparse.sweeping.subject import Subject, Task

__all__ = ["MADE", "NAMES", "rival"]

MADE = tuple(kind for kind in RivalKind if kind is not RivalKind.FILE)
"""What is made from the model."""

NAMES = {
    RivalKind.DENSE_FP32: "dense",
    RivalKind.DENSE_FP16: "dense fp16",
    RivalKind.WEIGHTS_INT8: "int8 weights",
    RivalKind.FULL_INT8: "full int8",
}

_NO_DATA = "--data gives the inputs that it is made from"
_STORED = {
    RivalKind.DENSE_FP16: StoredValues.FP16,
    RivalKind.WEIGHTS_INT8: StoredValues.INT8,
}


def rival(task: Task, which: RivalKind | str) -> Rival:
    """Makes a rival, or takes the one that was kept.

    Args:
        task: what the sweep is about.
        which: what to make; a string is the path of a file.

    Returns:
        The rival; where it cannot be made, what it lacks.

    Raises:
        FileError: the file cannot be read.
        TfliteSparseError: the model cannot be written.
    """
    if not isinstance(which, RivalKind):
        entry = Rival(RivalKind.FILE, _name(which), which, None, None)
        return _rated(task, subject_of(task), entry, Model.read(which))
    name = f"rival-{which}"
    before = kept(task.folder, name, Rival)
    if before is not None and task.files is None:
        return before
    fresh = _made(task, which, before)
    # What another package does not do today, it may do tomorrow.
    if fresh.bytes is not None:
        keep(task.folder, name, fresh)
    return fresh


def _made(task: Task, kind: RivalKind, before: Rival | None) -> Rival:
    """A rival, with its file where that is to be run; nothing is judged that was before."""
    subject = subject_of(task)
    entry = Rival(kind, NAMES[kind], None, None, None)
    if kind is RivalKind.FULL_INT8:
        if not len(subject.fitted):
            return msgspec.structs.replace(entry, note=_NO_DATA)
        try:
            model = Model.read(full_int8(subject.model, subject.fitted))
        except (RuntimeUnavailableError, RuntimeFailureError) as error:
            return msgspec.structs.replace(entry, note=str(error))
    elif kind in _STORED:
        options = ValuesOptions(_STORED[kind])
        model = reread(store_values(subject.model.copy(), options).model)
    else:
        model = subject.model
    collect()
    if task.files is not None:
        keep_file(task.files, f"rival-{kind}", file_bytes(model))
    if before is not None:
        return before
    return _rated(task, subject, entry, model)


def _rated(task: Task, subject: Subject, entry: Rival, model: Model) -> Rival:
    """A rival with its size, its time and its quality."""
    quality, note = None, entry.note
    if len(subject.held_out) and entry.kind is not RivalKind.DENSE_FP32:
        try:
            quality = judge(subject.model, model, subject.held_out)
        except TfliteSparseError as error:
            note = f"its quality is unknown: {error}"
    return msgspec.structs.replace(
        entry,
        bytes=model.size,
        gzip=gzip_size(file_bytes(model)),
        times=predicted(model, plans_of(model, task.options.names), subject.dense),
        quality=quality,
        note=note,
    )


def _name(path: str) -> str:
    return PurePath(path).name
