"""A partition on its way through the stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.clusters import Clusters
    from tflite_sparse.xnnpack.graph import Graph
    from tflite_sparse.xnnpack.layout import Failure
    from tflite_sparse.xnnpack.partition import Run
    from tflite_sparse.xnnpack.profit import Tally
    from tflite_sparse.xnnpack.results import HintSource

__all__ = ["Part"]


@dataclass(slots=True)
class Part:
    """What the stages have found out about a partition.

    Attributes:
        index: its number.
        run: its operators.
        graph: its nodes after fusion.
        clusters: its clusters and roles.
        hints: the sparse weights in it.
        tallies: zeros of each cluster, by the number of its leader.
        failures: what goes wrong.
        executed: names of the operators that run.
    """

    index: int
    run: Run
    graph: Graph
    clusters: Clusters
    hints: tuple[HintSource, ...]
    tallies: dict[int, Tally] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    executed: tuple[str, ...] = ()
