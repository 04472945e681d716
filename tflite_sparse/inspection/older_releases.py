"""What releases of the runtime that are still in use do otherwise than the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.inspection.runtime_types import OlderRelease
from tflite_sparse.xnnpack.forecast import forecast
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.runtimes import MAINTAINED
from tflite_sparse.xnnpack.releases.targets import on_older
from tflite_sparse.xnnpack.releases.targets import targets as all_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.inspection.runtime_types import TargetGroup
    from tflite_sparse.model import Model, Subgraph
    from tflite_sparse.model.zero_counts import ZeroCounts
    from tflite_sparse.xnnpack.forecast import Forecast
    from tflite_sparse.xnnpack.releases.runtimes import Runtime
    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["older_releases"]


def older_releases(
    model: Model,
    groups: Sequence[TargetGroup],
    targets: Sequence[Target] | None,
    releases: Sequence[Runtime] | None,
    zeros: ZeroCounts,
) -> tuple[OlderRelease, ...]:
    """Where releases fail or stay dense that were asked for, while the targets' own do not.

    Args:
        model: the model.
        groups: what the runtime does on the targets.
        targets: the targets; None for all.
        releases: the releases; None for those that are still in use, or none where a target names
            its own.
        zeros: counts the zeros of weights.
    """
    chosen = all_targets() if targets is None else targets
    if releases is None:
        releases = () if any("@" in target.name for target in chosen) else MAINTAINED
    asked = on_older(chosen, releases)
    return tuple(
        found
        for subgraph in model.subgraphs
        for found in _differing(
            subgraph, [g for g in groups if g.subgraph == subgraph.index], asked, zeros
        )
    )


def _differing(
    subgraph: Subgraph, groups: Sequence[TargetGroup], targets: Sequence[Target], zeros: ZeroCounts
) -> Iterator[OlderRelease]:
    if not any(group.hints for group in groups):
        return
    now = {
        _processor(target.name): group.elsewhere
        for group in groups
        for target in group.targets
        if not group.elsewhere.is_failure
    }
    # A failure depends on nothing else of a target.
    seen: dict[tuple[bool, bool, Runtime], Forecast] = {}
    merged: dict[tuple[Outcome, str, int | None], list[Target]] = {}
    for target in targets:
        if target.processor not in now:
            continue
        key = (target.sparse, target.fp16, target.runtime)
        if key not in seen:
            seen[key] = forecast(subgraph, target, zeros=zeros)
        told = seen[key]
        if told.failure is not None and told.reasons:
            why = told.reasons[0]
            merged.setdefault((told.failure, why.message, why.operator), []).append(target)
        elif told.failure is None and not told.sparse and now[target.processor] is Outcome.SPARSE:
            merged.setdefault((Outcome.DENSE, "", None), []).append(target)
    for (outcome, message, operator), where in merged.items():
        yield OlderRelease(
            subgraph=subgraph.index,
            outcome=outcome,
            runtimes=tuple(dict.fromkeys(target.runtime.name for target in where)),
            targets=tuple(target.name for target in where),
            message=message,
            operator=operator,
            cause=_cause(subgraph, where[0], groups, zeros),
        )


def _cause(
    subgraph: Subgraph, target: Target, groups: Sequence[TargetGroup], zeros: ZeroCounts
) -> str:
    """What a release refuses first that the newest takes, in words; "" for nothing."""
    now = next(g for g in groups if target.processor in {_processor(t.name) for t in g.targets})
    then = plan(subgraph, target, zeros=zeros)
    for newer, older in zip(now.operators, then.operators, strict=True):
        why = older.refusal or older.role_refusal
        if why is not None and newer.refusal is None and newer.role_refusal is None:
            return why.message
    return ""


def _processor(name: str) -> str:
    return name.partition("@")[0]
