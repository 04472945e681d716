"""Edits a model so that weights are stored in other numbers and unpacked when it is loaded."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model.sparse import sparsity_table
from tflite_sparse.model.types import dtype
from tflite_sparse.rewrite.changes import OperatorChange
from tflite_sparse.rewrite.storage.unpacking import bypass, insert_dequantize, remove_unpacking
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.rewrite.writing.runtime_version import (
    DEQUANTIZE_CHANNELS_NEEDS,
    DEQUANTIZE_CHANNELS_VERSION,
    DEQUANTIZE_NEEDS,
    dequantize_version,
    raise_runtime_version,
)
from tflite_sparse.storage.encoding_choice import deferred_encoding
from tflite_sparse.storage.fully_connected import set_version
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tflite_sparse.encoding import SparseEncoding
    from tflite_sparse.model import Model, Operator, Tensor
    from tflite_sparse.rewrite.writing.runtime_version import VersionRaise
    from tflite_sparse.storage.values.biases import BiasMove
    from tflite_sparse.storage.values.decide import ValuesDecision
    from tflite_sparse.storage.values.forms import Converted

__all__ = ["ValuesEdit"]


class ValuesEdit:
    """Edits of one model.

    Args:
        model: the model.

    Attributes:
        expected: what the tensors must hold in the file.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.expected: list[Expected] = []
        self._names = {graph: {t.name for t in graph.tensors} for graph in model.subgraphs}
        # One list of zero points for all weights with as many channels.
        self._zero_points: dict[int, NDArray[np.int64]] = {}
        self._idle: dict[Operator, None] = {}
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
        version = dequantize_version(kind, 0 if converted.scales is None else converted.scales.size)
        for tensor in weight.tensors:
            if encoding is None:
                self._idle |= dict.fromkeys(bypass(tensor, "DENSIFY"))
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
                    weight.tensor.size * width, np.uint8, partial(_raw, converted)
                )
        per_channel = version == DEQUANTIZE_CHANNELS_VERSION
        self._needs.add(DEQUANTIZE_CHANNELS_NEEDS if per_channel else DEQUANTIZE_NEEDS)
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
            if use.operator in self._idle:
                continue
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
                self._idle |= dict.fromkeys(bypass(tensor, "DEQUANTIZE"))
            tensor.retype(move.values.tensor_type, tensor.quantization)
            if half:
                self._dequantize(tensor, dequantize_version(move.values.tensor_type, 0))
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


def _packed(tensor: Tensor) -> Iterable[Tensor]:
    """The tensors that a DEQUANTIZE is to read: outputs of DENSIFY, or a dense constant itself."""
    if tensor.sparsity is None:
        return (tensor,)
    uses = tensor.subgraph.consumers(tensor)
    return [use.operator.outputs[0] for use in uses if use.operator.name == "DENSIFY"]
