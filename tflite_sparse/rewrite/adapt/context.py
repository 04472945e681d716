"""The state that passes and forms share while they change a part of a subgraph."""

from __future__ import annotations

import msgspec

from tflite_sparse.model import Operator, Tensor
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.passes.adapt_pass import AnyPass
from tflite_sparse.rewrite.adapt.window import Mirrored

__all__ = ["Context"]


class Context(msgspec.Struct, eq=False):
    """A part of a subgraph that is being rewritten.

    Attributes:
        editor: edits the subgraph.
        mirrored: along which axes maps are reversed.
        passes: the passes that may be used.
        members: the operators that will run in the sparse layout.
        ends: the reductions among them that bring values out of it.
        detours: whether KxK convolutions may take part that are slower sparse than dense, because
            bringing their maps out and in again may cost more.
        shared: what several operators of the result read, such as a map that was shifted.
    """

    editor: Editor
    mirrored: Mirrored
    passes: frozenset[AnyPass]
    members: set[Operator] = msgspec.field(default_factory=set)
    ends: set[Operator] = msgspec.field(default_factory=set)
    detours: bool = False
    shared: dict[object, Tensor] = msgspec.field(default_factory=dict)

    def again(self) -> Context:
        """A context for another part, with the same layout and passes."""
        return Context(self.editor, self.mirrored, self.passes, detours=self.detours)

    def allows(self, adapt_pass: AnyPass) -> bool:
        """Whether a pass may be used."""
        return adapt_pass in self.passes
