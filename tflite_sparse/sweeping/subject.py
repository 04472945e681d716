"""The model that is swept, as every process of a sweep holds it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from gc import collect

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.pruning.densities import least_zeros
from tflite_sparse.pruning.filters import Selected, find_filters
from tflite_sparse.pruning.nothing import nothing_to_prune
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.writing.reread import reread
from tflite_sparse.runtime.activations.calibrate import Split
from tflite_sparse.runtime.data.given import given_inputs, preparation_of
from tflite_sparse.runtime.data.images import Preparation
from tflite_sparse.runtime.observations import Outputs
from tflite_sparse.sweeping.options import SweepData, SweepOptions
from tflite_sparse.sweeping.times import Cost, dense_costs
from tflite_sparse.words.numbers import count_of

__all__ = ["Subject", "Task", "subject_of"]


class Task(msgspec.Struct, frozen=True):
    """What a process must know to make any point of a sweep.

    Attributes:
        path: a file that holds the model.
        options: what the sweep is asked for.
        data: where inputs come from; None for no data.
        folder: where what is done is kept; None for nowhere.
        files: where the files themselves are kept, to be run; None for nowhere.
    """

    path: str
    options: SweepOptions
    data: SweepData | None
    folder: str | None
    files: str | None


class Subject(msgspec.Struct, frozen=True, eq=False):
    """The model, and what is the same for every point.

    Attributes:
        model: the model with all weights dense.
        selected: the filters to prune.
        dense: what a run takes on dense kernels, by the estimate and target.
        fitted: inputs that values are fitted to.
        held_out: inputs by which quality is judged.
        images: how images became both; None without images.
    """

    model: Model
    selected: Selected
    dense: dict[str, Cost]
    fitted: Sequence[Outputs]
    held_out: Sequence[Outputs]
    images: Preparation | None = None

    @property
    def own(self) -> float:
        """The share of zeros that the filters have as they are."""
        filters = self.selected.filters
        zeros = sum(int((prunable.values == 0).sum()) for prunable in filters)
        return zeros / sum(prunable.size for prunable in filters)

    @property
    def least(self) -> float:
        """The share of zeros from which the rule of two thirds holds in all clusters."""
        clusters = {prunable.cluster for prunable in self.selected.filters}
        return max(least_zeros(self.selected, cluster) for cluster in clusters)


@lru_cache(maxsize=1)
def subject_of(task: Task) -> Subject:
    """The model of a sweep; a process that is asked again has it still.

    Raises:
        UsageError: no filter would ever run sparse, or there are too few inputs.
        TfliteSparseError: the model or the data cannot be read.
    """
    original = Model.read(task.path)
    rewritten = densify(original.copy())
    model = reread(rewritten.model) if rewritten.changed else original
    selected = find_filters(model, task.options.pruning(task.options.shares[0]))
    if not selected.filters:
        raise nothing_to_prune(selected)
    # As large as the model, and of no more use.
    selected = msgspec.structs.replace(selected, trial=model)
    collect()
    fitted: Sequence[Outputs] = ()
    held_out: Sequence[Outputs] = ()
    images = None
    if task.data is not None:
        inputs = given_inputs(task.data.source, model, task.data.images)
        split, images = Split.of(inputs), preparation_of(inputs)
        if split.held_out is split.fitted:
            count = count_of(len(split.fitted), "input")
            raise UsageError(
                f"{task.data.source} has {count}, and one of four is held out",
                hint="give 4 at least; a few hundred make sense",
            )
        fitted, held_out = split.fitted, split.held_out
    dense = dense_costs(model, task.options.names)
    return Subject(model, selected, dense, fitted, held_out, images)
