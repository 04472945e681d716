"""What a page shows of a model: all that inspection tells, and how each target sees it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.dispositions import (
    DispositionKind,
    View,
    blockers,
    disposition_kind,
    views,
)
from tflite_sparse.inspection.runtime_types import TargetGroup
from tflite_sparse.inspection.survey import Survey
from tflite_sparse.xnnpack.plan_types import ClusterPlan, OperatorPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.graph_edges import GraphOperator
    from tflite_sparse.inspection.inspection import Inspection

__all__ = ["PageModel", "Seen"]


class Seen(msgspec.Struct, frozen=True):
    """A model as targets that are alike see it; operators by their position in the file.

    Attributes:
        view: the targets.
        planned: what becomes of each operator, with the group that says so.
        dispositions: that in a word.
        clusters: position among `cluster_list` of the cluster that each lies in, None for none;
            what vanishes between two members of a cluster lies in it too.
        cluster_list: the clusters of all subgraphs.
        blockers: positions of the operators that keep others out of the sparse layout.
    """

    view: View
    planned: tuple[tuple[TargetGroup, OperatorPlan] | None, ...]
    dispositions: tuple[DispositionKind, ...]
    clusters: tuple[int | None, ...]
    cluster_list: tuple[ClusterPlan, ...]
    blockers: frozenset[int]

    def count(self, kind: DispositionKind) -> int:
        """How many operators have a disposition."""
        return self.dispositions.count(kind)


class PageModel(msgspec.Struct, frozen=True, eq=False, dict=True):
    """A model on the page.

    Attributes:
        name: what the page calls it.
        survey: its inspection, operators, maps of zeros and sizes.
    """

    name: str
    survey: Survey

    @property
    def inspection(self) -> Inspection:
        """What the file says and what the runtime does with it, with all its weights."""
        return self.survey.inspection

    @property
    def operators(self) -> tuple[GraphOperator, ...]:
        """Its operators in the order of the file."""
        return self.survey.operators

    @cached_property
    def seen(self) -> tuple[Seen, ...]:
        """How each group of targets sees it, the most common targets first."""
        return tuple(self._seen(view) for view in views(self.inspection.runtime))

    @cached_property
    def positions(self) -> dict[tuple[int, int], int]:
        """Position of an operator by its subgraph and its index there."""
        return {(op.subgraph, op.index): n for n, op in enumerate(self.operators)}

    @cached_property
    def weights_of(self) -> dict[int, list[int]]:
        """Positions of the weights that an operator reads, by its position."""
        weights: dict[int, list[int]] = {}
        for number, weight in enumerate(self.inspection.weights):
            for use in weight.uses:
                place = self.positions.get((use.subgraph, use.operator))
                if place is not None:
                    weights.setdefault(place, []).append(number)
        return weights

    def _seen(self, view: View) -> Seen:
        planned: list[tuple[TargetGroup, OperatorPlan] | None] = [None] * len(self.operators)
        clusters: list[int | None] = [None] * len(self.operators)
        cluster_list: list[ClusterPlan] = []
        stopping: set[int] = set()
        for group in view.groups:
            for operator in group.operators:
                place = self.positions[group.subgraph, operator.index]
                planned[place] = (group, operator)
                if operator.cluster is not None:
                    clusters[place] = len(cluster_list) + operator.cluster
            cluster_list += group.clusters
            stopping |= {self.positions[group.subgraph, index] for index in blockers(group)}
        dispositions = [
            DispositionKind.DENSE if plan is None else disposition_kind(*plan) for plan in planned
        ]
        return Seen(
            view,
            tuple(planned),
            tuple(dispositions),
            tuple(_bridged(clusters, dispositions)),
            tuple(cluster_list),
            frozenset(stopping),
        )


def _bridged(
    clusters: list[int | None], dispositions: list[DispositionKind]
) -> Iterator[int | None]:
    """The clusters, with what vanishes between two members of one counted among them."""
    following: int | None = None
    after: list[int | None] = []
    for cluster, kind in zip(reversed(clusters), reversed(dispositions), strict=True):
        after.append(following)
        if kind is not DispositionKind.VANISHES:
            following = cluster
    before: int | None = None
    for cluster, kind, behind in zip(clusters, dispositions, reversed(after), strict=True):
        if kind is DispositionKind.VANISHES:
            yield before if before == behind else None
        else:
            before = cluster
            yield cluster
