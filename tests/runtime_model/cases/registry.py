"""The cases: small models, each about one rule of the runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.nets.small_nets import build
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.small_nets import Net

__all__ = [
    "ABORT",
    "CASES",
    "DENSE",
    "LOAD_FAILURE",
    "SHAPE",
    "SPARSE",
    "WRONG",
    "Case",
    "case",
    "possible",
]

SPARSE = Outcome.SPARSE
DENSE = Outcome.DENSE
WRONG = Outcome.WRONG_NUMBERS
LOAD_FAILURE = Outcome.LOAD_FAILURE
ABORT = Outcome.PROCESS_ABORT
SHAPE = Outcome.OUTPUT_SHAPE


def possible(outcome: Outcome) -> set[Outcome]:
    """What may be seen of an outcome.

    To read past the end of memory may, with luck, do no more than give wrong numbers.
    """
    return {outcome, WRONG} if outcome is ABORT else {outcome}


@dataclass(frozen=True, slots=True)
class Case:
    """A small model.

    Attributes:
        name: its module and what it is, such as "depthwise.same_with_stride_2".
        expect: what comes of it where the sparse path is on.
        rule: code of the rule that it shows.
        near: whether it barely keeps the rule instead of breaking it.
        net: builds it.
    """

    name: str
    expect: Outcome
    rule: str
    near: bool
    net: Net

    def build(self) -> bytes:
        """The model's bytes, the same each time."""
        return build(self.net)


CASES: dict[str, Case] = {}
"""All cases by name, in the order in which they are written."""


def case(
    expect: Outcome, *, rule: str = "", near: str = "", name: str = ""
) -> Callable[[Net], Net]:
    """Registers what it decorates as a case.

    Args:
        expect: what comes of it where the sparse path is on.
        rule: the rule that applies to it ...
        near: ... or the one that barely does not.
        name: its name, where it is not that of the function.
    """
    assert bool(rule) != bool(near)

    def register(net: Net) -> Net:
        module = net.__module__.rpartition(".")[2]
        full = f"{module}.{name or net.__name__}"
        assert full not in CASES, full
        CASES[full] = Case(full, expect, rule or near, bool(near), net)
        return net

    return register
