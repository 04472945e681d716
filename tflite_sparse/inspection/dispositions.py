"""What becomes of operators, in the few words that a picture has colours for."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from tflite_sparse.inspection.runtime_types import PlannedTarget, TargetGroup
from tflite_sparse.records import Record
from tflite_sparse.xnnpack.plan_types import Disposition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.xnnpack.plan_types import OperatorPlan

__all__ = ["DispositionKind", "View", "blockers", "disposition_kind", "views"]


_VANISHED = frozenset({Disposition.FOLDED, Disposition.FUSED, Disposition.DROPPED})


class DispositionKind(Enum):
    """What becomes of an operator.

    Attributes:
        SPARSE: a sparse kernel runs it.
        LAYOUT: it runs between sparse kernels, in their layout, with a kernel of its own.
        BLOCKED: it has a form for the sparse layout, and its cluster is given up.
        DENSE: XNNPACK runs it, and it has no part in any cluster.
        OUTSIDE: XNNPACK does not take it.
        VANISHES: it is folded, fused or dropped when the model is loaded.
    """

    SPARSE = "sparse"
    LAYOUT = "layout"
    BLOCKED = "blocked"
    DENSE = "dense"
    OUTSIDE = "outside"
    VANISHES = "vanishes"


class View(Record, frozen=True):
    """Targets that do the same with every subgraph.

    Attributes:
        targets: the targets.
        groups: what they do, one result a subgraph.
    """

    targets: tuple[PlannedTarget, ...]
    groups: tuple[TargetGroup, ...]

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations of all subgraphs."""
        return sum(group.macs for group in self.groups)

    @property
    def sparse_macs(self) -> int:
        """Those of the operators with sparse kernels, counted dense."""
        return sum(group.sparse_macs for group in self.groups)


def disposition_kind(group: TargetGroup, operator: OperatorPlan) -> DispositionKind:
    """What becomes of an operator of a group of targets."""
    if operator.disposition in _VANISHED:
        return DispositionKind.VANISHES
    if not operator.delegated:
        return DispositionKind.OUTSIDE
    if operator.kernel is not None:
        return DispositionKind.SPARSE
    if operator.cluster is None or group.off_by_design:
        return DispositionKind.DENSE
    return (
        DispositionKind.LAYOUT
        if group.clusters[operator.cluster].sparse
        else DispositionKind.BLOCKED
    )


def blockers(group: TargetGroup) -> frozenset[int]:
    """Indices of the operators that keep others out of the sparse layout."""
    return frozenset(index for obstacle in group.obstacles for index in obstacle.operators)


def views(runtime: Iterable[TargetGroup]) -> tuple[View, ...]:
    """The targets of an inspection, those together that do the same with every subgraph.

    Args:
        runtime: what the runtime does with each subgraph, on each group of targets.
    """
    all_groups = tuple(runtime)
    targets: dict[str, PlannedTarget] = {}
    numbers: dict[str, list[int]] = {}
    for number, group in enumerate(all_groups):
        for target in group.targets:
            targets.setdefault(target.name, target)
            numbers.setdefault(target.name, []).append(number)
    alike: dict[tuple[int, ...], list[PlannedTarget]] = {}
    for name, target in targets.items():
        alike.setdefault(tuple(numbers[name]), []).append(target)
    return tuple(
        View(tuple(members), tuple(all_groups[number] for number in group))
        for group, members in alike.items()
    )
