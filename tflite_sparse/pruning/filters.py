"""Which filters are worth pruning: those that `optimize` will make run sparse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tflite_sparse.errors import RewriteError
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import weight_bytes
from tflite_sparse.model.types import FLOATS
from tflite_sparse.model.uses import trace_constant
from tflite_sparse.model.weights import Weight, find_weights
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.pruning.masks import smallest
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.outlook import TARGETS
from tflite_sparse.rewrite.changes import Left
from tflite_sparse.rewrite.optimize import Optimize
from tflite_sparse.rewrite.writing.reread import reread
from tflite_sparse.storage.weight_id import WeightId
from tflite_sparse.xnnpack.cost.planning import Planning
from tflite_sparse.xnnpack.plan import plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Operator
    from tflite_sparse.pruning.options import PruneOptions
    from tflite_sparse.xnnpack.plan import Plan

__all__ = [
    "NO_KERNEL",
    "TRIED",
    "Parts",
    "Prunable",
    "Selected",
    "Trial",
    "find_filters",
    "numbered",
    "pruned_number",
    "reading",
    "sparse_parts",
    "trial_of",
]

_RANK = 4
_READERS = frozenset({"CONV_2D", "TRANSPOSE_CONV"})
_WEIGHED = _READERS | {"FULLY_CONNECTED"}
TRIED = 0.8
"""Share of zeros with which the runtime is asked what it would run sparse."""
NO_KERNEL = "no sparse kernel runs it"
"""Why a filter runs dense where nothing else tells."""
_NAME = "pruned filter {}"
_NUMBERED = re.compile(r"pruned filter (\d+)(?:[/_].*)?")


class Prunable(msgspec.Struct, frozen=True, eq=False):
    """A filter whose zeros the runtime will skip.

    Attributes:
        weight: its data, with the tensors that hold it and the convolutions that read it.
        id: what people call it.
        cluster: which cluster it belongs to: those that have the same go sparse together.
        price: what a value costs that is not zero, on the first target.
        number: what the trial knows it by.
    """

    weight: Weight
    id: WeightId
    cluster: int
    price: float
    number: int = 0

    @property
    def values(self) -> NDArray[np.float32]:
        """Its values as they are computed with, shape (outputs, height, width, inputs)."""
        return np.asarray(self.weight.tensor.data, np.float32)

    @property
    def size(self) -> int:
        """Number of its values."""
        return self.weight.tensor.size

    @property
    def names(self) -> tuple[str, ...]:
        """Its own name and those of the operators that read it."""
        readers = self.weight.readers
        return (self.weight.tensor.name, *(op.label for op in readers), *_outputs(readers))


class Selected(msgspec.Struct, frozen=True, eq=False):
    """What is pruned and what is not.

    Attributes:
        filters: what is pruned, in the order in which the model reads them.
        left: other weights of convolutions and matrix products, and why each stays as it is.
        other_values: values in each cluster that are not pruned.
        other_zeros: zeros among those.
        target: the first target, of which the prices are.
        planning: what a run costs, and the parts of it.
        trial: the model with `TRIED` zeros in each of the filters, after `optimize`.
    """

    filters: tuple[Prunable, ...]
    left: tuple[Left, ...]
    other_values: Mapping[int, int]
    other_zeros: Mapping[int, int]
    target: str
    planning: Planning
    trial: Model


class Trial(msgspec.Struct, frozen=True, eq=False):
    """What could be pruned, and the model with zeros in it.

    Attributes:
        weights: what could be pruned; a weight's number is its place here.
        left: other weights of convolutions and matrix products, and why each stays as it is.
        model: a copy of the model with `TRIED` zeros in each of the weights, before `optimize`.
    """

    weights: tuple[Weight, ...]
    left: tuple[Left, ...]
    model: Model


def trial_of(model: Model, options: PruneOptions) -> Trial:
    """A copy of a model with zeros in all that could be pruned.

    Args:
        model: the model; it stays as it is.
        options: which filters are asked for.

    Raises:
        RewriteError: the model cannot be written without loss.
    """
    if model.read_only is not None:
        raise RewriteError(model.read_only, hint="upgrade tflite-sparse")
    left: list[Left] = []
    weights: list[Weight] = []
    for weight in find_weights(model, by_bytes=True):
        refusal = _refusal(weight, options)
        if refusal is None:
            weights.append(weight)
        elif any(op.name in _WEIGHED for op in weight.readers):
            left.append(_left(weight, *refusal))
    pruned = reread(_with_zeros(model, weights, options.block))
    return Trial(tuple(weights), tuple(left), pruned)


def find_filters(model: Model, options: PruneOptions, trial: Trial | None = None) -> Selected:
    """Finds the filters to prune.

    A copy of the model gets zeros in all that could be pruned and is optimized; what then runs
    sparse on every target is pruned.

    Args:
        model: the model; it stays as it is.
        options: the targets, and which filters are asked for.
        trial: what `trial_of` makes of both, where that is there already.

    Raises:
        RewriteError: the model cannot be written without loss.
        UsageError: there is no such target.
    """
    targets = options.targets or TARGETS
    planning = Planning(targets)
    trial = trial or trial_of(model, options)
    weights, left = trial.weights, [*trial.left]
    optimized = Optimize(AdaptOptions(targets)).run(trial.model).model
    plans = [plan(optimized.main, target, zeros=ZeroCounts()) for target in targets]
    views = [sparse_parts(optimized, planned) for planned in plans]
    filters: list[Prunable] = []
    for number, weight in enumerate(weights):
        why = next(
            (
                f"it runs dense on {planned.target.name}: {view.dense[number]}"
                for view, planned in zip(views, plans, strict=True)
                if number in view.dense
            ),
            None,
        )
        if why is None and any(number not in view.clusters for view in views):
            why = "XNNPACK does not multiply by it in the sparse layout"
        if why is not None:
            left.append(_left(weight, "dense", why))
            continue
        work = [
            planning.kept(
                targets[0], plans[0].operators[i], optimized.main.operators[i], options.block
            )
            for i in views[0].operators[number]
        ]
        price = sum(work) / weight.tensor.size
        cluster = views[0].clusters[number]
        filters.append(Prunable(weight, WeightId.of(weight), cluster, price, number))
    pruned = {number for number, weight in enumerate(weights) if _is_in(weight, filters)}
    values, zeros = _others(optimized, plans[0], pruned)
    return Selected(tuple(filters), tuple(left), values, zeros, targets[0], planning, optimized)


def _is_in(weight: Weight, filters: Iterable[Prunable]) -> bool:
    return any(prunable.weight is weight for prunable in filters)


def _refusal(weight: Weight, options: PruneOptions) -> tuple[str, str] | None:
    """Why a weight cannot be pruned at all, as (code, reason)."""
    tensor = weight.tensor
    asked = options.selection.refusal(tensor, weight.readers)
    reasons = (
        (
            any(reader.name not in _READERS for reader in weight.readers),
            ("reader", "sparse kernels are for convolutions alone"),
        ),
        (asked is not None, ("selection", asked or "")),
        (
            tensor.sparsity is not None,
            ("sparse", "stored sparse already; densify it to prune further"),
        ),
        (
            tensor.type not in FLOATS,
            ("type", f"stored as {tensor.type}; only fp32 and fp16 filters run sparse"),
        ),
        (
            weight.is_metadata or not weight.alike,
            ("shared", "other data of the file share its bytes"),
        ),
        (
            len(tensor.shape) != _RANK or any(use.operand != 1 for use in weight.uses),
            ("reader", "it is not the filter of a convolution"),
        ),
        (
            any(t.subgraph is not t.subgraph.model.main for t in weight.tensors),
            ("subgraph", "it does not belong to the main subgraph"),
        ),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _left(weight: Weight, code: str, reason: str) -> Left:
    tensor = weight.tensor
    stored = "sparse" if tensor.sparsity is not None else "dense"
    return Left(WeightId.of(weight), None, tensor.size, stored, weight_bytes(weight), code, reason)


def _with_zeros(model: Model, weights: Sequence[Weight], block: int) -> Model:
    """A copy with zeros in the weights, and names by which they are known after any edit."""
    trial = numbered(model, weights)
    for weight in weights:
        values = weight.tensor.data
        if values is None:
            continue
        pruned = np.where(smallest(np.abs(values), TRIED, block), 0, values)
        for tensor in weight.tensors:
            tensor.twin_in(trial).buffer.data = pruned.astype(values.dtype)
    return trial


def numbered(model: Model, weights: Iterable[Weight]) -> Model:
    """A copy in which filters have names by which `sparse_parts` knows them after any edit.

    Args:
        model: a model; it stays as it is.
        weights: filters of it, or of one with the same tensors; a filter's number is its place.
    """
    copy = model.copy()
    for number, weight in enumerate(weights):
        for tensor in weight.tensors:
            tensor.twin_in(copy).table["name"] = _NAME.format(number)
    return copy


class Parts(msgspec.Struct, frozen=True):
    """What a plan says of the parts that filters become.

    Attributes:
        clusters: the cluster of each filter that runs sparse.
        dense: why a filter does not.
        operators: the convolutions of each filter that runs sparse.
    """

    clusters: dict[int, int]
    dense: dict[int, str]
    operators: dict[int, list[int]]


def pruned_number(operator: Operator) -> int | None:
    """The number of the filter that a convolution of the copy multiplies by."""
    use = trace_constant(operator, 1) if len(operator.inputs) > 1 else None
    match = None if use is None else _NUMBERED.fullmatch(use.constant.name)
    return None if match is None else int(match[1])


def sparse_parts(model: Model, planned: Plan) -> Parts:
    """What a plan says of the filters of a trial, as it is or optimized."""
    view = Parts({}, {}, {})
    obstacles = {cluster.index: cluster.obstacles for cluster in planned.clusters}
    for counted in planned.operators:
        number = pruned_number(model.main.operators[counted.index])
        if number is None:
            continue
        if counted.kernel is not None and counted.cluster is not None:
            view.clusters.setdefault(number, counted.cluster)
            view.operators.setdefault(number, []).append(counted.index)
            continue
        why = counted.refusal or counted.role_refusal
        blocked = obstacles.get(counted.cluster, ()) if counted.cluster is not None else ()
        if why is None and blocked:
            why = blocked[0]
        view.dense.setdefault(number, NO_KERNEL if why is None else why.message)
    return view


def _others(model: Model, planned: Plan, pruned: set[int]) -> tuple[dict[int, int], dict[int, int]]:
    """Values, and zeros, in the filters of each cluster that are not pruned."""
    values: dict[int, int] = {}
    zeros: dict[int, int] = {}
    for counted in planned.filters:
        cluster = planned.operators[counted.operator].cluster
        if cluster is None or pruned_number(model.main.operators[counted.operator]) in pruned:
            continue
        values[cluster] = values.get(cluster, 0) + counted.parameters
        zeros[cluster] = zeros.get(cluster, 0) + counted.zeros
    return values, zeros


def reading(weight: Weight) -> Operator | None:
    """The one convolution that reads a filter; None where there are several."""
    readers = weight.readers
    return readers[0] if len(readers) == 1 else None


def _outputs(readers: Iterable[Operator]) -> list[str]:
    return [output.name for operator in readers for output in operator.outputs[:1]]
