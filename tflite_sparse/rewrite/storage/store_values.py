"""Stores weights in other numbers, fp16 or int8, that are unpacked to what they computed in."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.errors import RewriteError
from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model.sparse import sparsity_table
from tflite_sparse.model.types import dtype
from tflite_sparse.model.zero_counts import Counts, ZeroCounts
from tflite_sparse.rewrite.changes import (
    Baseline,
    Left,
    OperatorChange,
    Rewrite,
    RewriteKind,
    WeightChange,
)
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.sequence import Sequence
from tflite_sparse.rewrite.storage.sparsify import Sparsify
from tflite_sparse.rewrite.storage.unpacking import bypass, insert_dequantize, remove_unpacking
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.rewrite.writing.runtime_version import (
    DEQUANTIZE_CHANNELS_NEEDS,
    DEQUANTIZE_NEEDS,
    raise_runtime_version,
)
from tflite_sparse.storage.encoding_choice import deferred_encoding
from tflite_sparse.storage.fully_connected import set_version
from tflite_sparse.storage.options import SparsifyOptions
from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.storage.safety import forecasts, worse
from tflite_sparse.storage.values.decide import ValuesDecision, decide_values
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tflite_sparse.encoding import SparseEncoding
    from tflite_sparse.model import Model, Operator, Tensor
    from tflite_sparse.rewrite.writing.runtime_version import VersionRaise
    from tflite_sparse.storage.values.biases import BiasMove
    from tflite_sparse.storage.values.forms import Converted

__all__ = ["SparsifyValues", "StoreValues", "sparsify_pass", "store_values"]

_HALF_VERSION, _WHOLE_VERSION, _CHANNELS_VERSION = 3, 2, 5
"""Versions of DEQUANTIZE for fp16, int8 with one scale, and int8 with a scale for each channel.

