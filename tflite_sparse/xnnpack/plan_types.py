"""What a plan says: frozen, and in terms of the model's own operators and tensors."""

from __future__ import annotations

from enum import Enum

import msgspec

from tflite_sparse.records import Count, Record

__all__ = [
    "AppliedRule",
    "Change",
    "ClusterPlan",
    "Disposition",
    "Failure",
    "FilterPlan",
    "HintSource",
    "OperatorPlan",
    "Outcome",
    "PartitionPlan",
    "Reason",
    "Role",
    "Verdict",
]


class Outcome(str, Enum):
    """What comes of running the model."""

    SPARSE = "sparse"
    DENSE = "dense"
    WRONG_NUMBERS = "wrong_numbers"
    LOAD_FAILURE = "load_failure"
    PROCESS_ABORT = "process_abort"
    OUTPUT_SHAPE = "output_shape"

    @property
    def is_failure(self) -> bool:
        """Whether the model must not be shipped like that."""
        return self not in (Outcome.SPARSE, Outcome.DENSE)


class Role(str, Enum):
    """What an operator may be in a sparse cluster."""

    ENTRY = "entry"
    INNER = "inner"
    INNER_OR_EXIT = "inner or exit"
    EXIT = "exit"
    NONE = "none"


class Disposition(str, Enum):
    """What becomes of an operator of the model."""

    TFLITE = "tflite"
    FOLDED = "folded"
    FUSED = "fused"
    DROPPED = "dropped"
    EXECUTED = "executed"


class Reason(Record, frozen=True):
    """A rule that applied, and to what.

    Attributes:
        rule: code of the rule, a key of `rules.RULES`.
        operator: index of the operator that it is about; None where it is about the whole model.
        operand: the operand or option that broke it, such as "filter" or "padding"; "" for none.
        found: the value found.
        wanted: the value that would satisfy the rule.
        message: all of it in words, with the model's own names.
    """

    rule: str
    operator: Count | None
    operand: str
    found: str
    wanted: str
    message: str


class Failure(Record, frozen=True):
    """Something that goes wrong.

    Attributes:
        outcome: what comes of it.
        why: the rule and the operator.
    """

    outcome: Outcome
    why: Reason


class HintSource(Record, frozen=True):
    """A folded sparse weight that makes the runtime consider sparse inference.

    Attributes:
        operator: index of the operator that reads it.
        operand: position among the operator's inputs.
        tensor: index of the tensor that it reads.
    """

    operator: Count
    operand: Count
    tensor: Count


class AppliedRule(Record, frozen=True):
    """A rule of the runtime that changes an operator before it runs.

    Attributes:
        rule: stable code of the rule.
        summary: what the rule says.
    """

    rule: str
    summary: str


class OperatorPlan(Record, frozen=True):
    """What becomes of one operator of the model.

    Attributes:
        index: its index in the subgraph.
        name: its kind, such as "CONV_2D".
        label: what people call it: kind, index and, where it has one, the name of its output.
        delegated: whether XNNPACK takes it.
        partition: the XNNPACK partition that it belongs to.
        refusal: why XNNPACK does not take it.
        disposition: what becomes of it.
        steps: the rules that define, fuse or rewrite it.
        fused_into: index of the operator that it vanishes in.
        role: what it may be in a sparse cluster.
        role_refusal: why it may be nothing.
        cluster: the cluster that it belongs to.
        nchw: whether it reads or writes the sparse layout when the model runs.
        kernel: output channels that its sparse kernel computes together; None where it runs dense.
        executed: the operators that XNNPACK runs for it, as LiteRT's profiler names them.
        macs: multiply-accumulate operations of its dense form.
    """

    index: Count
    name: str
    label: str
    delegated: bool
    partition: int | None
    refusal: Reason | None
    # JSON keeps its older name.
    disposition: Disposition = msgspec.field(name="fate")
    steps: tuple[AppliedRule, ...]
    fused_into: int | None
    role: Role
    role_refusal: Reason | None
    cluster: int | None
    nchw: bool
    kernel: int | None
    executed: tuple[str, ...]
    macs: Count


class FilterPlan(Record, frozen=True):
    """The filter of a 1x1 convolution or of a FULLY_CONNECTED that XNNPACK runs.

    Attributes:
        operator: index of the operator that reads it.
        pointwise: whether that is a 1x1 convolution that could run sparse.
        zeros: its zeros.
        parameters: its size; 0 where it is computed when the model runs.
    """

    operator: int
    pointwise: bool
    zeros: int
    parameters: int


class ClusterPlan(Record, frozen=True):
    """Operators that go sparse together or not at all.

    Attributes:
        index: its number, in the order of execution.
        members: indices of its operators.
        entries: those of them that bring values into the sparse layout.
        exits: those of them that bring values out of it.
        filters: those of them whose filters are counted.
        zeros: zeros in those filters.
        parameters: size of those filters.
        margin: further zeros that the filters need to exceed two thirds; 0 or less where they do.
        complete: whether the runtime, if it considers sparse inference, keeps the cluster.
        profitable: whether there are enough zeros.
        sparse: whether it runs sparse on this target with these weights.
        obstacles: why the runtime gives it up; nearest to the entry first.
    """

    index: Count
    members: tuple[int, ...]
    entries: tuple[int, ...]
    exits: tuple[int, ...]
    filters: tuple[int, ...]
    zeros: Count
    parameters: int
    margin: int
    complete: bool
    profitable: bool
    sparse: bool
    obstacles: tuple[Reason, ...]


class PartitionPlan(Record, frozen=True):
    """A run of operators that XNNPACK takes as one.

    Attributes:
        index: its number, in the order of execution.
        operators: indices of its operators.
        hints: the folded sparse weights in it; sparse inference is considered where there is one.
        has_exit: whether an exit joins an operator before it, without which nothing goes sparse.
        open_ends: members of clusters after which nothing brings values back out of the sparse
            layout, so that whoever reads them reads nonsense.
        executed: the operators that run, as LiteRT's profiler names them.
    """

    index: int
    operators: tuple[int, ...]
    hints: tuple[HintSource, ...]
    has_exit: bool
    open_ends: tuple[int, ...]
    executed: tuple[str, ...]

    @property
    def hinted(self) -> bool:
        """Whether sparse inference is considered."""
        return bool(self.hints)


class Change(Record, frozen=True):
    """A change to the model that takes an obstacle out of the way.

    Attributes:
        rule: code of the rule that it satisfies.
        operator: index of the operator to change; None for the whole model.
        message: what to do, in the model's own names.
    """

    rule: str
    operator: Count | None
    message: str


class Verdict(Record, frozen=True):
    """The outcome and what it rests on.

    Attributes:
        outcome: what comes of running the model.
        pointwise: number of 1x1 convolutions that could run sparse.
        sparse_pointwise: number of them that do.
        macs: multiply-accumulate operations of the whole subgraph.
        sparse_macs: those of the operators with sparse kernels, counted dense.
        reasons: of a failure, what goes wrong, first things first.
        changes: of a dense outcome, the shortest list of changes that would make it sparse.
        elsewhere: the outcome in a runtime that has all the kernels; the same where the stock one
            has them too.
        missing: those of the reasons by which only a stock runtime does not load the model.
    """

    outcome: Outcome
    pointwise: int
    sparse_pointwise: int
    macs: int
    sparse_macs: int
    reasons: tuple[Reason, ...]
    changes: tuple[Change, ...]
    elsewhere: Outcome
    missing: tuple[Reason, ...]
