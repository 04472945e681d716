"""The memory layout of each value of a partition, and what went wrong so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from tflite_sparse.xnnpack.explain.wording import reason, value_title
from tflite_sparse.xnnpack.plan_types import Failure, Outcome
from tflite_sparse.xnnpack.stages.layout.memory_layout import MemoryLayout, plain_order

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.graph import Node, Value
    from tflite_sparse.xnnpack.releases.runtimes import Runtime

__all__ = ["LayoutTracker", "StopError"]


class StopError(Exception):
    """The model does not load, or aborts: there is nothing more to follow."""


class LayoutTracker:
    """Remembers the layout of values, and checks how nodes read them.

    Args:
        runtime: the release of the runtime.

    Attributes:
        runtime: the release of the runtime.
        failures: what went wrong, first things first.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.failures: list[Failure] = []
        self._layouts: dict[Value, MemoryLayout] = {}

    def layout_of(self, value: Value) -> MemoryLayout:
        """The layout of a value; constants and inputs are stored as the model states."""
        layout = self._layouts.get(value)
        return layout or MemoryLayout(value.shape, value.shape, plain_order(value.shape))

    def put(
        self, value: Value, shape: tuple[int, ...], order: tuple[int, ...] | None = None
    ) -> None:
        """Sets the layout of a value; channels last where no order is given."""
        order = plain_order(value.shape) if order is None else order
        self._layouts[value] = MemoryLayout(shape, value.shape, order)

    def wrong(
        self, code: str, node: Node, sentence: str, *, found: object = "", wanted: object = ""
    ) -> None:
        """Records wrong numbers."""
        why = reason(code, node.operator, sentence, operand="input", found=found, wanted=wanted)
        self.failures.append(Failure(Outcome.WRONG_NUMBERS, why))

    def stop(
        self,
        code: str,
        node: Node,
        sentence: str,
        *,
        outcome: Outcome = Outcome.LOAD_FAILURE,
        found: object = "",
        wanted: object = "",
    ) -> NoReturn:
        """Records a failure that ends the run."""
        why = reason(code, node.operator, sentence, operand="input", found=found, wanted=wanted)
        self.failures.append(Failure(outcome, why))
        raise StopError

    def expect(self, node: Node, value: Value, *, nchw: bool) -> None:
        """Checks that the value is stored as the node reads it."""
        layout = self.layout_of(value)
        fits = layout.is_nchw if nchw else layout.is_plain
        if not fits:
            code = "layout-nhwc-read" if nchw else "layout-nchw-read"
            reads, lies = ("NCHW", "NHWC") if nchw else ("NHWC", "NCHW")
            self.wrong(
                code,
                node,
                f"reads {value_title(value)} as {reads}, but it lies in {lies}",
                found=lies,
                wanted=reads,
            )

    def expect_shape(self, node: Node, value: Value, dims: int | None = None) -> None:
        """Checks that the runtime assumes the shape that the model states, up to a dimension."""
        layout = self.layout_of(value)
        if layout.shape[:dims] != layout.model_shape[:dims]:
            self.wrong(
                "layout-shape",
                node,
                f"gets {value_title(value)} as {layout.difference}",
                found=layout.shape,
                wanted=layout.model_shape,
            )
