"""Which layers' zeros the runtime will skip, before any training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.model.weights import find_weights
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.pruning.filters import NO_KERNEL, TRIED, find_filters, sparse_parts, trial_of
from tflite_sparse.pruning.options import PruneOptions
from tflite_sparse.rewrite.adapt.outlook import TARGETS
from tflite_sparse.storage.weight_id import WeightId
from tflite_sparse.training.eligible_types import (
    Counts,
    Eligibility,
    EligibleLayer,
    EligibleModel,
    OnTarget,
)
from tflite_sparse.training.exporting import exported
from tflite_sparse.training.layers import layers_of
from tflite_sparse.training.matching import matched
from tflite_sparse.xnnpack.assumptions import WhatIf
from tflite_sparse.xnnpack.plan import plan

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model.weights import Weight
    from tflite_sparse.pruning.filters import Parts, Selected, Trial
    from tflite_sparse.training.layers import LayerWeight
    from tflite_sparse.training.matching import Match

__all__ = ["eligible"]

_NOT_THERE = "no weight of the exported model has its values"
_OUTSIDE = "XNNPACK does not multiply by it in the sparse layout"


def eligible(
    model: Any,
    example_input: Any = None,
    *,
    tflite: Model | str | os.PathLike[str] | bytes | None = None,
    targets: Sequence[str] = (),
    block: int = 1,
) -> EligibleModel:
    """Names the layers whose zeros will count, and what stands in the way of others.

    The model is converted with weights drawn at random, gets zeros wherever that makes sense, and
    is planned as it is and after `optimize`, as the runtime would see it. So it does not matter
    whether it has been trained.

    Args:
        model: a module of PyTorch, or a model of Keras 3. It stays as it is.
        example_input: an input of the shape and type in which the model will be used, on a device
            most often one picture; a tuple of them where it has several.
        tflite: the model as it was converted, instead of an example; layers are found by the values
            of its filters, and where it is of another training, by their shapes and order.
        targets: the targets on which zeros must count; the usual ones where none is named.
        block: neighbouring output channels that will have their zeros together: 1, 2 or 4.

    Returns:
        The layers, by their names in the framework. It prints as a table; `report` is data.

    Raises:
        UsageError: it is no such model, the converter refuses it, or there is no such target.
        RuntimeUnavailableError: no converter is installed, and no file is given.
        FileError: the file cannot be read.
    """
    layers = layers_of(model)
    if tflite is None:
        if example_input is None:
            raise UsageError("an example of the model's input is needed, or the .tflite file")
        inputs = example_input if isinstance(example_input, (tuple, list)) else (example_input,)
        data, layers = exported(model, inputs)
        file = Model.read(data)
    else:
        file = tflite if isinstance(tflite, Model) else Model.read(tflite)
    options = PruneOptions(zeros=TRIED, targets=tuple(targets) or TARGETS, block=block)
    trial = trial_of(file, options)
    selected = find_filters(file, options, trial)
    matches = matched(layers, [*find_weights(file, by_bytes=True)])
    return _result(file, options, layers, matches, trial, selected)


def _result(
    file: Model,
    options: PruneOptions,
    layers: Sequence[LayerWeight],
    matches: Sequence[Match],
    trial: Trial,
    selected: Selected,
) -> EligibleModel:
    exported = {match.weight.tensor: match for match in matches}
    own = {
        p.number: exported[p.weight.tensor] for p in selected.filters if p.weight.tensor in exported
    }
    numbers = {weight.tensor: number for number, weight in enumerate(trial.weights)}
    views = {
        target: (_exported(trial, target), _parts(selected.trial, target))
        for target in options.targets
    }
    left = {(one.weight.subgraph, one.weight.tensor): one.reason for one in selected.left}
    lines = []
    for layer in layers:
        match = next((match for match in matches if match.layer is layer), None)
        weight = None if match is None else match.weight
        lines.append(
            EligibleLayer(
                layer.name,
                layer.kind,
                tuple(layer.values.shape),
                int(layer.values.size),
                None if weight is None else WeightId.of(weight),
                match is not None and match.by_values,
                tuple(
                    OnTarget(target, *_counted(weight, numbers, views[target], left))
                    for target in options.targets
                ),
            )
        )
    lost = [p.id.name for p in selected.filters if p.number not in own]
    report = Eligibility(options.targets, tuple(lines), tuple(lost))
    return EligibleModel(report, file, _restricted(selected, own), own, options)


def _parts(model: Model, target: str) -> Parts:
    return sparse_parts(model, plan(model.main, target, zeros=ZeroCounts()))


def _exported(trial: Trial, target: str) -> Parts:
    """The same of the model as it was exported, with its weights stored sparse and no more."""
    stored = frozenset(weight.tensor.index for weight in trial.weights)
    planned = plan(trial.model.main, target, assume=WhatIf(stored), zeros=ZeroCounts())
    parts = sparse_parts(trial.model, planned)
    changes = planned.verdict.changes
    for number, why in parts.dense.items():
        if why == NO_KERNEL and changes:
            parts.dense[number] = changes[0].message
    return parts


def _counted(
    weight: Weight | None,
    numbers: Mapping[Any, int],
    views: tuple[Parts, Parts],
    left: Mapping[tuple[int, int], str],
) -> tuple[Counts, str | None]:
    if weight is None:
        return Counts.NO, _NOT_THERE
    before, after = views
    number = numbers.get(weight.tensor)
    if number is None:
        identity = WeightId.of(weight)
        kinds = sorted({reader.name for reader in weight.readers})
        reason = left.get((identity.subgraph, identity.tensor))
        return Counts.NO, reason or f"{' and '.join(kinds) or 'nothing'} has no sparse kernel"
    if number in before.clusters and number not in before.dense:
        return Counts.YES, None
    if number in after.clusters and number not in after.dense:
        return Counts.ADAPTED, before.dense.get(number, _OUTSIDE)
    shape = weight.tensor.shape
    if shape[1:3] != (1, 1):
        wide = "x".join(map(str, shape[1:3]))
        return (
            Counts.NO,
            f"a {wide} convolution, and optimize does not make 1x1 ones of it",
        )
    return Counts.NO, after.dense.get(number, _OUTSIDE)


def _restricted(selected: Selected, own: Mapping[int, Match]) -> Selected:
    """The same without weights that are no layer's: those stay dense in their clusters."""
    values = dict(selected.other_values)
    for prunable in selected.filters:
        if prunable.number not in own:
            values[prunable.cluster] = values.get(prunable.cluster, 0) + prunable.size
    filters = tuple(p for p in selected.filters if p.number in own)
    return msgspec.structs.replace(selected, filters=filters, other_values=values)
