"""Failures without a wrong layout: filters that the runtime cannot, or must not, read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.explain.wording import reason
from tflite_sparse.xnnpack.plan_types import Failure, Outcome
from tflite_sparse.xnnpack.stages.delegate.operand_checks import is_constant
from tflite_sparse.xnnpack.stages.profit import counted_filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Operator, Subgraph, Tensor
    from tflite_sparse.xnnpack.graph import Value
    from tflite_sparse.xnnpack.stages.delegate.delegate import Delegation
    from tflite_sparse.xnnpack.stages.partition_state import PartitionState

_COUNTED_BYTES = 4
# One unpacks them, some look at shapes alone, and what CUSTOM does is unknown.
_READ_NO_PACKED_VALUES = frozenset({"DENSIFY", "SHAPE", "RANK", "ZEROS_LIKE", "CUSTOM"})

__all__ = ["lost_weights", "misread_filters", "uncounted_filters", "unloadable"]


def _delegated(delegation: Delegation) -> Iterator[Operator]:
    for run in delegation.partitions:
        yield from (op for op in run.operators if op.index not in delegation.unpacking)


def _filter(op: Operator) -> Tensor | None:
    return op.inputs[1] if len(op.inputs) > 1 else None


def unloadable(delegation: Delegation) -> Iterator[Failure]:
    """Operators that read an int8 weight from the file although a DENSIFY has unpacked it.

    The delegate defines the filter of a dynamically quantized convolution, and of any int8
    FULLY_CONNECTED, from the tensor's own memory, which an unpacked tensor does not have.
    """
    for op in _delegated(delegation):
        filt, source = _filter(op), op.inputs[0] if op.inputs else None
        if filt is None or source is None or filt.type != "INT8":
            continue
        if not delegation.static.is_unpacked(filt) or filt.index in delegation.kept:
            continue
        dynamic = source.type in ("FLOAT32", "FLOAT16")
        if op.name == "FULLY_CONNECTED" or (
            dynamic and op.name in ("CONV_2D", "TRANSPOSE_CONV", "BATCH_MATMUL")
        ):
            why = reason(
                "filter-unpacked",
                op,
                "reads an int8 filter through DENSIFY, and does not find it",
                operand="filter",
                found="int8 behind DENSIFY",
                wanted="int8 stored dense",
            )
            yield Failure(Outcome.LOAD_FAILURE, why)


def misread_filters(delegation: Delegation, subgraph: Subgraph) -> Iterator[Failure]:
    """Operators that take the packed values of a sparse constant for a dense one.

    XNNPACK looks at no encoding but that of a DENSIFY; of TFLite's kernels, those of DENSIFY and of
    the filter of FULLY_CONNECTED do.

    Source: tflite/kernels/densify.cc and fully_connected.cc, the only ones that ask for `sparsity`.
    """
    inside = {op.index for op in _delegated(delegation)}
    for op in subgraph.operators:
        outside = op.index not in inside
        if op.index in delegation.unpacking or (outside and op.name in _READ_NO_PACKED_VALUES):
            continue
        for operand, tensor in enumerate(op.inputs):
            if tensor is None or tensor.sparsity is None or not is_constant(tensor):
                continue
            if not outside or (op.name, operand) != ("FULLY_CONNECTED", 1):
                why = reason(
                    "filter-packed",
                    op,
                    "reads a sparse weight without DENSIFY and takes its packed values for dense",
                    operand=f"input {operand}",
                    found="sparse",
                    wanted="DENSIFY in between",
                )
                yield Failure(Outcome.WRONG_NUMBERS, why)


def lost_weights(delegation: Delegation, subgraph: Subgraph) -> Iterator[Failure]:
    """Operators outside XNNPACK that read what XNNPACK has unpacked for itself alone.

    A DENSIFY whose readers are DEQUANTIZE is folded even where what reads these stays with TFLite:
    the DEQUANTIZE then runs in TFLite on memory that nothing has filled.
    """
    inside = {op.index for run in delegation.partitions for op in run.operators}
    unpacked = {
        output.index: op
        for op in subgraph.operators
        if op.index in delegation.unpacking and op.index in inside
        for output in op.outputs
    }
    for op in subgraph.operators:
        if op.index in inside:
            continue
        for tensor in op.inputs:
            if tensor is not None and tensor.index in unpacked:
                why = reason(
                    "weight-lost",
                    op,
                    f"runs in TFLite and reads what {unpacked[tensor.index].label} would compute,"
                    " which XNNPACK has unpacked for itself alone",
                    operand="input",
                    found="nothing",
                    wanted="the weight without DENSIFY",
                )
                yield Failure(Outcome.WRONG_NUMBERS, why)


def uncounted_filters(partition: PartitionState) -> Iterator[Failure]:
    """Filters whose zeros the runtime counts although it cannot read them as numbers.

    It looks at every 1x1 and fully connected filter outside clusters that it has dropped.
    """
    only_convolutions = not partition.graph.runtime.sparse_fully_connected
    for node in partition.graph.nodes:
        cluster = partition.clusters.of(node)
        if not counted_filter(node) or cluster.dead:
            continue
        if only_convolutions and node.window is None:
            continue
        filt = node.inputs[1]
        if filt.is_static and not filt.is_float and not _room_behind(filt):
            why = reason(
                "filter-type",
                node.operator,
                "has a quantized filter, whose zeros are counted as "
                "though it were fp32, past its end",
                operand="filter",
                found=filt.type,
                wanted="fp32 or fp16",
            )
            yield Failure(Outcome.PROCESS_ABORT, why)
        if not filt.is_static:
            why = reason(
                "filter-computed",
                node.operator,
                "has a filter that is computed",
                operand="filter",
                found="computed",
                wanted="constant",
            )
            yield Failure(Outcome.PROCESS_ABORT, why)


def _room_behind(filt: Value) -> bool:
    # Counted as fp32, one byte a weight is read as four: harmless while that stays in the file.
    constant = filt.source
    file = None if constant is None else constant.subgraph.model.file.source
    if constant is None or file is None:
        return False
    memory, data = file.data, constant.buffer.data
    start = data.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    return bool(0 <= start <= memory.nbytes - _COUNTED_BYTES * filt.size)
