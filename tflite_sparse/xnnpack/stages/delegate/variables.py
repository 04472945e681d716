"""Resource variables: which of them XNNPACK keeps, and what it knows of each.

Source: tflite/delegates/xnnpack/xnnpack_delegate.cc, ResourceInfo, VisitVarHandleNode,
VisitAssignVariableNode and VisitReadVariableNode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model import Tensor

if TYPE_CHECKING:
    from tflite_sparse.model import Operator

__all__ = ["Variable", "Variables"]


class Variable(msgspec.Struct, eq=False):
    """A handle of a variable, as one subgraph uses it.

    Attributes:
        stand_in: a tensor of its type and shape, the first that is assigned or read; None as long
            as there is none.
        is_read: whether an operator that XNNPACK takes reads it.
        is_assigned: whether one assigns it.
    """

    stand_in: Tensor | None = None
    is_read: bool = False
    is_assigned: bool = False


class Variables(msgspec.Struct, eq=False):
    """The variables of a subgraph.

    Attributes:
        by_handle: the variable of a handle, by the index of the handle's tensor.
    """

    by_handle: dict[int, Variable] = msgspec.field(default_factory=dict)

    def of(self, handle: Tensor) -> Variable | None:
        """The variable of a handle; None where no VAR_HANDLE of the subgraph made it."""
        return self.by_handle.get(handle.index)

    def mismatch(self, handle: Tensor, value: Tensor) -> tuple[str, str, str, str] | None:
        """Why XNNPACK does not read or assign a value: (operand, found, wanted, sentence)."""
        variable = self.of(handle)
        if variable is None:
            sentence = "uses a variable whose handle is made outside the subgraph"
            return "handle", "made elsewhere", "a VAR_HANDLE of the subgraph", sentence
        same = variable.stand_in
        if same is None or (same.type, same.shape) == (value.type, value.shape):
            return None
        found, wanted = (f"{t.type} {list(t.shape)}" for t in (value, same))
        sentence = f"has a value of {found}, and the variable is used as {wanted} before"
        return "value", found, wanted, sentence

    def handled(self, op: Operator) -> None:
        """Notes a VAR_HANDLE."""
        for handle in op.outputs:
            self.by_handle.setdefault(handle.index, Variable())

    def used(self, op: Operator) -> None:
        """Notes an operator that XNNPACK takes."""
        variable = self.of(op.inputs[0]) if op.inputs and op.inputs[0] is not None else None
        if variable is None:
            return
        if op.name == "READ_VARIABLE":
            variable.is_read = True
            variable.stand_in = variable.stand_in or op.outputs[0]
        elif op.name == "ASSIGN_VARIABLE":
            variable.is_assigned = True
            variable.stand_in = variable.stand_in or op.inputs[1]
