"""6xx: limits that the configuration sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tflite_sparse.errors import FileError, Place
from tflite_sparse.lint.finding import Hit, Severity
from tflite_sparse.lint.rule import rule
from tflite_sparse.words.numbers import rounded_percent
from tflite_sparse.words.shell import shell_word
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.lint.subject import Subject

_WHY = "The project has set this limit in its configuration."


def _least(subject: Subject, budget: str, share: float, what: str, **data: str) -> Iterator[Hit]:
    limit = subject.settings.budgets.get(budget)
    if limit is not None and share < limit:
        yield Hit(
            f"{what} {rounded_percent(share, 2)}, {budget} asks for {rounded_percent(limit, 2)}",
            data={"budget": budget, "limit": limit, "found": share, **data},
        )


def _most(subject: Subject, budget: str, size: int, what: str) -> Iterator[Hit]:
    limit = subject.settings.budgets.get(budget)
    if limit is not None and size > limit:
        yield Hit(
            f"{what} {size:,} bytes, {budget} allows {round(limit):,}",
            data={"budget": budget, "limit": round(limit), "found": size},
        )


@rule(
    "TFS601",
    "size-budget",
    Severity.ERROR,
    what="The file is larger than the budget max-size.",
    why=_WHY,
    fix="Store zero-heavy weights sparse, quantize, or raise the budget.",
)
def size_budget(subject: Subject) -> Iterator[Hit]:
    """The size of the file."""
    yield from _most(subject, "max-size", subject.model.size, "the file has")


@rule(
    "TFS602",
    "gzip-budget",
    Severity.ERROR,
    what="The file after gzip is larger than the budget max-gzip-size.",
    why=_WHY,
    fix="Prune further, quantize, or raise the budget.",
)
def gzip_budget(subject: Subject) -> Iterator[Hit]:
    """The size of a download."""
    if "max-gzip-size" in subject.settings.budgets:
        size = subject.inspection.totals.gzip_now or 0
        yield from _most(subject, "max-gzip-size", size, "the file after gzip has")


@rule(
    "TFS603",
    "zeros-budget",
    Severity.ERROR,
    what="The weights have a smaller share of zeros than min-zeros, or the filters of 1x1"
    " convolutions than min-pointwise-zeros.",
    why=_WHY,
    fix="Prune further, or look for the step that lost the zeros.",
)
def zeros_budget(subject: Subject) -> Iterator[Hit]:
    """The share of zeros."""
    totals = subject.inspection.totals
    every = totals.zeros / max(1, totals.weights)
    pointwise = totals.pointwise_zeros / max(1, totals.pointwise_weights)
    yield from _least(subject, "min-zeros", every, "of all weights are zero:")
    yield from _least(
        subject, "min-pointwise-zeros", pointwise, "of the weights of 1x1 convolutions are zero:"
    )


@rule(
    "TFS604",
    "sparse-macs-budget",
    Severity.ERROR,
    what="A smaller share of the multiplications runs sparse than min-sparse-macs asks, on at least"
    " one of the targets.",
    why=_WHY,
    fix="`tflite-sparse inspect` says what stands in the way.",
    command="tflite-sparse inspect MODEL",
)
def macs_budget(subject: Subject) -> Iterator[Hit]:
    """The share of work that runs sparse."""
    if "min-sparse-macs" not in subject.settings.budgets:
        return
    for target in subject.targets:
        groups = [
            group
            for group in subject.inspection.runtime
            if any(other.name == target.name for other in group.targets)
        ]
        macs = sum(group.macs for group in groups)
        sparse = sum(group.sparse_macs for group in groups if group.elsewhere is Outcome.SPARSE)
        yield from _least(
            subject,
            "min-sparse-macs",
            sparse / max(1, macs),
            f"on {target.name} run sparse:",
            target=target.name,
        )


@rule(
    "TFS605",
    "growth-budget",
    Severity.ERROR,
    what="The file has grown by more than max-growth against the reference model. In a folder of"
    " references that is the file at the same path, or the same end of it; a model that has none"
    " there is a note.",
    why=_WHY,
    fix="`tflite-sparse diff REFERENCE MODEL` says what has changed.",
    command="tflite-sparse diff REFERENCE MODEL",
)
def growth_budget(subject: Subject) -> Iterator[Hit]:
    """The growth since the last release."""
    limit = subject.settings.budgets.get("max-growth")
    if limit is None or subject.settings.reference is None:
        return
    reference = Path(subject.settings.reference)
    if reference.is_dir():
        found = _namesake(subject.path, reference)
        if found is None:
            yield Hit(
                f"a new model: {subject.settings.reference} has none of its name, so that"
                " max-growth was not checked",
                severity=Severity.NOTE,
                fix="Add it to the reference with the next release.",
            )
            return
        reference = found
    try:
        before = reference.stat().st_size
    except OSError:
        raise FileError(
            "the reference of max-growth cannot be read",
            place=Place(file=str(reference)),
            hint="check 'reference' in the configuration",
        ) from None
    growth = (subject.model.size - before) / max(1, before)
    if growth > limit:
        yield Hit(
            f"the file has {subject.model.size:,} bytes, {100 * growth:+.2f} % against"
            f" {before:,} of {reference.as_posix()}; max-growth allows {100 * limit:+.2f} %",
            data={"budget": "max-growth", "limit": limit, "found": growth},
            command=f"tflite-sparse diff {shell_word(str(reference))} MODEL",
        )


def _namesake(path: str, folder: Path) -> Path | None:
    """The file in a folder of references that stands for a model.

    That is the one with most of the model's path, so that models of one name are told apart.
    """
    parts = Path(path).resolve().parts[1:]
    paths = (folder.joinpath(*parts[first:]) for first in range(len(parts)))
    return next((candidate for candidate in paths if candidate.is_file()), None)
