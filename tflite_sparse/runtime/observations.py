"""What a runtime answers: data only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tflite_sparse.records import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ExecutedOperator", "Outputs", "Profile", "RunResult", "Status", "Timing"]

Status = Literal["ok", "load-failure", "run-failure", "crashed", "timed-out"]
"""How a model fared: refused while it was loaded, failed while it ran, took the process with it, or
was not done in time."""

Outputs = dict[str, "NDArray[np.generic]"]
"""Values by the name of the output; where names repeat, by name and number."""


class RunResult(msgspec.Struct, frozen=True):
    """A model that was run, or an attempt at it.

    Attributes:
        status: how it fared.
        detail: what the runtime said, or the signal that ended the process; "" when all went well.
        trials: the outputs of each set of inputs, in order.
    """

    status: Status
    detail: str = ""
    trials: tuple[Outputs, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the model ran."""
        return self.status == "ok"


class ExecutedOperator(Record, frozen=True):
    """An operator as the runtime executed it.

    Attributes:
        name: as the runtime's profiler prints it, such as "Convolution (NCHW, F32) SPMM".
        microseconds: median time of one execution.
        delegated: whether XNNPACK ran it; otherwise `name` is that of the model's operator.
        index: for an operator of the model its index there, for one of XNNPACK its number within
            its partition.
        partition: which delegate partition it belongs to, in the order of execution; None outside.
        subgraph: index of the subgraph that it was executed for: of the main one, or of a body of
            WHILE or IF.
        instructions: how many it executed; None where they were not counted.
    """

    name: str
    microseconds: float
    delegated: bool
    index: int
    partition: int | None
    subgraph: int = 0
    instructions: int | None = None

    @property
    def sparse(self) -> bool:
        """Whether a kernel for sparse weights ran."""
        return self.delegated and self.name.endswith(" SPMM")


class Profile(Record, frozen=True):
    """The operators that a runtime executed for one inference.

    Attributes:
        status: how the model fared.
        detail: what the runtime said when it did not run.
        operators: what was executed, in order.
        runs: over how many runs the medians were taken.
        emulated: whether the processor was emulated: then the times mean nothing.
        processor: the processor that it ran on.
        instructions: instructions of a whole run, with what is between operators; None where they
            were not counted.
    """

    status: Status
    detail: str = ""
    operators: tuple[ExecutedOperator, ...] = ()
    runs: int = 0
    emulated: bool = False
    processor: str = ""
    instructions: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the model ran."""
        return self.status == "ok"

    @property
    def microseconds(self) -> float:
        """Sum of the medians of all operators."""
        return sum(operator.microseconds for operator in self.operators)

    @property
    def delegated(self) -> tuple[str, ...]:
        """Names of XNNPACK's operators, in order."""
        return tuple(operator.name for operator in self.operators if operator.delegated)


class Timing(msgspec.Struct, frozen=True):
    """How long inferences took.

    Attributes:
        model: the model's path.
        status: how it fared.
        detail: what went wrong, if anything did.
        milliseconds: one time for each counted run.
        outputs: what it computed from the inputs; empty where that was not asked for.
        others: what it computed from other inputs; empty as before.
    """

    model: str
    status: Status
    detail: str = ""
    milliseconds: tuple[float, ...] = ()
    outputs: Outputs = msgspec.field(default_factory=dict)
    others: Outputs = msgspec.field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the model ran."""
        return self.status == "ok"

    def quantile(self, share: float) -> float:
        """The time that this share of the runs did not pass, by nearest rank; 0.0 without runs."""
        ordered = sorted(self.milliseconds)
        return ordered[round(share * (len(ordered) - 1))] if ordered else 0.0

    @property
    def median(self) -> float:
        """Median time of a run in milliseconds."""
        return self.quantile(0.5)
