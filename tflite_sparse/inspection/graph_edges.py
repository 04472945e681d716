"""Which operator reads which: the graph behind a picture of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.inspection.file.file_types import TensorFacts
from tflite_sparse.model.macs import macs
from tflite_sparse.model.uses import UNPACKING
from tflite_sparse.records import Record
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from tflite_sparse.model import Model, Operator, Tensor

__all__ = ["GraphOperator", "graph_edges"]


class GraphOperator(Record, frozen=True):
    """An operator and where its inputs come from.

    Attributes:
        subgraph: index of its subgraph.
        index: its index there.
        name: its kind; of a custom operator its own name.
        sources: indices of the operators that make its inputs, each once, in ascending order.
        outputs: what it makes.
        macs: multiply-accumulate operations of one run.
        unpacks: whether it does nothing but unpack a constant: a DENSIFY or DEQUANTIZE of one.
    """

    subgraph: int
    index: int
    name: str
    sources: tuple[int, ...]
    outputs: tuple[TensorFacts, ...]
    macs: int
    unpacks: bool


def graph_edges(model: Model) -> tuple[GraphOperator, ...]:
    """All operators in the order of the file."""
    unpacked: set[Tensor] = set()
    return tuple(_with_edges(operator, unpacked) for operator in model.operators())


def _with_edges(operator: Operator, unpacked: set[Tensor]) -> GraphOperator:
    first = operator.inputs[0] if operator.inputs else None
    unpacks = (
        operator.name in UNPACKING
        and first is not None
        and (first.is_constant or first in unpacked)
    )
    if unpacks:
        unpacked.update(operator.outputs)
    producers = (operator.subgraph.producer(t) for t in operator.inputs if t is not None)
    return GraphOperator(
        subgraph=operator.subgraph.index,
        index=operator.index,
        name=readable(operator.custom_code or operator.name),
        sources=tuple(sorted({producer.index for producer in producers if producer is not None})),
        outputs=tuple(
            TensorFacts(readable(t.name), t.type, t.shape_signature or t.shape)
            for t in operator.outputs
        ),
        macs=macs(operator),
        unpacks=unpacks,
    )