Source: tflite/converter/tools/versioning/op_version.cc.
"""


class StoreValues(ModelPass):
    """Stores weights in other numbers, see `store_values`."""

    name = RewriteKind.SPARSIFY
    summary = "Store weights as fp16 or int8 that compute in fp32."

    def __init__(
        self, options: ValuesOptions | None = None, storage: SparsifyOptions | None = None
    ) -> None:
        self.options = options or ValuesOptions()
        self.storage = storage or SparsifyOptions()

    def apply(self, model: Model) -> Rewrite:
        """Decides about every weight, and edits the graph and the buffers of those that change."""
        decisions = decide_values(model, self.options, self.storage)
        counts = ZeroCounts()
        base = forecasts(model, counts)
        edit = _Edit(model)
        for decision in decisions:
            if decision.converted is not None:
                edit.store(decision, decision.converted)
                for tensor in decision.weight.tensors:
                    counts.tell(tensor, Counts(tensor.size, decision.converted.zeros))
        edit.finish()
        lost = sum(d.converted.rounding.lost for d in decisions if d.converted is not None)
        if lost and worse(base, forecasts(model, counts)):
            raise RewriteError(
                "with the values that round to zero, the runtime would do worse",
                hint="let no value round to zero",
            )
        return Rewrite(
            model=model,
            kind=self.name,
            weights=tuple(_change(d, d.converted) for d in decisions if d.converted is not None),
            left=tuple(left for decision in decisions if (left := _left(decision))),
            operators=edit.operator_changes(),
            notes=edit.notes(),
            min_runtime_version=edit.raise_version(),
            expected=tuple(edit.expected),
            baseline=Baseline(tuple(base), counts),
        )


class SparsifyValues(Sequence):
    """Stores weights sparse, then in other numbers."""

    name = RewriteKind.SPARSIFY
    summary = Sparsify.summary

    def __init__(
        self, options: ValuesOptions | None = None, storage: SparsifyOptions | None = None
    ) -> None:
        super().__init__(Sparsify(storage), StoreValues(options, storage))


def sparsify_pass(
    storage: SparsifyOptions | None = None, values: ValuesOptions | None = None
) -> ModelPass:
    """What stores weights sparse, and in other numbers where that is asked for.

    Args:
        storage: which weights, and how.
        values: the numbers; None for those that they have.
    """
    if values is None or values.values is StoredValues.FP32:
        return Sparsify(storage)
    return SparsifyValues(values, storage)


def store_values(
    model: Model, options: ValuesOptions | None = None, storage: SparsifyOptions | None = None
) -> Rewrite:
    """Stores the weights of operators that compute in fp32 as int8 or fp16, where that is smaller.

    The runtime unpacks them when it loads the model, by a DEQUANTIZE behind the constant, or behind
    the DENSIFY of a sparse one; operators, activations and biases stay what they are. int8 values
    have a scale for each output channel and zero point 0, so that zeros stay zeros. This loses
    information: `result.weights` says how much, weight by weight.

    Args:
        model: the model; it is edited in place. The values are computed when it is written.
        options: the numbers.
        storage: which weights, how sparse ones are encoded, and how much each must save.

    Returns:
        What was done. A second run changes nothing.

    Raises:
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding in the model is malformed.
    """
    return StoreValues(options, storage).run(model)


class _Edit:
    """Edits of one model.

    Attributes:
        expected: what the tensors must hold in the file.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.expected: list[Expected] = []
        self._names = {graph: {t.name for t in graph.tensors} for graph in model.subgraphs}
        # One list of zero points for all weights with as many channels.
        self._zero_points: dict[int, NDArray[np.int64]] = {}
        self._idle: list[Operator] = []
        self._added = 0
        self._versions: Counter[tuple[int, int]] = Counter()
        self._needs: set[str] = set()
        self._moved: dict[BiasMove, None] = {}

    def store(self, decision: ValuesDecision, converted: Converted) -> None:
        """Stores a weight, and the biases that follow it."""
        weight = decision.weight
        kind = converted.values.tensor_type
        encoding = _encoding(decision, converted)
        table = None if converted.scales is None else self._quantization(converted)
        version = _version(converted)
        for tensor in weight.tensors:
            if encoding is None:
                self._idle += bypass(tensor, "DENSIFY")
            tensor.retype(kind, table or tensor.quantization)
            tensor.table["sparsity"] = None if encoding is None else sparsity_table(encoding)
            for packed in _packed(tensor):
                if packed is not tensor:
                    packed.retype(kind, table or packed.quantization)
                self._dequantize(packed, version)
            self.expected.append(Expected(tensor, source=converted.source))
        width = np.dtype(dtype(kind)).itemsize
        for buffer in weight.buffers:
            if encoding is not None:
                buffer.data = encoding.values
            else:
                buffer.data = Deferred(
                    weight.tensor.size * width, np.uint8, lambda: _raw(converted)
                )
        self._needs.add(
            DEQUANTIZE_CHANNELS_NEEDS if version == _CHANNELS_VERSION else DEQUANTIZE_NEEDS
        )
        for move in decision.biases:
            if move not in self._moved:
                self._moved[move] = None
                self._move(move)

    def finish(self) -> None:
        """Removes what nothing reads any more."""
        if self.expected:
            remove_unpacking(self._idle)
            self.model.drop_unused_codes()

    def operator_changes(self) -> tuple[OperatorChange, ...]:
        """What changed among the operators."""
        removed = Counter(operator.name for operator in self._idle)
        versions = tuple((a, b, count) for (a, b), count in sorted(self._versions.items()))
        densify = OperatorChange("DENSIFY", removed=removed["DENSIFY"])
        gone = removed["DEQUANTIZE"]
        dequantize = OperatorChange(
            "DEQUANTIZE", max(self._added - gone, 0), max(gone - self._added, 0), versions
        )
        return tuple(
            change
            for change in (densify, dequantize)
            if change.added or change.removed or change.versions
        )

    def notes(self) -> tuple[str, ...]:
        """What else there is to know."""
        if not self._moved:
            return ()
        kind = next(iter(self._moved)).values
        return (
            f"{len(self._moved)} biases are {kind} now, as XNNPACK asks of those of such filters",
        )

    def raise_version(self) -> VersionRaise | None:
        """Raises the version that the model asks for."""
        needs = DEQUANTIZE_CHANNELS_NEEDS if DEQUANTIZE_CHANNELS_NEEDS in self._needs else None
        needs = needs or next(iter(self._needs), None)
        return None if needs is None else raise_runtime_version(self.model, needs)

    def _dequantize(self, packed: Tensor, version: int) -> None:
        fresh = []
        for use in list(packed.subgraph.consumers(packed)):
            if use.operator.name != "DEQUANTIZE":
                fresh.append(use)
            elif use.operator.version != version:
                self._versions[use.operator.version, version] += 1
                set_version(self.model, use.operator, version)
        names = self._names[packed.subgraph]
        self._added += insert_dequantize(self.model, packed, fresh, version, names) is not None

    def _move(self, move: BiasMove) -> None:
        data = move.data()
        half = move.values is StoredValues.FP16
        for tensor in move.weight.tensors:
            if not half:
                self._idle += bypass(tensor, "DEQUANTIZE")
            tensor.retype(move.values.tensor_type, tensor.quantization)
            if half:
                self._dequantize(tensor, _HALF_VERSION)
            self.expected.append(Expected(tensor, source=lambda: data))
        for buffer in move.weight.buffers:
            buffer.data = data

    def _quantization(self, converted: Converted) -> Table:
        scales = converted.scales
        assert scales is not None  # noqa: S101 - int8 has scales
        table = Table("QuantizationParameters")
        table["scale"] = scales
        count = scales.size
        points = self._zero_points.setdefault(count, np.zeros(count, np.int64))
        table["zero_point"] = points
        if count > 1:
            table["quantized_dimension"] = converted.axis
        return table


