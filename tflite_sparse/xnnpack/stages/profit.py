"""The profit stage: whether a cluster has enough zeros, and which values then get another layout.

Source: XNNPACK src/subgraph.c, xnn_subgraph_rewrite_for_nchw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model.zero_counts import Counts
from tflite_sparse.xnnpack.graph import Node
from tflite_sparse.xnnpack.stages.filter_zeros import filter_zeros

if TYPE_CHECKING:
    from tflite_sparse.model.zero_counts import ZeroCounts
    from tflite_sparse.xnnpack.assumptions import WhatIf
    from tflite_sparse.xnnpack.stages.clusters import Cluster, Clusters

__all__ = ["Tally", "counted_filter", "mark_layout", "tally"]


class Tally(msgspec.Struct, eq=False):
    """Zeros of a cluster.

    Attributes:
        zeros: zeros in all counted filters.
        parameters: size of all counted filters.
        filters: the nodes whose filters are counted.
        counts: zeros of each of those filters that is a constant, by number of the node.
    """

    zeros: int = 0
    parameters: int = 0
    filters: list[Node] = msgspec.field(default_factory=list)
    counts: dict[int, Counts] = msgspec.field(default_factory=dict)

    @property
    def profitable(self) -> bool:
        """Whether strictly more than two thirds are zero; without filters it never is."""
        return self.zeros * 3 > self.parameters * 2

    @property
    def margin(self) -> int:
        """Further zeros needed to exceed two thirds; 0 or less where none are."""
        return self.parameters * 2 // 3 + 1 - self.zeros

    def add(self, node: Node, counts: Counts | None) -> None:
        """Counts a node's filter in; one that is not constant is only listed."""
        self.filters.append(node)
        if counts is not None:
            self.counts[node.number] = counts
            self.zeros += counts.zeros
            self.parameters += counts.elements


def counted_filter(node: Node) -> bool:
    """Whether a node's filter counts: 1x1 convolutions and everything run as fully connected."""
    window = node.window
    pointwise = node.kind == "convolution" and window is not None and window.kernel == (1, 1)
    return pointwise or node.kind == "fully_connected"


def tally(cluster: Cluster, assume: WhatIf, zeros: ZeroCounts) -> Tally:
    """Counts the zeros of a cluster.

    Args:
        cluster: the cluster.
        assume: assumptions about zeros.
        zeros: counts the zeros for which there is no assumption.

    Raises:
        EncodingError: a sparse encoding is malformed.
        ModelError: a buffer does not fit its shape.
    """
    result = Tally()
    for node in cluster.members:
        if not counted_filter(node):
            continue
        source = node.inputs[1].source
        if source is None or not node.inputs[1].is_float:
            result.add(node, None)
        else:
            result.add(node, filter_zeros(source, assume, zeros))
    return result


def mark_layout(cluster: Cluster, clusters: Clusters) -> None:
    """Marks the inputs of a cluster's members for the sparse layout; only inputs."""
    for node in cluster.members:
        if clusters.roles[node.number].takes_part:
            for value in node.inputs:
                value.nchw |= not value.is_static
