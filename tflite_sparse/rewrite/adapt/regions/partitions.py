"""Whether XNNPACK would take a region as one: what it does not take cuts the model into partitions.

LiteRT runs what XNNPACK takes and what it does not in turns, each turn as far as it gets (see its
PartitionGraphIntoIndependentNodeSubsets). A region whose maps come in in different turns would be
cut, and no map can go from one partition to another in the sparse layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.window import window_of
from tflite_sparse.xnnpack.plan import plan

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Subgraph, Tensor
    from tflite_sparse.rewrite.adapt.regions.region import Region

__all__ = ["Partitions"]

_TARGET = "wasm"


class Partitions:
    """Tells partitions of a subgraph that is not edited meanwhile.

    Args:
        subgraph: the subgraph.
    """

    def __init__(self, subgraph: Subgraph) -> None:
        self._subgraph = subgraph
        self._taken: set[Operator] | None = None

    def are_one(self, region: Region) -> bool:
        """Whether all maps of a region come in in the same turn."""
        sources = list(region.entries)
        if region.stem is not None:
            sources.append(window_of(region.stem).source)
        if len(sources) == 1:
            return True
        turns = self._turns(region)
        return len({turns.get(tensor, 0) for tensor in sources}) == 1

    def _turns(self, region: Region) -> dict[Tensor, int]:
        """When values are there for what XNNPACK takes, in turns; 0 for the first."""
        if self._taken is None:
            planned = plan(self._subgraph, _TARGET).operators
            operators = self._subgraph.operators
            self._taken = {operators[each.index] for each in planned if each.delegated}
        turns: dict[Tensor, int] = {}
        for operator in self._subgraph.operators:
            inputs = (turns.get(tensor, 0) for tensor in operator.inputs if tensor is not None)
            turn = max(inputs, default=0)
            constant = all(tensor is None or tensor.is_constant for tensor in operator.inputs)
            if operator not in self._taken and operator not in region.context.members:
                # What is unpacked from constants alone waits for nothing.
                turn += not constant
            turns.update(dict.fromkeys(operator.outputs, turn))
        return turns
