"""Stores constants as what DEQUANTIZE makes of them, so that nothing has to unpack them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.model.quantization import dequantized_with, zero_points
from tflite_sparse.model.uses import Use, trace_constant, uses_of
from tflite_sparse.model.weights import Weight, by_content
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.rewrite.changes import Left, OperatorChange, Rewrite, RewriteKind, WeightChange
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.sequence import Sequence
from tflite_sparse.rewrite.storage.densify import Densify
from tflite_sparse.rewrite.storage.unpacking import bypass, remove_unpacking
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.storage.options import DensifyOptions
from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.storage.values.biases import BiasMove, let_biases_follow
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.storage.values.readers import HALVES, filter_of
from tflite_sparse.storage.values.unpacked import dequantizes, fp32_source
from tflite_sparse.storage.weight_id import WeightId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from tflite_sparse.model import Model, Operator, Tensor

__all__ = ["DensifyValues", "UnpackValues"]

_FP32 = "FLOAT32"
_NOT_ASKED = "not-asked"
_WITH_ITS_FILTER = Refusal("bias", "the filter of its operator stays fp16, and it with that")
_SMALLER = {
    StoredValues.FP32: ("FLOAT16", "INT8"),
    StoredValues.FP16: ("INT8",),
    StoredValues.INT8: (),
}
"""Element types that are smaller than the numbers that may stay."""


class UnpackValues(ModelPass):
    """Stores dense constants behind DEQUANTIZE as fp32, bit for bit what the runtime makes of them.

    Args:
        options: which, and the smallest numbers that may stay.
    """

    name = RewriteKind.DENSIFY
    summary = "Store constants behind DEQUANTIZE as fp32."

    def __init__(self, options: DensifyOptions | None = None) -> None:
        self.options = options or DensifyOptions()

    def apply(self, model: Model) -> Rewrite:
        """Edits the graph and the buffers of every constant that can be unpacked."""
        decisions = [
            _Unpacking(weight, _refusal(weight, self.options))
            for weight in _packed_constants(model, _SMALLER[self.options.values])
        ]
        _keep_filters_and_biases_alike(model, decisions)
        changes: list[WeightChange] = []
        counts = ZeroCounts()
        left: list[Left] = []
        expected: list[Expected] = []
        idle: list[Operator] = []
        for decision in decisions:
            weight = decision.weight
            nbytes, elements = weight.tensor.buffer.nbytes, weight.tensor.size
            if decision.refusal is not None:
                name = WeightId.of(weight)
                left.append(Left(name, None, elements, "dense", nbytes, *decision.refusal))
                continue
            source = fp32_source(weight.tensor)
            changes.append(_change(weight, counts))
            data = Deferred(4 * elements, np.uint8, partial(_raw, source))
            for tensor in weight.tensors:
                idle += bypass(tensor, "DEQUANTIZE")
                tensor.retype(_FP32, None)
                expected.append(Expected(tensor, source=source))
            for buffer in weight.buffers:
                buffer.data = data
        if changes:
            remove_unpacking(idle)
            model.drop_unused_codes()
        removed = (OperatorChange("DEQUANTIZE", removed=len(idle)),) if idle else ()
        return Rewrite(
            model, self.name, tuple(changes), tuple(left), removed, expected=tuple(expected)
        )


class DensifyValues(Sequence):
    """Stores every sparse tensor dense, then constants behind DEQUANTIZE as fp32.

    Args:
        options: which tensors, and the smallest numbers that may stay.
    """

    name = RewriteKind.DENSIFY
    summary = Densify.summary

    def __init__(self, options: DensifyOptions | None = None) -> None:
        super().__init__(Densify(options), UnpackValues(options))


class _Unpacking(msgspec.Struct, eq=False):
    """What is decided about a constant: why it is left as it is, None where it is unpacked."""

    weight: Weight
    refusal: Refusal | None
    biases: tuple[BiasMove, ...] = ()

    @property
    def changes(self) -> bool:
        return self.refusal is None

    def refuse(self, refusal: Refusal) -> None:
        self.refusal, self.biases = refusal, ()


def _keep_filters_and_biases_alike(model: Model, decisions: list[_Unpacking]) -> None:
    """Unpacks biases with their filters, whether asked for or not, and with these alone."""
    own = {tensor: each for each in decisions for tensor in each.weight.tensors}
    filters = [each for each in decisions if any(map(_is_filter, each.weight.uses))]
    fixed = True
    while fixed:
        let_biases_follow(model, filters, StoredValues.FP32)
        fixed = False
        for decision in filters:
            biases = [own[m.weight.tensor] for m in decision.biases if m.weight.tensor in own]
            if any(bias.refusal and bias.refusal.code != _NOT_ASKED for bias in biases):
                decision.refuse(Refusal("bias", "its operator has a bias that must stay as it is"))
                fixed = True
    following = {
        tensor for each in filters for move in each.biases for tensor in move.weight.tensors
    }
    converted = {operator for each in filters if each.changes for operator in each.weight.readers}
    for decision in decisions:
        if decision.weight.tensor in following:
            decision.refusal = None
        elif decision.changes and any(
            _is_bias_of_half(use) and use.operator not in converted for use in decision.weight.uses
        ):
            decision.refuse(_WITH_ITS_FILTER)


def _is_filter(use: Use) -> bool:
    place = filter_of(use.operator)
    return place is not None and use.operand == place.operand


def _is_bias_of_half(use: Use) -> bool:
    """Whether it is the bias of an operator that XNNPACK gives fp16 filters as they are."""
    place = filter_of(use.operator)
    if place is None or use.operand != place.bias or use.operator.name not in HALVES:
        return False
    filters = trace_constant(use.operator, place.operand)
    return filters is not None and filters.constant.type == "FLOAT16"


def _packed_constants(model: Model, kinds: tuple[str, ...]) -> Iterator[Weight]:
    """Dense constants of some types that a DEQUANTIZE reads."""
    metadata = {entry.buffer.content for entry in model.metadata}
    for content, tensors in by_content(model).items():
        uses = [use for tensor in tensors for use in uses_of(tensor)]
        packed = any(use.dequantize is not None for use in uses)
        if packed and tensors[0].type in kinds and tensors[0].sparsity is None:
            yield Weight(tensors, uses, is_metadata=content in metadata)


def _refusal(weight: Weight, options: DensifyOptions) -> Refusal | None:
    """Why a constant is left as it is; None where it can be unpacked."""
    chosen = options.selection.refusal(weight.tensor, weight.readers)
    if chosen is not None:
        return Refusal(_NOT_ASKED, chosen)
    if weight.is_metadata:
        return Refusal("metadata", "the metadata refer to its buffer")
    if not weight.alike or len({dequantized_with(tensor) for tensor in weight.tensors}) > 1:
        return Refusal("shared-unlike", "tensors that share its buffer read it in different ways")
    for tensor in weight.tensors:
        if tensor in tensor.subgraph.interface:
            return Refusal("graph-end", "it is an input or output of the graph")
        for use in tensor.subgraph.consumers(tensor):
            refusal = _reader_refusal(tensor, use.operator)
            if refusal is not None:
                return refusal
    return None


def _reader_refusal(tensor: Tensor, operator: Operator) -> Refusal | None:
    if operator.name != "DEQUANTIZE":
        return Refusal("reader", f"{operator.custom_code or operator.name} reads it as it is")
    if not dequantizes(operator, tensor) or operator.outputs[0].is_constant:
        return Refusal("malformed", "its DEQUANTIZE does not make the same of it as fp32")
    if operator.outputs[0] in tensor.subgraph.interface:
        return Refusal("graph-output", "its dequantized value is an output of the graph")
    return None


def _raw(source: Callable[[], NDArray[Any]]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(source()).reshape(-1).view(np.uint8)


def _change(weight: Weight, counts: ZeroCounts) -> WeightChange:
    tensor = weight.tensor
    kind = StoredValues.of(tensor.type)
    return WeightChange(
        weight=WeightId.of(weight),
        elements=tensor.size,
        zeros=counts.of(tensor, zero_points=zero_points(tensor)).zeros,
        zeroed=0,
        before="dense",
        after="dense",
        bytes_before=tensor.buffer.nbytes,
        bytes_after=4 * tensor.size,
        note=f"{kind} before, fp32 now",
    )
