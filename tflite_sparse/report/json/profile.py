"""What the runtime executed, and what was predicted, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.model.sizes.sized import InputShapes
from tflite_sparse.records import Amount, Count, Record
from tflite_sparse.runtime.observations import Status
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from tflite_sparse.runtime.observations import Profile
    from tflite_sparse.runtime.plan_match import PlanComparison

__all__ = ["ProfileReport", "profile_report"]


class OperatorEntry(Record, frozen=True):
    """An operator as the runtime executed it.

    Attributes:
        name: as the runtime's profiler prints it.
        delegated: whether XNNPACK ran it; otherwise it is an operator of the model.
        sparse: whether a kernel for sparse weights ran.
        index: index in the model, or its number within XNNPACK's partition.
        partition: which partition of XNNPACK it belongs to; None outside.
        microseconds: median time of one execution.
        subgraph: index of the subgraph that it was executed for.
        instructions: how many it executed; null where they were not counted.
    """

    name: str
    delegated: bool
    sparse: bool
    index: Count
    partition: Count | None
    microseconds: Amount
    subgraph: Count = 0
    instructions: Count | None = None


class RowEntry(Record, frozen=True):
    """An executed operator beside a predicted one.

    Attributes:
        executed: what the runtime executed; None where it executed nothing there.
        predicted: what the plan says; None where it says nothing.
        operator: label of the model's operator that it belongs to.
        agrees: whether both are the same; what XNNPACK does not run is not predicted by name.
        subgraph: index of the subgraph of the operator.
    """

    executed: str | None
    predicted: str | None
    operator: str | None
    agrees: bool
    subgraph: Count = 0


class PlanEntry(Record, frozen=True):
    """What was executed beside what was predicted.

    Attributes:
        target: the target that was planned for.
        predicted: the outcome by the plan.
        agree: whether the runtime did what the plan says.
        rows: what was executed beside what was predicted.
    """

    target: str
    predicted: Outcome
    agree: bool
    rows: tuple[RowEntry, ...]


class ProfileEntry(Record, frozen=True):
    """The operators that a runtime executed for one inference.

    Attributes:
        model: the model.
        status: how it fared.
        detail: what the runtime said where the model did not run.
        processor: the processor that it ran on.
        emulated: whether the processor was emulated: then the times mean nothing.
        runs: over how many runs the medians were taken.
        microseconds: sum of the medians of all operators.
        operators: what was executed, in order.
        plan: what was predicted.
        input_shapes: the sizes that it was run at; null where the model leaves none open.
        instructions: instructions of a run; null where they were not counted.
        unprofiled: keys of signatures that were not run, for their subgraph is not the main one.
    """

    model: str
    status: Status
    detail: str
    processor: str
    emulated: bool
    runs: Count
    microseconds: Amount
    operators: tuple[OperatorEntry, ...]
    plan: PlanEntry
    input_shapes: InputShapes | None = None
    instructions: Count | None = None
    unprofiled: tuple[str, ...] = ()


class ProfileReport(Record, frozen=True):
    """What the runtime executed for a model.

    Attributes:
        profile: what was executed, and what was predicted.
    """

    profile: ProfileEntry

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with times in whole nanoseconds however long they are."""
        content: dict[str, Any] = msgspec.to_builtins(self)
        return content


def profile_report(
    path: str,
    profile: Profile,
    compared: PlanComparison,
    input_shapes: InputShapes | None = None,
    unprofiled: tuple[str, ...] = (),
) -> ProfileReport:
    """A profile of a model and what was predicted."""
    return ProfileReport(
        ProfileEntry(
            model=path,
            status=profile.status,
            detail=profile.detail,
            processor=profile.processor,
            emulated=profile.emulated,
            runs=profile.runs,
            microseconds=round(profile.microseconds, 3),
            operators=tuple(
                OperatorEntry(
                    name=operator.name,
                    delegated=operator.delegated,
                    sparse=operator.sparse,
                    index=operator.index,
                    partition=operator.partition,
                    microseconds=round(operator.microseconds, 3),
                    subgraph=operator.subgraph,
                    instructions=operator.instructions,
                )
                for operator in profile.operators
            ),
            plan=PlanEntry(
                target=compared.target,
                predicted=compared.predicted,
                agree=compared.agree,
                rows=tuple(
                    RowEntry(row.executed, row.predicted, row.operator, row.agrees, row.subgraph)
                    for row in compared.rows
                ),
            ),
            input_shapes=input_shapes,
            instructions=profile.instructions,
            unprofiled=unprofiled,
        )
    )
