"""The delegate stage: what XNNPACK takes, what it unpacks at load time, and who sets the hint.

Source: tflite/delegates/xnnpack/xnnpack_delegate.cc, PrepareOpsToDelegate and Subgraph::Create.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model import Tensor
from tflite_sparse.model.sizes.sized import input_shapes_of
from tflite_sparse.xnnpack.explain.wording import reason
from tflite_sparse.xnnpack.plan_types import HintSource, Reason
from tflite_sparse.xnnpack.stages.delegate.operand_checks import UnpackedConstants, is_constant
from tflite_sparse.xnnpack.stages.delegate.operators import refusal
from tflite_sparse.xnnpack.stages.delegate.partition import Run, runs
from tflite_sparse.xnnpack.stages.delegate.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Operator, Subgraph
    from tflite_sparse.xnnpack.assumptions import WhatIf
    from tflite_sparse.xnnpack.releases.runtimes import Runtime

__all__ = ["Delegation", "delegate"]

_UNPACKED_TYPES = ("FLOAT32", "FLOAT16", "INT8")
_TAKES_HALVES = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")


class Delegation(msgspec.Struct, eq=False):
    """What the delegate stage decides.

    Attributes:
        static: constants that are unpacked at load time.
        unpacking: index of an operator that is unpacked at load time -> code of its rule.
        refusals: index of an operator that stays with TFLite -> why.
        origins: index of an unpacked tensor -> the constant that the file stores.
        variables: the resource variables.
        kept: indices of tensors that TFLite unpacks for the operators that are taken.
        partitions: the runs that XNNPACK takes, in the order of execution.
    """

    static: UnpackedConstants
    unpacking: dict[int, str] = msgspec.field(default_factory=dict)
    refusals: dict[int, Reason] = msgspec.field(default_factory=dict)
    origins: dict[int, Tensor] = msgspec.field(default_factory=dict)
    variables: Variables = msgspec.field(default_factory=Variables)
    kept: set[int] = msgspec.field(default_factory=set)
    partitions: tuple[Run, ...] = ()

    def is_sparse(self, tensor: Tensor) -> bool:
        """Whether a tensor is an unpacked weight that was stored sparse."""
        return tensor.index in self.static.sparse or tensor.index in self.static.encoded

    def hints(self, run: Run) -> tuple[HintSource, ...]:
        """The sparse weights that operators of a partition read; any of them sets the hint."""
        hints = [
            (op, HintSource(op.index, operand, tensor.index))
            for op in run.operators
            for operand, tensor in enumerate(op.inputs)
            if tensor is not None and self.is_sparse(tensor)
        ]
        # A DEQUANTIZE that reads a DENSIFY counts too; it is named only where nothing else is.
        readers = [hint for op, hint in hints if op.index not in self.unpacking]
        return tuple(readers or [hint for _, hint in hints])


def delegate(subgraph: Subgraph, runtime: Runtime, assume: WhatIf) -> Delegation:
    """Decides operator by operator, in the order of execution.

    Args:
        subgraph: the subgraph.
        runtime: the release of the runtime.
        assume: assumptions about constants.
    """
    # What stands for an open size in a file decides nothing.
    input_shapes_of(subgraph.model)
    state = Delegation(UnpackedConstants(encoded=assume.encoded))
    taken: set[int] = set()
    for op in subgraph.operators:
        if _unpacks_halves(op, state, assume):
            continue
        if _unpacks_sparse(op, state, assume):
            if not runtime.unpacks:
                _leave(op, state)
            continue
        if op.name == "VAR_HANDLE":
            state.variables.handled(op)
            continue
        why = refusal(op, state.static, state.variables, runtime)
        if why is None:
            state.variables.used(op)
            taken.add(op.index)
            continue
        state.refusals[op.index] = why
        _keep_producers(op, state)
    taken.update(_handles(subgraph, state))
    state.partitions = tuple(
        run for run in runs(subgraph, taken | set(state.unpacking)) if run.delegated
    )
    return state


def _handles(subgraph: Subgraph, state: Delegation) -> Iterator[int]:
    # A handle goes where what is done to its variable goes, which shows at the end only.
    for op in subgraph.operators:
        if op.name != "VAR_HANDLE":
            continue
        variable = state.variables.of(op.outputs[0]) if op.outputs else None
        if variable is not None and variable.stand_in is not None:
            yield op.index
        else:
            state.refusals[op.index] = reason(
                "delegate-variable",
                op,
                "is the handle of a variable that no operator of XNNPACK reads or assigns",
                operand="output",
                found="no operator of XNNPACK",
                wanted="READ_VARIABLE or ASSIGN_VARIABLE",
            )


def _keep_producers(op: Operator, state: Delegation) -> None:
    # What an operator outside XNNPACK reads must be made by TFLite, whoever else reads it.
    for tensor in op.inputs:
        producer = None if tensor is None else op.subgraph.producer(tensor)
        if tensor is not None and producer is not None and producer.index in state.unpacking:
            del state.unpacking[producer.index]
            state.refusals[producer.index] = reason(
                "densify-kept",
                producer,
                f"is read by {op.label} outside XNNPACK, so TFLite unpacks it and keeps it",
                operand="output",
                found=op.label,
                wanted="readers within XNNPACK only",
            )


def _leave(op: Operator, state: Delegation) -> None:
    """Leaves a DENSIFY to TFLite, where whoever reads it still finds a filter."""
    del state.unpacking[op.index]
    state.static.sparse.discard(op.outputs[0].index)
    state.kept.add(op.outputs[0].index)
    state.refusals[op.index] = reason(
        "densify-kept",
        op,
        "is not taken by YNNPACK, so TFLite unpacks it and keeps the dense copy",
        operand="operator",
        found="YNNPACK",
        wanted="XNNPACK",
    )


def _unpacks_halves(op: Operator, state: Delegation, assume: WhatIf) -> bool:
    if op.name != "DEQUANTIZE" or len(op.inputs) != 1 or len(op.outputs) != 1:
        return False
    source, result = op.inputs[0], op.outputs[0]
    static = state.static
    if source is None or result.type != "FLOAT32":
        return False
    stored = is_constant(source) and (source.sparsity is None or source.index in assume.dense)
    integers = source.type == "INT8" and source.quantization is not None
    if not (stored or source.index in static.unpacked):
        return False
    if source.type != "FLOAT16" and not integers:
        return False
    if source.type == "FLOAT16" and _skips(op):
        static.halves.add(result.index)
    static.unpacked.add(result.index)
    if state.is_sparse(source):
        static.sparse.add(result.index)
    state.origins[result.index] = state.origins.get(source.index, source)
    state.unpacking[op.index] = "fold-dequantize"
    return True


def _skips(op: Operator) -> bool:
    # Matrix products take fp16 constants as they are, unless as the activation.
    result = op.outputs[0]
    return all(
        use.operator.name in _TAKES_HALVES and use.operator.inputs[0] is not result
        for use in op.subgraph.consumers(result)
    )


def _unpacks_sparse(op: Operator, state: Delegation, assume: WhatIf) -> bool:
    if op.name != "DENSIFY" or len(op.inputs) != 1 or len(op.outputs) != 1:
        return False
    source, result = op.inputs[0], op.outputs[0]
    if source is None or not is_constant(source) or source.sparsity is None:
        return False
    if source.type not in _UNPACKED_TYPES or result.type != source.type:
        return False
    state.static.unpacked.add(result.index)
    if source.index not in assume.dense:
        state.static.sparse.add(result.index)
    state.origins[result.index] = source
    state.unpacking[op.index] = "fold-densify"
    return True
