"""What a rule of the runtime is."""

from __future__ import annotations

from enum import Enum

from tflite_sparse.records import Record

__all__ = ["Expected", "Row", "RuntimeRule", "Stage"]


class Stage(Enum):
    """The stages of the runtime, in the order in which it goes through them."""

    DELEGATE = "delegate"
    DEFINE = "define"
    FUSE = "fuse"
    ROLE = "role"
    CLUSTER = "cluster"
    PROFIT = "profit"
    LAYOUT = "layout"


class Expected(Record, frozen=True):
    """Stands where a rule of the runtime is nothing that lint should report.

    Attributes:
        reason: why it is not.
    """

    reason: str


class RuntimeRule(Record, frozen=True):
    """A rule of the runtime.

    Attributes:
        code: stable name; it never changes its meaning.
        stage: the stage that applies it.
        summary: what it says, in one line.
        source: where the runtime does it: file and function.
        lint: code of the lint rule that reports it, or why none does.
    """

    code: str
    stage: Stage
    summary: str
    source: str
    lint: str | Expected


Row = tuple[str, str, str, str | Expected]
"""Code, summary, source and lint rule of a rule."""
