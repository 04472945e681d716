"""What adapting a model was asked to do, and what it did, as data."""

from __future__ import annotations

from dataclasses import asdict, field
from typing import Any

from tflite_sparse._dataclass import dataclass
from tflite_sparse.errors import UsageError

__all__ = ["PASSES", "AdaptOptions", "Adaptation", "Outlook", "Step"]

PASSES = {
    "windows": "place kernels in a 3x3 or 5x5 window that has a sparse form",
    "flip": "reverse the image and all kernels along height or width, so that paddings fit",
    "exits": "bring maps out of the sparse layout by DEPTH_TO_SPACE and SPACE_TO_DEPTH",
    "entries": "bring maps into the sparse layout by DEPTH_TO_SPACE and a 3x3 convolution",
    "heads": "end the sparse layout after MEAN by a RESHAPE",
    "spelling": "write operators as the sparse layout takes them",
    "barriers": "keep a cluster that would compute wrong numbers out of the sparse layout",
}
"""The passes by name, and what each does."""


@dataclass(frozen=True, slots=True)
class AdaptOptions:
    """What to adapt.

    Attributes:
        targets: names of the targets that the model must run right on; empty for the usual ones.
        only: names of the passes that may be used; empty for all.
        without: names of passes that may not be used.
        min_gain: how many times faster the model must be by the estimate; with 0 it is adapted
            wherever that makes more of it sparse.
    """

    targets: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    min_gain: float = 1.03

    def __post_init__(self) -> None:
        for name in (*self.only, *self.without):
            if name not in PASSES:
                known = ", ".join(PASSES)
                raise UsageError(f"there is no pass {name!r}", hint=f"passes: {known}")
        if not self.passes:
            raise UsageError("no pass is left to be used", hint="leave out --only or --without")
        if self.min_gain < 0:
            raise UsageError("a gain is 0 or more")

    @property
    def passes(self) -> frozenset[str]:
        """The passes that may be used."""
        return frozenset(self.only or PASSES) - set(self.without)


@dataclass(frozen=True, slots=True)
class Step:
    """One change to the graph.

    Attributes:
        subgraph: index of the subgraph.
        name: the pass that made it, a key of `PASSES`.
        operator: label of the operator in the model as it was.
        what: what was done.
        why: what it is for.
        macs: multiplications that it adds to a run.
        bytes: bytes of constants that it adds.
    """

    subgraph: int
    name: str
    operator: str
    what: str
    why: str
    macs: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes of a model on a target once its weights are stored sparse.

    Attributes:
        target: name of the target.
        before: the outcome before, such as "dense".
        after: the outcome after.
        pointwise: number of 1x1 convolutions of the model before.
        sparse_before: number of them that ran sparse.
        sparse_after: number of 1x1 convolutions that run sparse after.
        share_before: share of the multiplications in operators with sparse kernels, 0 to 1.
        share_after: the same after.
        dense_ms: estimated time of the model with dense weights in milliseconds; None where the
            target was never measured.
        before_ms: estimated time of the model with sparse weights, before.
        after_ms: the same after.
    """

    target: str
    before: str
    after: str
    pointwise: int
    sparse_before: int
    sparse_after: int
    share_before: float
    share_after: float
    dense_ms: float | None = None
    before_ms: float | None = None
    after_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What adapting a model did, or would have done.

    Attributes:
        done: whether the model was changed.
        reason: why it was not, in words; "" where it was.
        steps: the changes, in the order in which they were made; also those of an attempt that was
            given up.
        outlook: what comes of it, by target.
        blocked: what stands in the way of more: labels of operators, and why each stays outside.
    """

    done: bool
    reason: str = ""
    steps: tuple[Step, ...] = ()
    outlook: tuple[Outlook, ...] = ()
    blocked: tuple[tuple[str, str], ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Everything in plain types."""
        return {
            "done": self.done,
            "reason": self.reason,
            "steps": [asdict(step) for step in self.steps],
            "outlook": [asdict(outlook) for outlook in self.outlook],
            "blocked": [{"operator": op, "reason": why} for op, why in self.blocked],
        }
