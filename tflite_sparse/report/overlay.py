"""Data for the nodes of Model Explorer: zeros, fate and bytes saved, drawn on its picture.

The format is that of Model Explorer's node data: a JSON object with an entry a graph, which holds
`results` by node id. A node's id is the index of its operator. A file is one data set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.inspection.dispositions import DispositionKind, disposition_kind
from tflite_sparse.records import plain
from tflite_sparse.report.json.overlay import (
    FateData,
    FateNode,
    GraphData,
    SavingData,
    SavingNode,
    ZeroData,
    ZeroNode,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tflite_sparse.inspection.file.file_types import SubgraphFacts
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.runtime_types import TargetGroup
    from tflite_sparse.inspection.weights.weight_types import WeightFacts

__all__ = ["COLOURS", "QUANTITIES", "Overlay", "graph_id", "overlays"]

QUANTITIES = ("fate", "zeros", "saving")
"""The data sets, in the order in which they are made."""

_MAIN = "main"

COLOURS = {
    DispositionKind.SPARSE: "#1e8e3e",
    DispositionKind.LAYOUT: "#a8dab5",
    DispositionKind.BLOCKED: "#f29900",
    DispositionKind.DENSE: "#aecbfa",
    DispositionKind.OUTSIDE: "#d7aefb",
    DispositionKind.VANISHES: "#e8eaed",
}
"""The colour of each fate."""


class Overlay(msgspec.Struct, frozen=True):
    """A data set.

    Attributes:
        quantity: one of `QUANTITIES`.
        graphs: the data of each graph, by the id that Model Explorer gives to the graph.
    """

    quantity: str
    graphs: dict[str, GraphData]

    def to_dict(self) -> dict[str, Any]:
        """What a file that Model Explorer reads holds."""
        content: dict[str, Any] = plain(self.graphs)
        return content


def graph_id(subgraph: SubgraphFacts) -> str:
    """The id that Model Explorer gives to a subgraph."""
    if subgraph.index == 0:
        return _MAIN
    return subgraph.name or f"subgraph_{subgraph.index}"


def overlays(inspection: Inspection, target: str) -> tuple[Overlay, ...]:
    """The data sets of a model, one for each of `QUANTITIES`.

    Of subgraphs with the same name, which Model Explorer takes for one, only the first has data.

    Args:
        inspection: the model, with all its weights and operators.
        target: name of a target that the inspection was asked for.
    """
    graphs: dict[str, int] = {}
    for subgraph in inspection.file.subgraphs:
        graphs.setdefault(graph_id(subgraph), subgraph.index)
    makers: dict[str, Callable[[Inspection, int, str], GraphData]]
    makers = {"fate": _fate, "zeros": _zeros, "saving": _saving}
    return tuple(
        Overlay(
            quantity,
            {name: makers[quantity](inspection, index, target) for name, index in graphs.items()},
        )
        for quantity in QUANTITIES
    )


def _fate(inspection: Inspection, subgraph: int, target: str) -> FateData:
    results: dict[str, FateNode] = {}
    for group in _groups(inspection, subgraph, target):
        for operator in group.operators:
            kind = disposition_kind(group, operator)
            results[str(operator.index)] = FateNode(kind, COLOURS[kind])
    return FateData(f"fate on {target}", results)


def _zeros(inspection: Inspection, subgraph: int, target: str) -> ZeroData:
    del target
    counts: dict[int, tuple[int, int]] = {}
    for weight in inspection.weights:
        for operator in _readers(weight, subgraph):
            if weight.zeros is not None:
                zeros, elements = counts.get(operator, (0, 0))
                counts[operator] = (zeros + weight.zeros, elements + weight.elements)
    return ZeroData(
        "zeros in weights (%)",
        {
            str(operator): ZeroNode(_percent(zeros, elements))
            for operator, (zeros, elements) in sorted(counts.items())
            if elements
        },
    )


def _saving(inspection: Inspection, subgraph: int, target: str) -> SavingData:
    del target
    saved: dict[int, int] = {}
    for weight in inspection.weights:
        # A weight that several operators read is counted where it is read first.
        for operator in list(_readers(weight, subgraph))[:1]:
            saved[operator] = saved.get(operator, 0) + _saved(weight)
    return SavingData(
        "bytes saved by sparse storage",
        {str(operator): SavingNode(count) for operator, count in sorted(saved.items())},
    )


def _saved(weight: WeightFacts) -> int:
    """What sparse storage saves of a weight against dense: done already, or possible.

    Of what is stored sparse already, values, segments and indices are counted, not their tables.
    """
    if weight.storage == "sparse":
        return (weight.bytes_dense or weight.bytes_now) - weight.bytes_now
    return weight.saving


def _percent(part: int, whole: int) -> float:
    value = round(100 * part / whole, 1)
    return value if part in {0, whole} else min(max(value, 0.1), 99.9)


def _readers(weight: WeightFacts, subgraph: int) -> Iterator[int]:
    """The operators of a subgraph that read a weight, each once."""
    return iter(dict.fromkeys(u.operator for u in weight.uses if u.subgraph == subgraph))


def _groups(inspection: Inspection, subgraph: int, target: str) -> Iterator[TargetGroup]:
    for group in inspection.runtime:
        if group.subgraph == subgraph and any(t.name == target for t in group.targets):
            yield group
