"""Which operator reads which: the graph behind a picture of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse._dataclass import dataclass
from tflite_sparse.inspection.facts import Facts
from tflite_sparse.inspection.file.file_types import TensorFacts
from tflite_sparse.model.macs import macs
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from tflite_sparse.model import Model, Operator

__all__ = ["WiredOperator", "wiring"]

_UNPACKING = frozenset({"DENSIFY", "DEQUANTIZE"})


@dataclass(frozen=True, slots=True)
class WiredOperator(Facts):
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


def wiring(model: Model) -> tuple[WiredOperator, ...]:
    """All operators in the order of the file."""
    unpacked: set[int] = set()
    return tuple(_wired(operator, unpacked) for operator in model.operators())


def _wired(operator: Operator, unpacked: set[int]) -> WiredOperator:
    first = operator.inputs[0] if operator.inputs else None
    unpacks = (
        operator.name in _UNPACKING
        and first is not None
        and (first.is_constant or id(first) in unpacked)
    )
    if unpacks:
        unpacked.update(id(tensor) for tensor in operator.outputs)
    producers = (operator.subgraph.producer(t) for t in operator.inputs if t is not None)
    return WiredOperator(
        subgraph=operator.subgraph.index,
        index=operator.index,
        name=readable(operator.custom_code or operator.name),
        sources=tuple(sorted({made.index for made in producers if made is not None})),
        outputs=tuple(
            TensorFacts(readable(t.name), t.type, t.shape_signature or t.shape)
            for t in operator.outputs
        ),
        macs=macs(operator),
        unpacks=unpacks,
    )
