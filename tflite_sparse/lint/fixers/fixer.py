"""What a fixer is: one safe repair, shared by all rules that name it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tflite_sparse.lint.finding import Finding
from tflite_sparse.model import Model

__all__ = ["Fixer", "Repair", "fixer"]


class Repair(msgspec.Struct, frozen=True):
    """What a fixer has done.

    Attributes:
        message: what was done, in one sentence.
        content: the new file; None where the fixer has edited the model that it was given.
    """

    message: str
    content: bytes | None = None


_Apply = Callable[[Model, Sequence[Finding]], Repair | None]


class Fixer(msgspec.Struct, frozen=True, eq=False):
    """A repair that keeps what the model computes.

    Attributes:
        name: stable short name.
        summary: what it does.
        apply: repairs a model because of these findings, all of rules that name the fixer; None
            where there was nothing to do after all.
    """

    name: str
    summary: str
    apply: _Apply


def fixer(name: str, summary: str) -> Callable[[_Apply], Fixer]:
    """Makes a fixer of the function that follows; see `Fixer` for the arguments."""

    def make(apply: _Apply) -> Fixer:
        return Fixer(name, summary, apply)

    return make
