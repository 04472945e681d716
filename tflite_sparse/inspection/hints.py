"""Which weight makes the runtime look for zeros where none does yet, or why none can.

A plan names the filter with the most zeros. Whether `sparsify` stores that one, another of the same
partition or none is for `storage` to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.runtime_types import NoHint
from tflite_sparse.xnnpack.explain.wording import title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.inspection.runtime_types import TargetGroup
    from tflite_sparse.inspection.weights.weight_types import WeightFacts
    from tflite_sparse.model import Model
    from tflite_sparse.xnnpack.plan_types import Change

__all__ = ["with_hints"]

HINT = "hint-none"
"""Code of the change that asks for a weight that is stored sparse."""

_LOOKS = "one such weight makes the runtime look for zeros"


def with_hints(
    model: Model, groups: Sequence[TargetGroup], weights: Sequence[WeightFacts]
) -> tuple[TargetGroup, ...]:
    """Plans that ask for a sparse weight, with the one that is stored, or why none is.

    Args:
        model: the model.
        groups: what the runtime does.
        weights: the weights, with what becomes of them.
    """
    return tuple(_told(model, group, weights) for group in groups)


def _told(model: Model, group: TargetGroup, weights: Sequence[WeightFacts]) -> TargetGroup:
    change = next((change for change in group.changes if change.rule == HINT), None)
    if change is None or change.operator is None:
        return group
    partition = group.operators[change.operator].partition
    read = [
        (use.operator, weight)
        for weight in weights
        for use in weight.uses
        if use.subgraph == group.subgraph and group.operators[use.operator].partition == partition
    ]
    able = [(operator, weight) for operator, weight in read if weight.smaller]
    if any(operator == change.operator for operator, _ in able):
        return group
    subgraph = model.subgraphs[group.subgraph]
    if able:
        operator, _ = max(able, key=lambda pair: pair[1].zeros or 0)
        message = (
            f"store the weights of {title(subgraph.operators[operator])} sparse, behind a"
            f" DENSIFY: {_LOOKS}"
        )
        return _replaced(group, change, msgspec.structs.replace(change, message=message))
    own = next((weight for operator, weight in read if operator == change.operator), None)
    reason = own.cannot if own is not None and own.cannot else "it is not told"
    message = (
        f"let a weight be stored sparse, behind a DENSIFY: {_LOOKS}; sparsify leaves all of them"
        f" dense, the filter of {title(subgraph.operators[change.operator])} as {reason}"
    )
    hint = NoHint((own.cannot_code if own is not None else None) or "", reason)
    asked = msgspec.structs.replace(change, message=message)
    return msgspec.structs.replace(_replaced(group, change, asked), no_hint=hint)


def _replaced(group: TargetGroup, change: Change, other: Change) -> TargetGroup:
    changes = tuple(other if each is change else each for each in group.changes)
    return msgspec.structs.replace(group, changes=changes)
