"""What the runtime executed beside the model's operators and beside what was predicted."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from tflite_sparse.records import Record
from tflite_sparse.runtime.litert.driver import litert_version
from tflite_sparse.runtime.observations import Status
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.runtimes import DEFAULT_RUNTIME, RUNTIMES, Runtime

if TYPE_CHECKING:
    from tflite_sparse.model import Subgraph
    from tflite_sparse.runtime.observations import Profile
    from tflite_sparse.xnnpack.plan import Plan

__all__ = ["PlanComparison", "Row", "against_plan", "installed"]


class Row(Record, frozen=True):
    """An executed operator beside a predicted one.

    Attributes:
        executed: what the runtime executed; None where it executed nothing there.
        predicted: what the plan says; None where it says nothing.
        operator: label of the model's operator that the predicted one belongs to.
        microseconds: how long it took.
        delegated: whether XNNPACK ran it.
        subgraph: index of the subgraph of the operator.
    """

    executed: str | None
    predicted: str | None
    operator: str | None
    microseconds: float
    delegated: bool
    subgraph: int = 0

    @property
    def agrees(self) -> bool:
        """Whether both are the same; what XNNPACK does not run is not predicted by name."""
        return _plain(self.executed) == self.predicted or not self.delegated


class PlanComparison(Record, frozen=True):
    """A profile beside the plan for the same target.

    Attributes:
        target: the target of the plan.
        predicted: the outcome by the plan.
        status: how the model fared.
        rows: what was executed, in order, with what was predicted.
    """

    target: str
    predicted: Outcome
    status: Status
    rows: tuple[Row, ...]

    @property
    def agree(self) -> bool:
        """Whether the runtime did what the plan says."""
        if self.status != "ok":
            return self.predicted.is_failure
        return all(row.agrees for row in self.rows)


def installed() -> Runtime:
    """The release of the LiteRT that is installed, the newest where that one is not modelled.

    Raises:
        RuntimeUnavailableError: LiteRT is not installed.
    """
    version = litert_version()
    return next((entry for entry in RUNTIMES if version in entry.versions), DEFAULT_RUNTIME)


def against_plan(subgraph: Subgraph, profile: Profile, target: str) -> PlanComparison:
    """Holds what was executed against the prediction.

    What was executed for bodies of WHILE and IF is held against the plans of these, as often as
    they ran.

    Args:
        subgraph: the subgraph that was run.
        profile: what the runtime executed.
        target: name of the target that it ran on.

    Raises:
        UsageError: there is no such target.
    """
    planned = plan(subgraph, target)
    rows = _rows(planned, profile, subgraph.index)
    for body in subgraph.model.subgraphs:
        if body is not subgraph and any(o.subgraph == body.index for o in profile.operators):
            rows += _rows(plan(body, target), profile, body.index)
    outside = [
        Row(
            o.name,
            None,
            f"{o.name} #{o.index}{_where(o.subgraph)}",
            o.microseconds,
            False,
            o.subgraph,
        )
        for o in profile.operators
        if not o.delegated
    ]
    return PlanComparison(target, planned.outcome, profile.status, (*rows, *outside))


def _plain(name: str | None) -> str | None:
    """The name of an executed operator without what depends on the processor alone.

    That is to which form inputs are quantized on the fly (QD8, QDU8), and whether they are packed
    beforehand by KleidiAI (QP8 with dot products, PF32 and PF16 with SME).
    """
    for own, common in (("PF32", "F32"), ("PF16", "F16"), ("QP8", "QD8"), ("QDU8", "QD8")):
        name = None if name is None else name.replace(own, common)
    return name


def _where(subgraph: int) -> str:
    return f" in subgraph {subgraph}" if subgraph else ""


def _rows(planned: Plan, profile: Profile, subgraph: int) -> list[Row]:
    predicted: list[str] = []
    owners: list[str] = []
    for operator in planned.operators:
        for name in operator.executed:
            predicted.append(name)
            owners.append(operator.label + _where(subgraph))
    if tuple(predicted) != planned.executed:
        # The plan reorders; then only the names are known, not whose they are.
        predicted, owners = list(planned.executed), [""] * len(planned.executed)
    xnnpack = [o for o in profile.operators if o.delegated and o.subgraph == subgraph]
    # A body runs as often as its loop goes round.
    rounds = max(1, round(len(xnnpack) / len(predicted))) if predicted and subgraph else 1
    names, times = [o.name for o in xnnpack], [o.microseconds for o in xnnpack]
    return _aligned(names, times, predicted * rounds, owners * rounds, subgraph)


def _aligned(
    executed: list[str],
    times: list[float],
    predicted: list[str],
    owners: list[str],
    subgraph: int,
) -> list[Row]:
    rows = []
    names = [_plain(name) for name in executed]
    matcher = SequenceMatcher(None, names, predicted, autojunk=False)
    for _, a, a_end, b, b_end in matcher.get_opcodes():
        for offset in range(max(a_end - a, b_end - b)):
            i = a + offset if a + offset < a_end else None
            j = b + offset if b + offset < b_end else None
            rows.append(
                Row(
                    None if i is None else executed[i],
                    None if j is None else predicted[j],
                    None if j is None else owners[j] or None,
                    0.0 if i is None else times[i],
                    delegated=True,
                    subgraph=subgraph,
                )
            )
    return rows
