"""What an inspection says about the runtime: whether the model runs sparse, and why not."""

from __future__ import annotations

from tflite_sparse._dataclass import dataclass
from tflite_sparse.inspection.facts import Facts

__all__ = [
    "ChangeFacts",
    "ClusterFacts",
    "EstimateFacts",
    "HintFacts",
    "ObstacleFacts",
    "PlannedOperator",
    "ReasonFacts",
    "StepFacts",
    "TargetFacts",
    "TargetsFacts",
]


@dataclass(frozen=True, slots=True)
class EstimateFacts(Facts):
    """An estimate of the time of one run, never a measurement.

    Attributes:
        dense_ms: without the sparse path, in milliseconds.
        planned_ms: as the runtime runs it, in milliseconds.
        gain: how many times faster the second is.
        measured: what the estimate is fitted to.
    """

    dense_ms: float
    planned_ms: float
    gain: float
    measured: str


@dataclass(frozen=True, slots=True)
class TargetFacts(Facts):
    """A kind of processor.

    Attributes:
        name: short name, such as "arm64".
        title: name for people.
        note: what else is worth knowing.
        estimate: how long a run takes; None where nobody has measured the like.
    """

    name: str
    title: str
    note: str
    estimate: EstimateFacts | None


@dataclass(frozen=True, slots=True)
class ReasonFacts(Facts):
    """A rule of the runtime that applied, and to what.

    Attributes:
        rule: stable code of the rule.
        operator: index of the operator; None where it is about the whole model.
        operand: the operand or option that broke it; "" for none.
        found: the value found.
        wanted: the value that would satisfy the rule.
        message: all of it in words.
    """

    rule: str
    operator: int | None
    operand: str
    found: str
    wanted: str
    message: str


@dataclass(frozen=True, slots=True)
class ObstacleFacts(Facts):
    """A rule that keeps operators next to 1x1 convolutions out of the sparse layout.

    Attributes:
        rule: stable code of the rule.
        summary: what the rule says.
        operators: indices of the operators that break it, in the order of execution.
        message: the first of them in words.
    """

    rule: str
    summary: str
    operators: tuple[int, ...]
    message: str


@dataclass(frozen=True, slots=True)
class ChangeFacts(Facts):
    """A change that takes an obstacle out of the way.

    Attributes:
        rule: stable code of the rule that it satisfies.
        operator: index of the operator to change; None for the whole model.
        message: what to do.
    """

    rule: str
    operator: int | None
    message: str


@dataclass(frozen=True, slots=True)
class ClusterFacts(Facts):
    """Operators that go sparse together or not at all.

    Attributes:
        index: its number, in the order of execution.
        members: indices of its operators.
        entries: those that bring values into the sparse layout.
        exits: those that bring values out of it.
        filters: those whose filters are counted.
        zeros: zeros in those filters.
        parameters: size of those filters.
        margin: further zeros needed to exceed two thirds; 0 or less where none are.
        complete: whether every member may run in the sparse layout.
        profitable: whether there are zeros enough.
        sparse: whether it runs sparse.
        obstacles: why it is not complete, nearest to the entry first.
    """

    index: int
    members: tuple[int, ...]
    entries: tuple[int, ...]
    exits: tuple[int, ...]
    filters: tuple[int, ...]
    zeros: int
    parameters: int
    margin: int
    complete: bool
    profitable: bool
    sparse: bool
    obstacles: tuple[ReasonFacts, ...]


@dataclass(frozen=True, slots=True)
class HintFacts(Facts):
    """A sparse weight that makes the runtime look for zeros at all.

    Attributes:
        operator: index of the operator that reads it.
        operand: position among its inputs.
        tensor: index of the tensor that it reads.
    """

    operator: int
    operand: int
    tensor: int


@dataclass(frozen=True, slots=True)
class StepFacts(Facts):
    """A rule of the runtime that changes an operator before it runs.

    Attributes:
        rule: stable code of the rule.
        summary: what the rule says.
    """

    rule: str
    summary: str


@dataclass(frozen=True, slots=True)
class PlannedOperator(Facts):
    """What becomes of one operator.

    Attributes:
        index: its index in the subgraph.
        name: its kind.
        label: what people call it.
        delegated: whether XNNPACK takes it.
        partition: the XNNPACK partition that it belongs to.
        refusal: why XNNPACK does not take it.
        fate: "tflite", "folded", "fused", "dropped" or "executed".
        steps: the rules that define, fuse or rewrite it.
        fused_into: index of the operator that it vanishes in.
        role: what it may be in a sparse cluster: "entry", "inner", "inner or exit", "exit", "none".
        role_refusal: why it may be nothing.
        cluster: number of its cluster.
        nchw: whether it reads or writes the sparse layout.
        kernel: output channels that its sparse kernel computes together; None where it is dense.
        executed: what XNNPACK runs for it, as LiteRT's profiler names it.
        macs: multiply-accumulate operations of its dense form.
    """

    index: int
    name: str
    label: str
    delegated: bool
    partition: int | None
    refusal: ReasonFacts | None
    fate: str
    steps: tuple[StepFacts, ...]
    fused_into: int | None
    role: str
    role_refusal: ReasonFacts | None
    cluster: int | None
    nchw: bool
    kernel: int | None
    executed: tuple[str, ...]
    macs: int


@dataclass(frozen=True, slots=True)
class TargetsFacts(Facts):
    """What the runtime does with a subgraph, on all targets where it does the same.

    Attributes:
        subgraph: index of the subgraph.
        runtime: release of the runtime.
        targets: the targets.
        outcome: "sparse", "dense", "wrong_numbers", "load_failure" or "process_abort".
        pointwise: number of 1x1 convolutions that could run sparse.
        sparse_pointwise: number of them that do.
        macs: multiply-accumulate operations of the whole subgraph.
        sparse_macs: those of the operators with sparse kernels, counted dense.
        reasons: of a failure, what goes wrong, first things first.
        changes: of a dense outcome, the shortest list of changes that would make it sparse.
        obstacles: what keeps operators out of the sparse layout.
        hints: the weights that make the runtime look for zeros.
        clusters: the clusters.
        operators: every operator.
    """

    subgraph: int
    runtime: str
    targets: tuple[TargetFacts, ...]
    outcome: str
    pointwise: int
    sparse_pointwise: int
    macs: int
    sparse_macs: int
    reasons: tuple[ReasonFacts, ...]
    changes: tuple[ChangeFacts, ...]
    obstacles: tuple[ObstacleFacts, ...]
    hints: tuple[HintFacts, ...]
    clusters: tuple[ClusterFacts, ...]
    operators: tuple[PlannedOperator, ...]

    @property
    def off_by_design(self) -> bool:
        """Whether nothing ever runs sparse on these targets."""
        return bool(self.changes) and all(change.rule == "target-dense" for change in self.changes)
