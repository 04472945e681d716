"""Works the shapes of a whole subgraph out from those of its inputs, as the runtime does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.model.sizes.computing import COMPUTING
from tflite_sparse.model.sizes.integers import integers_computed
from tflite_sparse.model.sizes.moving import MOVING, SPLITTING
from tflite_sparse.model.sizes.operands import Operands, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tflite_sparse.model.operator import Operator
    from tflite_sparse.model.subgraph import Subgraph
    from tflite_sparse.model.tensor import Tensor

__all__ = ["Misfit", "Propagated", "propagate", "stated_shape"]


class Misfit(Exception):  # noqa: N818 - it says what is wrong with sizes, to those who try some
    """An operator does not take the shapes that the sizes give it.

    Attributes:
        operator: the operator.
    """

    def __init__(self, operator: Operator) -> None:
        super().__init__(f"{operator.label} does not take what they make of its operands")
        self.operator = operator


class Propagated(NamedTuple):
    """The shapes of a subgraph.

    Attributes:
        shapes: of each tensor that an operator writes or the caller sets.
        integers: what operators compute of shapes, as far as it is known ahead.
        unknown: tensors whose shapes are not known ahead.
        blind: the first operator that reads one of these; None for none.
    """

    shapes: dict[Tensor, Shape]
    integers: dict[Tensor, NDArray[Any]]
    unknown: frozenset[Tensor]
    blind: Operator | None


def stated_shape(tensor: Tensor) -> Shape:
    """The shape that the file states: where it leaves a size open, what stands in its place."""
    shape = tensor.table["shape"]
    return () if shape is None else tuple(shape.tolist())


def propagate(subgraph: Subgraph, inputs: Mapping[Tensor, Shape]) -> Propagated:
    """Works out all shapes.

    Args:
        subgraph: the subgraph; its tensors are left with the shapes that they have.
        inputs: shapes of inputs that are to be others than they are.

    Raises:
        Misfit: an operator does not take them.
    """
    before = {tensor: tensor.shape for tensor in subgraph.tensors}
    try:
        return _Walk(subgraph, inputs).result()
    finally:
        for tensor, shape in before.items():
            tensor.shape = shape


class _Walk:
    """Goes through the operators in their order, and sets the shapes of tensors on the way."""

    def __init__(self, subgraph: Subgraph, inputs: Mapping[Tensor, Shape]) -> None:
        self._integers: dict[Tensor, NDArray[Any]] = {}
        self._unknown: set[Tensor] = set()
        self._shapes: dict[Tensor, Shape] = {}
        self._blind: Operator | None = None
        for tensor in subgraph.inputs:
            self._set(tensor, inputs.get(tensor, tensor.shape))
        for operator in subgraph.operators:
            self._visit(operator)

    def result(self) -> Propagated:
        return Propagated(self._shapes, self._integers, frozenset(self._unknown), self._blind)

    def _set(self, tensor: Tensor, shape: Shape) -> None:
        tensor.shape = self._shapes[tensor] = tuple(int(size) for size in shape)

    def _visit(self, operator: Operator) -> None:
        operands = Operands(operator, self._integers)
        reads_unknown = any(
            tensor in self._unknown and tensor not in self._integers for tensor in operator.inputs
        )
        shapes: tuple[Shape, ...] | None = None
        if reads_unknown:
            self._blind = self._blind or operator
        else:
            integers = integers_computed(operands)
            if integers is None:
                shapes = _by_rule(operator, operands)
            else:
                self._integers[operator.outputs[0]] = integers
                shapes = (integers.shape,)
        for number, tensor in enumerate(operator.outputs):
            if tensor.is_constant:
                continue
            if shapes is not None:
                self._set(tensor, shapes[number])
            elif not _is_open(tensor):
                # The file says that it does not depend on any open size.
                self._set(tensor, tensor.shape)
            else:
                self._unknown.add(tensor)


def _by_rule(operator: Operator, operands: Operands) -> tuple[Shape, ...] | None:
    """The shapes of the outputs; None where they are not known ahead.

    Raises:
        Misfit: the operator does not take its operands.
    """
    one, many = _ONE.get(operator.name), SPLITTING.get(operator.name)
    if one is None and many is None:
        return None
    try:
        if many is not None:
            shapes = many[1](operands)
        elif one is not None and len(operands) >= one[0]:
            shape = one[1](operands)
            shapes = None if shape is None else (shape,) * len(operator.outputs)
        else:
            shapes = ()
    except (ArithmeticError, IndexError, TfliteSparseError, TypeError, ValueError):
        raise Misfit(operator) from None
    if shapes is None:
        return None
    if len(shapes) != len(operator.outputs) or any(size < 1 for s in shapes for size in s):
        raise Misfit(operator)
    return shapes


def _is_open(tensor: Tensor) -> bool:
    return -1 in (tensor.shape_signature or ())


_ONE = {**COMPUTING, **MOVING}
