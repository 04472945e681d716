"""Finds the weights of a model: the constants worth looking at, each with all its uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model.tensor import Tensor
from tflite_sparse.model.uses import UNPACKING, Use, trace_constant, uses_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Buffer, Model, Operator

__all__ = ["LARGE", "Weight", "by_content", "find_weights", "is_pointwise", "is_wide"]

LARGE = 1024
"""Values from which a constant with two dimensions or more counts as a weight of any operator."""

_MATRIX = 2
_MAP_RANK = 4
_IMAGE_CHANNELS = 4

# Operands that are weights however small they are.
_WEIGHT_OPERANDS: dict[str, frozenset[int]] = {
    "CONV_2D": frozenset({1}),
    "DEPTHWISE_CONV_2D": frozenset({1}),
    "TRANSPOSE_CONV": frozenset({1}),
    "FULLY_CONNECTED": frozenset({1}),
    "BATCH_MATMUL": frozenset({0, 1}),
    "CONV_3D": frozenset({1}),
    "CONV_3D_TRANSPOSE": frozenset({1}),
    "EMBEDDING_LOOKUP": frozenset({1}),
    "EMBEDDING_LOOKUP_SPARSE": frozenset({4}),
    "GATHER": frozenset({0}),
}

# Recurrent operators: every matrix among the operands is one.
_RECURRENT = frozenset(
    {
        "LSTM",
        "RNN",
        "SVDF",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "UNIDIRECTIONAL_SEQUENCE_RNN",
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_RNN",
    }
)


class Weight(msgspec.Struct, frozen=True, eq=False):
    """A constant's data with the tensors that hold it and the operators that read it.

    Attributes:
        tensors: the tensors with this data, each once; see `find_weights` for which and in what
            order.
        uses: where operators read it, in the order of execution.
        is_metadata: whether an entry of the metadata refers to its data too.
    """

    tensors: list[Tensor]
    uses: list[Use]
    is_metadata: bool

    @property
    def tensor(self) -> Tensor:
        """The first of the tensors."""
        return self.tensors[0]

    @property
    def buffers(self) -> list[Buffer]:
        """The tensors' buffers, each once; several when those refer to the same bytes."""
        return list(dict.fromkeys(tensor.buffer for tensor in self.tensors))

    @property
    def readers(self) -> list[Operator]:
        """The operators that read it, each once."""
        return list(dict.fromkeys(use.operator for use in self.uses))

    @property
    def alike(self) -> bool:
        """Whether all tensors agree in type and shape and in how they are stored."""
        first = self.tensor
        return all(
            (t.type, t.shape, t.sparsity is None)
            == (first.type, first.shape, first.sparsity is None)
            for t in self.tensors
        )


def find_weights(model: Model, *, by_bytes: bool = False) -> list[Weight]:
    """The weights of a model, in the order in which operators first read them.

    A weight is a constant that a convolution, matrix product, look-up or recurrent operator has for
    its weights; any other constant with two dimensions or more and at least `LARGE` values; and
    every constant that is stored sparse.

    Args:
        model: the model.
        by_bytes: what is one weight. False: what operators read as one: tensors of the same buffer,
            type and shape, in the order of reading, and the uses in which it is a weight. True:
            what can only be stored otherwise as one: everything that refers to the same bytes of
            the file, in its order, however it sees them, with every use; also what is stored sparse
            and not read at all, which comes last.
    """
    uses = _weight_uses(model)
    return _by_bytes(model, uses) if by_bytes else _by_view(model, uses)


def is_pointwise(operator: Operator) -> bool:
    """Whether an operator is a 1x1 convolution."""
    if operator.name != "CONV_2D" or len(operator.inputs) <= 1:
        return False
    weights = operator.inputs[1]
    return weights is not None and len(weights.shape) == 4 and weights.shape[1:3] == (1, 1)  # noqa: PLR2004 - OHWI


def is_wide(operator: Operator) -> bool:
    """Whether it is a convolution wider than 1x1 over a feature map, without groups.

    One over an image, of few channels, does not count: its zeros win nothing in any form.
    """
    if operator.name != "CONV_2D" or len(operator.inputs) <= 1 or is_pointwise(operator):
        return False
    source, weights = operator.inputs[:2]
    if (
        source is None
        or weights is None
        or not len(source.shape) == len(weights.shape) == _MAP_RANK
    ):
        return False
    return source.shape[3] == weights.shape[3] > _IMAGE_CHANNELS


def _by_view(model: Model, uses: Iterator[Use]) -> list[Weight]:
    groups: dict[object, list[Use]] = {}
    for use in uses:
        tensor = use.constant
        groups.setdefault((tensor.buffer, tensor.type, tensor.shape), []).append(use)
    metadata = {entry.buffer for entry in model.metadata}
    weights = []
    for group in groups.values():
        tensors = list(dict.fromkeys(use.constant for use in group))
        weights.append(Weight(tensors, group, is_metadata=tensors[0].buffer in metadata))
    return weights


def by_content(model: Model) -> dict[object, list[Tensor]]:
    """The constants of a model by the identity of their data, in the order of the file."""
    groups: dict[object, list[Tensor]] = {}
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.is_constant:
                groups.setdefault(tensor.buffer.content, []).append(tensor)
    return groups


def _by_bytes(model: Model, uses: Iterator[Use]) -> list[Weight]:
    groups = by_content(model)
    sparse = (
        content
        for content, tensors in groups.items()
        if any(tensor.sparsity is not None for tensor in tensors)
    )
    metadata = {entry.buffer.content for entry in model.metadata}
    return [
        Weight(
            groups[content],
            [use for tensor in groups[content] for use in uses_of(tensor)],
            is_metadata=content in metadata,
        )
        for content in dict.fromkeys((*(use.constant.buffer.content for use in uses), *sparse))
    ]


def _weight_uses(model: Model) -> Iterator[Use]:
    for operator in model.operators():
        for operand in range(len(operator.inputs)):
            use = trace_constant(operator, operand)
            if use is not None and _is_weight(use):
                yield use


def _is_weight(use: Use) -> bool:
    operator, tensor = use.operator, use.constant
    if operator.name in UNPACKING and _leads_on(operator):
        # The operators behind it are the readers.
        return False
    if tensor.sparsity is not None or use.operand in _WEIGHT_OPERANDS.get(operator.name, ()):
        return True
    if len(tensor.shape) < _MATRIX:
        return False
    return operator.name in _RECURRENT or _elements(tensor) >= LARGE


def _leads_on(operator: Operator) -> bool:
    return any(operator.subgraph.consumers(tensor) for tensor in operator.outputs)


def _elements(tensor: Tensor) -> int:
    total = 1
    for size in tensor.shape:
        total *= max(size, 0)
    return total
