"""One point of a sweep: a model with a share of zeros, adapted and stored sparse."""

from __future__ import annotations

from gc import collect
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.file.gzip_size import file_bytes, gzip_size, written_sizes
from tflite_sparse.pruning.calibrated.calibrate import Calibrator
from tflite_sparse.pruning.calibrated.fitted import Fitted, by_magnitude, put_in, zeros_of
from tflite_sparse.pruning.channels.reorder import in_blocks
from tflite_sparse.pruning.densities import kept_shares
from tflite_sparse.pruning.judge import judge
from tflite_sparse.pruning.options import Method
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.planner import Adapt
from tflite_sparse.rewrite.storage.store_values import sparsify_pass
from tflite_sparse.rewrite.writing.reread import reread
from tflite_sparse.storage.options import SparsifyOptions
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions
from tflite_sparse.sweeping.kept import keep, keep_file, kept, name_of
from tflite_sparse.sweeping.result import PointLayer, StoredSize, SweepPoint
from tflite_sparse.sweeping.subject import Subject, Task, subject_of
from tflite_sparse.sweeping.times import plans_of, predicted, sparse_filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.adapt.adaptation import Adaptation

__all__ = ["method_of", "point", "times_at"]


def method_of(task: Task) -> Method:
    """How values are chosen: with data they are fitted, unless something else is asked."""
    return task.options.method or (Method.MAGNITUDE if task.data is None else Method.CALIBRATED)


def point(task: Task, share: float | None) -> SweepPoint:
    """Makes a point, or takes the one that was kept.

    Args:
        task: what the sweep is about.
        share: the share of zeros; None for the model as it is.

    Raises:
        TfliteSparseError: the model cannot be written, read or run.
    """
    name = name_of(share)
    before = kept(task.folder, name, SweepPoint)
    if before is not None and task.files is None:
        return before
    subject = subject_of(task)
    zeros, adaptation, base = _adapted(task, subject, share)
    sizes = {}
    for values in () if before is not None else StoredValues:
        if values is not task.options.values:
            sizes[values] = StoredSize(values, *written_sizes(_stored(base, values)))
            base.passed(base.size)
            collect()
    model = reread(_stored(base, task.options.values))
    del base
    collect()
    content = file_bytes(model)
    if task.files is not None:
        keep_file(task.files, name, content)
    if before is not None:
        return before
    sizes[task.options.values] = StoredSize(task.options.values, content.size, gzip_size(content))
    plans = plans_of(model, task.options.names)
    sparse = {target: sparse_filters(model, planned) for target, planned in plans.items()}
    layers = _layers(subject, zeros, sparse)
    point = SweepPoint(
        share,
        sum(layer.zeros for layer in layers),
        sum(layer.elements for layer in layers),
        adaptation is not None and adaptation.done,
        None if adaptation is None or adaptation.done else adaptation.reason,
        tuple(sizes[values] for values in StoredValues),
        predicted(model, plans, subject.dense),
        layers,
        quality=judge(subject.model, model, subject.held_out) if len(subject.held_out) else None,
    )
    keep(task.folder, name, point)
    return point


def times_at(task: Task, share: float) -> SweepPoint:
    """A point with nothing but what is predicted: cheaper, to look between others."""
    fast = msgspec.structs.replace(task, folder=None, files=None)
    subject = subject_of(task)
    zeros, _, base = _adapted(fast, subject, share, Method.MAGNITUDE)
    model = _stored(base, task.options.values)
    times = predicted(model, plans_of(model, task.options.names), subject.dense)
    size = sum(prunable.size for prunable in subject.selected.filters)
    return SweepPoint(share, sum(zeros), size, False, None, (), times, ())


def _adapted(
    task: Task, subject: Subject, share: float | None, method: Method | None = None
) -> tuple[list[int], Adaptation | None, Model]:
    """(the zeros of each filter, what came of adapting it, the model as it is then).

    Both models are copied several times, and a copy of what was edited takes as much memory as the
    model: so they are read from files.
    """
    model, zeros = _pruned(task, subject, share, method or method_of(task))
    if share is not None:
        model = reread(model)
        subject.model.passed(subject.model.size)
        collect()
    adapted = Adapt(AdaptOptions(task.options.names)).run(model)
    if adapted.model is not model:
        model = reread(adapted.model)
    model.passed(model.size)
    adaptation = adapted.adaptation
    del adapted
    collect()
    return zeros, adaptation, model


def _pruned(
    task: Task, subject: Subject, share: float | None, method: Method
) -> tuple[Model, list[int]]:
    selected, model = subject.selected, subject.model
    if share is None:
        return model, [zeros_of(prunable.values) for prunable in selected.filters]
    options = task.options.pruning(share)
    model, selected, *_ = in_blocks(model, selected, options, share)
    filters = selected.filters
    shares = kept_shares(selected, share, task.options.allocation, options)
    pruned = model.copy()
    fitted: Iterable[Fitted]
    if method is Method.CALIBRATED:
        fitted = Calibrator(model, selected, options, subject.fitted).fit(shares)
    else:
        # One after the other, as each is a copy of the filter.
        fitted = (
            by_magnitude(prunable, kept, options.block)
            for prunable, kept in zip(filters, shares, strict=True)
        )
    zeros = []
    for prunable, fit in zip(filters, fitted, strict=True):
        put_in(pruned, prunable, fit)
        zeros.append(zeros_of(fit.values))
    return pruned, zeros


def _stored(model: Model, values: StoredValues) -> Model:
    """A copy that is stored as `optimize` stores it."""
    storage = SparsifyOptions(lean_download=True)
    return sparsify_pass(storage, ValuesOptions(values)).run(model.copy()).model


def _layers(
    subject: Subject, zeros: Sequence[int], sparse: Mapping[str, frozenset[str]]
) -> tuple[PointLayer, ...]:
    filters = subject.selected.filters
    names = [prunable.weight.tensor.name for prunable in filters]
    on = {target: {_origin(name, names) for name in run} for target, run in sparse.items()}
    return tuple(
        PointLayer(
            name,
            prunable.size,
            count,
            tuple(target for target, origins in on.items() if name in origins),
            prunable.id.operators,
        )
        for name, prunable, count in zip(names, filters, zeros, strict=True)
    )


def _origin(name: str, filters: Sequence[str]) -> str:
    """The filter that a weight of the adapted model was made of, whose name it goes on."""
    parts = [
        own for own in filters if name == own or (name.startswith(own) and name[len(own)] in "/_")
    ]
    return max(parts, key=len, default="")
