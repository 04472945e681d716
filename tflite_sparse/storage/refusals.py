"""Why a weight cannot be stored sparse, whatever its zeros are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tflite_sparse.errors import ModelError
from tflite_sparse.model.densify_limit import DensifyLimit, densify_limit
from tflite_sparse.model.quantization import zero_points
from tflite_sparse.storage.reader_table import operand_refusal

if TYPE_CHECKING:
    from tflite_sparse.model import Tensor
    from tflite_sparse.model.weights import Weight
    from tflite_sparse.storage.options import SparsifyOptions

__all__ = ["Refusal", "asked_refusal", "reader_refusal", "structural_refusal"]

_LIMITS = {
    DensifyLimit.TYPE: ("type", "DENSIFY does not unpack {type}"),
    DensifyLimit.RANK: ("rank", "it is a vector"),
    DensifyLimit.ZERO_POINT: (
        "zero-point",
        "its zero point is not 0, which DENSIFY cannot fill in",
    ),
}


class Refusal(NamedTuple):
    """Why a weight is left alone.

    Attributes:
        code: short name of the reason.
        reason: the reason in words.
    """

    code: str
    reason: str


def asked_refusal(weight: Weight, options: SparsifyOptions) -> Refusal | None:
    """Whether a weight is among those that the options name."""
    chosen = options.selection.refusal(weight.tensor, weight.readers)
    if chosen is not None:
        return Refusal("not-asked", chosen)
    if options.ops and not any(
        (operator.custom_code or operator.name) in options.ops for operator in weight.readers
    ):
        return Refusal("not-asked", "not read by the operators asked for (--ops)")
    return None


def structural_refusal(weight: Weight) -> Refusal | None:
    """Why the format, or what else refers to the data, forbids to store a weight sparse."""
    limit = _densify_refusal(weight.tensor, shifted=False)
    if limit is not None:
        return limit
    if weight.is_metadata:
        return Refusal("metadata", "the metadata refer to its buffer")
    if not weight.alike:
        return Refusal("shared-unlike", "tensors that share its buffer see it in different ways")
    for tensor in weight.tensors:
        refusal = _tensor_refusal(tensor) or _dense_refusal(tensor)
        if refusal is not None:
            return refusal
    return None


def reader_refusal(weight: Weight) -> Refusal | None:
    """Why a reader of a weight cannot have a DENSIFY before it, or None."""
    for use in weight.uses:
        why = operand_refusal(use)
        if why is not None:
            return Refusal("reader", why)
    return None


def _tensor_refusal(tensor: Tensor) -> Refusal | None:
    graph = tensor.subgraph
    if tensor.is_variable:
        return Refusal("variable", "it is a variable")
    if graph.producer(tensor) is not None:
        return Refusal("written", "an operator writes it")
    ends = graph.interface
    if tensor in ends:
        return Refusal("graph-end", "it is an input or output of the graph")
    for use in graph.consumers(tensor):
        if use.operator.name == "DEQUANTIZE" and not ends.isdisjoint(use.operator.outputs):
            return Refusal("graph-end", "its dequantized value is an output of the graph")
    return None


def _dense_refusal(tensor: Tensor) -> Refusal | None:
    """What is wrong with the values of a weight that is stored dense."""
    if tensor.sparsity is not None:
        return None
    try:
        tensor.check_size()
        points = zero_points(tensor)
    except ModelError as error:
        return Refusal("malformed", error.message)
    return _densify_refusal(tensor, shifted=points is not None)


def _densify_refusal(tensor: Tensor, *, shifted: bool) -> Refusal | None:
    limit = densify_limit(tensor, shifted=shifted)
    if limit is None:
        return None
    code, reason = _LIMITS[limit]
    return Refusal(code, reason.format(type=tensor.type))