def _encoding(decision: ValuesDecision, converted: Converted) -> SparseEncoding | None:
    if not decision.sparse or converted.sparse is None:
        return None
    return deferred_encoding(
        decision.weight.tensor.shape,
        converted.sparse.layout,
        converted.sparse.cost,
        converted.source,
        np.dtype(dtype(converted.values.tensor_type)),
    )


def _raw(converted: Converted) -> NDArray[np.uint8]:
    return converted.source().reshape(-1).view(np.uint8)


def _version(converted: Converted) -> int:
    if converted.scales is None:
        return _HALF_VERSION
    return _CHANNELS_VERSION if converted.scales.size > 1 else _WHOLE_VERSION


def _packed(tensor: Tensor) -> Iterable[Tensor]:
    """The tensors that a DEQUANTIZE is to read: outputs of DENSIFY, or a dense constant itself."""
    if tensor.sparsity is None:
        return (tensor,)
    uses = tensor.subgraph.consumers(tensor)
    return [use.operator.outputs[0] for use in uses if use.operator.name == "DENSIFY"]


def _change(decision: ValuesDecision, converted: Converted) -> WeightChange:
    shape = decision.weight.tensor.shape
    sparse = converted.sparse if decision.sparse else None
    return WeightChange(
        weight=decision.id,
        elements=decision.weight.tensor.size,
        zeros=converted.zeros,
        zeroed=0,
        before=decision.stored,
        after="dense" if sparse is None else sparse.layout.describe(shape),
        bytes_before=decision.bytes_before,
        bytes_after=decision.bytes_after + sum(move.grows for move in decision.biases),
        rounding=converted.rounding,
    )


def _left(decision: ValuesDecision) -> Left | None:
    if not isinstance(decision.outcome, Refusal):
        return None
    tensor = decision.weight.tensor
    code, reason = decision.outcome
    return Left(
        decision.id, None, tensor.size, decision.stored, decision.bytes_before, code, reason
    )
