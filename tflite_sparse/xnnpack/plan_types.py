"""What a plan says: frozen, and in terms of the model's own operators and tensors."""

from __future__ import annotations

from enum import Enum

from tflite_sparse._dataclass import dataclass

__all__ = [
    "Change",
    "ClusterPlan",
    "Failure",
    "Fate",
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


class Fate(str, Enum):
    """What becomes of an operator of the model."""

    TFLITE = "tflite"
    FOLDED = "folded"
    FUSED = "fused"
    DROPPED = "dropped"
    EXECUTED = "executed"


@dataclass(frozen=True, slots=True)
class Reason:
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
    operator: int | None
    operand: str
    found: str
    wanted: str
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that goes wrong.

    Attributes:
        outcome: what comes of it.
        why: the rule and the operator.
    """

    outcome: Outcome
    why: Reason


@dataclass(frozen=True, slots=True)
class HintSource:
    """A folded sparse weight that makes the runtime consider sparse inference.

    Attributes:
        operator: index of the operator that reads it.
        operand: position among the operator's inputs.
        tensor: index of the tensor that it reads.
    """

    operator: int
    operand: int
    tensor: int


@dataclass(frozen=True, slots=True)
class OperatorPlan:
    """What becomes of one operator of the model.

    Attributes:
        index: its index in the subgraph.
        name: its kind, such as "CONV_2D".
        label: what people call it: kind, index and, where it has one, the name of its output.
        delegated: whether XNNPACK takes it.
        refusal: the rule by which XNNPACK does not take it.
        partition: the XNNPACK partition that it belongs to.
        fate: what becomes of it.
        steps: rules that define, fuse or rewrite it.
        fused_into: index of the operator that it vanishes in.
        role: what it may be in a sparse cluster.
        role_refusal: the rule by which it may be nothing.
        cluster: the cluster that it belongs to.
        nchw: whether it reads or writes the sparse layout when the model runs.
        kernel: output channels that its sparse kernel computes together; None where it runs dense.
        pointwise: whether it is a 1x1 convolution that could run sparse.
        executed: the operators that XNNPACK runs for it, as LiteRT's profiler names them.
        macs: multiplications of its dense form.
        zeros: zeros of its filter; None where it has no 1x1 or fully connected filter.
        parameters: size of that filter.
    """

    index: int
    name: str
    label: str
    delegated: bool
    refusal: Reason | None
    partition: int | None
    fate: Fate
    steps: tuple[str, ...]
    fused_into: int | None
    role: Role
    role_refusal: Reason | None
    cluster: int | None
    nchw: bool
    kernel: int | None
    pointwise: bool
    executed: tuple[str, ...]
    macs: int
    zeros: int | None
    parameters: int | None


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """Operators that go sparse together or not at all.

    Attributes:
        index: its number, in the order of execution.
        partition: the partition that it lies in.
        members: indices of its operators.
        entries: those of them that bring values into the sparse layout.
        exits: those of them that bring values out of it.
        open_ends: members after which nothing does, so that whoever reads them reads nonsense.
        filters: those of them whose filters are counted.
        zeros: zeros in those filters.
        parameters: size of those filters.
        margin: further zeros that the filters need to exceed two thirds; 0 or less where they do.
        complete: whether the runtime, if it considers sparse inference, keeps the cluster.
        obstacles: why it gives it up; nearest to the entry first.
        profitable: whether there are enough zeros.
        sparse: whether it runs sparse on this target with these weights.
    """

    index: int
    partition: int
    members: tuple[int, ...]
    entries: tuple[int, ...]
    exits: tuple[int, ...]
    open_ends: tuple[int, ...]
    filters: tuple[int, ...]
    zeros: int
    parameters: int
    margin: int
    complete: bool
    obstacles: tuple[Reason, ...]
    profitable: bool
    sparse: bool


@dataclass(frozen=True, slots=True)
class PartitionPlan:
    """A run of operators that XNNPACK takes as one.

    Attributes:
        index: its number, in the order of execution.
        operators: indices of its operators.
        hints: the folded sparse weights in it; sparse inference is considered where there is one.
        has_exit: whether an exit joins an operator before it, without which nothing goes sparse.
        executed: the operators that run, as LiteRT's profiler names them.
    """

    index: int
    operators: tuple[int, ...]
    hints: tuple[HintSource, ...]
    has_exit: bool
    executed: tuple[str, ...]

    @property
    def hinted(self) -> bool:
        """Whether sparse inference is considered."""
        return bool(self.hints)


@dataclass(frozen=True, slots=True)
class Change:
    """A change to the model that takes an obstacle out of the way.

    Attributes:
        rule: code of the rule that it satisfies.
        operator: index of the operator to change; None for the whole model.
        message: what to do, in the model's own names.
    """

    rule: str
    operator: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome and what it rests on.

    Attributes:
        outcome: what comes of running the model.
        reasons: for a failure, what goes wrong, first things first.
        pointwise: number of 1x1 convolutions.
        sparse_pointwise: number of them that run sparse.
        macs: multiplications of the whole model in its dense form.
        sparse_macs: multiplications, counted dense, of the operators with sparse kernels.
        changes: for a dense outcome, the shortest list of changes that would make it sparse.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    pointwise: int
    sparse_pointwise: int
    macs: int
    sparse_macs: int
    changes: tuple[Change, ...]
