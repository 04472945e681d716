"""What an inspection says about the runtime: plans, by the targets that do the same."""

from __future__ import annotations

from tflite_sparse.records import Count, Record, Share
from tflite_sparse.xnnpack.cost.estimate import Estimate
from tflite_sparse.xnnpack.cost.instructions import InstructionEstimate
from tflite_sparse.xnnpack.plan_types import (
    Change,
    ClusterPlan,
    HintSource,
    OperatorPlan,
    Outcome,
    Reason,
)

__all__ = ["NoHint", "Obstacle", "OlderRelease", "PlannedTarget", "TargetGroup"]


class PlannedTarget(Record, frozen=True):
    """A kind of processor, and how long a run takes there.

    Attributes:
        name: short name, such as "arm64".
        title: name for people.
        note: what else is worth knowing.
        estimate: how long a run takes; None where nobody has measured the like.
        instructions: how many instructions a run takes, estimated from emulation; None where nobody
            has counted the like.
    """

    name: str
    title: str
    note: str
    estimate: Estimate | None
    instructions: InstructionEstimate | None = None


class Obstacle(Record, frozen=True):
    """A rule that keeps operators next to 1x1 convolutions out of the sparse layout.

    Attributes:
        rule: stable code of the rule.
        summary: what the rule says.
        operators: indices of the operators that break it, in the order of execution.
        message: the first of them in words.
        share: share of the work of 1x1 convolutions that the rule keeps dense, alone or with
            others, 0 to 1.
    """

    rule: str
    summary: str
    operators: tuple[int, ...]
    message: str
    share: Share = 0.0


class NoHint(Record, frozen=True):
    """Why no weight can be stored sparse where one would make the runtime look for zeros.

    Attributes:
        code: short name of the reason, of the filter with the most zeros.
        reason: the reason in words.
    """

    code: str
    reason: str


class OlderRelease(Record, frozen=True):
    """What older releases of the runtime do with a subgraph that the newest does better.

    Attributes:
        subgraph: index of the subgraph.
        outcome: what comes of running the model there: a failure, or dense where the newest
            release runs it sparse.
        runtimes: the releases, oldest first.
        targets: the targets with these releases, such as "arm64@litert-2.0".
        message: of a failure, what goes wrong; "" for dense.
        operator: index of the operator that goes wrong; None where it is no single one.
        cause: the first operator that these releases do not take, or not into the sparse layout,
            and the newest does, in words; "" where there is none.
    """

    subgraph: Count
    outcome: Outcome
    runtimes: tuple[str, ...]
    targets: tuple[str, ...]
    message: str
    operator: Count | None
    cause: str = ""


class TargetGroup(Record, frozen=True):
    """What the runtime does with a subgraph, on all targets where it does the same.

    Attributes:
        subgraph: index of the subgraph.
        runtime: release of the runtime.
        targets: the targets.
        outcome: what comes of running the model.
        pointwise: number of 1x1 convolutions that could run sparse.
        sparse_pointwise: number of them that do.
        macs: multiply-accumulate operations of the whole subgraph.
        sparse_macs: those of the operators with sparse kernels, counted dense.
        reasons: of a failure, what goes wrong, first things first.
        changes: of a dense outcome, the shortest list of changes that would make it sparse.
        obstacles: what keeps operators out of the sparse layout, what matters most first.
        hints: the weights that make the runtime look for zeros.
        clusters: the clusters.
        operators: every operator.
        elsewhere: the outcome in a runtime that has all the kernels; the same where the stock one
            has them too.
        missing: those of the reasons by which only a stock runtime does not load the model.
        other_pointwise: indices of the 1x1 convolutions that could not run sparse as they are: they
            have a stride, or a filter that is computed.
        wide: indices of the convolutions wider than 1x1 over feature maps, without groups, of whose
            weights most are zero: `adapt` makes sums of 1x1 convolutions of them.
        no_hint: of a change that asks for a weight that is stored sparse, why none can be; None
            where one can, or there is no such change.
    """

    subgraph: Count
    runtime: str
    targets: tuple[PlannedTarget, ...]
    outcome: Outcome
    pointwise: int
    sparse_pointwise: int
    macs: Count
    sparse_macs: int
    reasons: tuple[Reason, ...]
    changes: tuple[Change, ...]
    obstacles: tuple[Obstacle, ...]
    hints: tuple[HintSource, ...]
    clusters: tuple[ClusterPlan, ...]
    operators: tuple[OperatorPlan, ...]
    elsewhere: Outcome
    missing: tuple[Reason, ...]
    other_pointwise: tuple[Count, ...] = ()
    wide: tuple[Count, ...] = ()
    no_hint: NoHint | None = None

    @property
    def off_by_design(self) -> bool:
        """Whether nothing ever runs sparse on these targets."""
        return bool(self.changes) and all(change.rule == "target-dense" for change in self.changes)
