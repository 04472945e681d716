"""What commands find, ready to be printed in any format of `formats.REPORTERS`.

What a format needs is imported when it is asked for: data costs no layout, and text no schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.formats import Printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.text import Text

    from tflite_sparse.comparison.diff_types import ModelDiff
    from tflite_sparse.inspection.next_step import NextStep
    from tflite_sparse.model.sizes.sized import InputShapes
    from tflite_sparse.pruning.measures import Quality
    from tflite_sparse.pruning.result import Pruning
    from tflite_sparse.records import Record
    from tflite_sparse.report.text.lists.folder import ModelRow
    from tflite_sparse.rewrite.changes import Rewrite
    from tflite_sparse.rewrite.failing import Failing
    from tflite_sparse.rewrite.writing.sizes import Sizes
    from tflite_sparse.runtime.bench import Bench
    from tflite_sparse.runtime.observations import Profile
    from tflite_sparse.runtime.packages.bundles import BundleState
    from tflite_sparse.runtime.plan_match import PlanComparison
    from tflite_sparse.runtime.prove import Proof
    from tflite_sparse.runtime.verification import Verification

__all__ = [
    "printable_bench",
    "printable_diff",
    "printable_folder",
    "printable_profile",
    "printable_pruning",
    "printable_rewrite",
    "printable_runtimes",
    "printable_verification",
]


def printable_diff(diff: ModelDiff, *, top: int) -> Printable:
    """A comparison of two models.

    Args:
        diff: the comparison.
        top: how many constants are listed for people at most; 0 for all.
    """

    def lines(width: int) -> Iterable[Text | str]:
        from tflite_sparse.report.text.diff import diff_lines

        return diff_lines(diff, width, top=top)

    return Printable(lambda: diff, lines)


def printable_rewrite(
    rewrite: Rewrite,
    sizes: Sizes,
    model: str,
    written: str | None,
    *,
    destination: str | None,
    top: int,
    proof: Proof | None,
    wrong: Failing | None,
    repaired: Failing | None,
    pruning: Pruning | None = None,
    quality: Quality | None = None,
) -> Printable:
    """What a rewrite did.

    Args:
        rewrite: it.
        sizes: of the model before and after.
        model: the model that was read.
        written: where the result was written; None where it was not.
        destination: the same as people call it.
        top: how many weights are listed for people at most; 0 for all.
        proof: what running both models showed; None where nobody asked for it.
        wrong: what the runtime gets wrong with the result; None for nothing.
        repaired: what it got wrong with the model and does no more; None for nothing.
        pruning: what was pruned first; None for nothing.
        quality: how near what was written comes to the dense model; None where no data tell it.
    """

    def content() -> Record:
        from tflite_sparse.report.json.rewrite import RewriteReport

        return RewriteReport(
            model,
            written,
            sizes,
            rewrite.changes,
            verified=proof is not None and proof.verified,
            verification="the models were not run" if proof is None else proof.words,
            fails=wrong,
            repaired=repaired,
            pruning=pruning,
            constant=() if proof is None else proof.constant,
            quality=quality,
        )

    def lines(width: int) -> Iterable[Text | str]:
        from tflite_sparse.report.text.pruning.prune import pruned_lines
        from tflite_sparse.report.text.rewrite import failing_lines, rewrite_lines

        lines = rewrite_lines(
            rewrite, sizes, model, destination, width, top=top, proof=proof, quality=quality
        )
        first = [] if pruning is None else pruned_lines(pruning, model, width, top=top)
        return [*first, *lines, *failing_lines(wrong, repaired, width)]

    return Printable(content, lines)


def printable_folder(folder: str, rows: Sequence[ModelRow], *, written: str | None) -> Printable:
    """What a rewrite did to all models in a folder.

    Args:
        folder: the folder that was read.
        rows: the models.
        written: the folder that was written; None where nothing was.
    """

    def content() -> Record:
        from tflite_sparse.report.json.folder import FolderReport

        entries = tuple(row.entry for row in rows)
        worst = max((entry.exit_code for entry in entries), default=0)
        return FolderReport(folder, written, worst, entries)

    def lines(width: int) -> Iterable[Text | str]:
        from tflite_sparse.report.text.lists.folder import folder_lines

        return folder_lines(folder, rows, written, width)

    return Printable(content, lines)


def printable_pruning(
    pruning: Pruning,
    model: str,
    written: str | None,
    nbytes: int | None,
    *,
    destination: str | None,
    refused: str | None,
    top: int,
    step: NextStep | None = None,
) -> Printable:
    """What pruning did.

    Args:
        pruning: it.
        model: the model that was read.
        written: where the result was written; None where it was not.
        nbytes: its size; None where it was not written.
        destination: where it was written as people call it.
        refused: why it was not written; None where nothing stood in the way.
        top: how many filters are listed for people at most; 0 for all.
        step: what to do next, for people; None for nothing.
    """

    def content() -> Record:
        from tflite_sparse.report.json.prune import PruneReport

        return PruneReport(model, written, refused, nbytes, pruning)

    def lines(width: int) -> Iterable[Text | str]:
        from rich.text import Text

        from tflite_sparse.report.text.inspection import step_lines
        from tflite_sparse.report.text.pruning.prune import prune_lines

        done = prune_lines(pruning, model, destination, refused, width, top=top)
        return done if step is None else [*done, Text(), *step_lines(step, width)]

    return Printable(content, lines)


def printable_bench(bench: Bench) -> Printable:
    """Latencies of models."""

    def content() -> Record:
        from tflite_sparse.report.json.bench import BenchReport

        return BenchReport(bench)

    def lines(width: int) -> Iterable[Text | str]:
        from tflite_sparse.report.text.bench import bench_lines

        return bench_lines(bench, width)

    return Printable(content, lines)


def printable_verification(verification: Verification) -> Printable:
    """Whether two models mean the same."""

    def content() -> Record:
        from tflite_sparse.report.json.verify import VerifyReport

        return VerifyReport(verification)

    def lines(width: int) -> Iterable[Text | str]:
        from tflite_sparse.report.text.verify import verification_lines

        return verification_lines(verification, width)

    return Printable(content, lines)


def printable_profile(
    model: str,
    profile: Profile,
    compared: PlanComparison,
    input_shapes: InputShapes | None = None,
    *,
    against: bool,
    unprofiled: tuple[str, ...] = (),
) -> Printable:
    """What a runtime executed.

    Args:
        model: the model's path.
        profile: what was executed.
        compared: the same beside what was predicted.
        input_shapes: the sizes that it was run at; None where the model leaves none open.
        against: whether people see what was predicted too.
        unprofiled: keys of signatures that were not run.
    """

    def content() -> Record:
        from tflite_sparse.report.json.profile import profile_report

        return profile_report(model, profile, compared, input_shapes, unprofiled)

    def lines(width: int) -> Iterable[Text | str]:
        from tflite_sparse.report.text.profile import profile_lines

        return profile_lines(
            model,
            profile,
            compared,
            width,
            against=against,
            input_shapes=input_shapes,
            unprofiled=unprofiled,
        )

    return Printable(content, lines)


def printable_runtimes(states: Sequence[BundleState]) -> Printable:
    """What there is of runtimes that can be installed."""

    def content() -> Record:
        from tflite_sparse.report.json.runtimes import RuntimesReport

        return RuntimesReport(tuple(states))

    def lines(width: int) -> Iterable[Text | str]:
        from tflite_sparse.report.text.lists.runtimes import runtimes_lines

        return runtimes_lines(states, width)

    return Printable(content, lines)
