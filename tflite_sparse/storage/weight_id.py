"""What people call a weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from tflite_sparse.records import Count, Record
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from tflite_sparse.model.weights import Weight

__all__ = ["WeightId"]


class WeightId(Record, frozen=True):
    """Which weight.

    Attributes:
        subgraph: index of its subgraph; of the first one where several share it.
        tensor: index of the tensor that the file stores, in the file that was read; of one that a
            rewrite added, a number that no other has.
        name: the tensor's name.
        type: its element type, such as "FLOAT16".
        shape: its dense shape.
        operators: labels of the operators that read it, such as "CONV_2D #4".
        shared: how many tensors share the data.
    """

    subgraph: Count
    tensor: Count
    name: str
    type: str
    shape: tuple[int, ...]
    operators: tuple[str, ...]
    shared: Annotated[int, msgspec.Meta(ge=1)] = 1

    @classmethod
    def of(cls, weight: Weight) -> WeightId:
        """What people call a weight, as the model is now."""
        first = weight.tensor
        return cls(
            subgraph=first.subgraph.index,
            tensor=first.number,
            name=readable(first.name),
            type=first.type,
            shape=first.shape,
            operators=tuple(operator.label for operator in weight.readers),
            shared=len(weight.tensors),
        )
