"""What all rewrites have in common: where the result goes, and what is said about it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tflite_sparse.cli.output import free_target, show
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.cli.pruning.written import Judge, in_turn
from tflite_sparse.cli.values_data import Data
from tflite_sparse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.cli.pruning.asked import Pruned
    from tflite_sparse.report.formats import Printable
    from tflite_sparse.rewrite.changes import Rewrite
    from tflite_sparse.rewrite.model_pass import ModelPass
    from tflite_sparse.rewrite.writing.sizes import Sizes
    from tflite_sparse.runtime.prove import Proof
    from tflite_sparse.storage.values.calibration import Calibration

__all__ = [
    "STDOUT",
    "Destination",
    "Rewritten",
    "carry_out",
    "has_litert",
    "rewrite_command",
]

STDOUT = "-"
"""As a path, it stands for standard output."""

WOULD_CHANGE = 1
# What repairs a model by default fails where it cannot.
_REPAIRING = ("adapt", "optimize")
_CHUNK = 2**20


class Destination(msgspec.Struct, frozen=True):
    """Where the result goes.

    Attributes:
        output: path, `STDOUT`, or None.
        in_place: whether the result replaces the model that was read.
        force: whether a file that is there is overwritten.
        dry_run: whether nothing is written.
        check: whether nothing is written, and a change is a failure.
        verify: whether the runtime must agree that nothing has changed.
        as_json: whether the report is a JSON document.
        gzip: whether to compute sizes after gzip; None leaves it to the size of the file.
        top: how many weights to show; 0 for all.
        data: inputs for a model whose weights are rounded; None for random ones.
        input_shapes: shapes that were asked for, by the name of the input.
        batch: the first dimension that was asked for.
        demanded: whether it was asked for that the runtime agrees: then it must have run them.
        declined: whether it was asked for that nothing runs.
        atol: absolute difference of outputs that is allowed; None for the usual bounds.
        rtol: relative difference that is allowed; None as before.
        min_agreement: share of inputs that must get the same class from rounded weights.
    """

    output: str | None
    in_place: bool
    force: bool
    dry_run: bool
    check: bool
    verify: bool
    as_json: bool
    gzip: bool | None
    top: int
    data: Data | None = None
    input_shapes: dict[str, tuple[int, ...]] = {}
    batch: int | None = None
    demanded: bool = False
    declined: bool = False
    atol: float | None = None
    rtol: float | None = None
    min_agreement: float = 0.0

    @property
    def only_tells(self) -> bool:
        """Whether nothing is written."""
        return self.dry_run or self.check

    @property
    def calibration(self) -> Calibration | None:
        """What runs a model on the data to which weights are fitted; None where none are."""
        return None if self.data is None else self.data.calibration

    def target(self, model: str) -> str | None:
        """Where to write, None for nowhere.

        Raises:
            UsageError: the options contradict each other or say nothing.
            FileError: the file is there already.
        """
        if self.output is not None and self.in_place:
            raise UsageError("-o and --in-place contradict each other", hint="leave out one")
        if self.only_tells:
            return None
        only_judges = self.data is not None and not self.data.fits
        of_runs = {
            "--data": self.data if only_judges else None,
            "--atol": self.atol,
            "--rtol": self.rtol,
            "--min-agreement": self.min_agreement or None,
        }
        for option, value in of_runs.items():
            if value is not None and not self.verify:
                raise UsageError(
                    f"{option} is for the run that --verify asks for", hint="add --verify"
                )
        if self.in_place:
            return model
        if self.output is None:
            raise UsageError(
                "no output given",
                hint="use -o OUT, --in-place or --dry-run",
            )
        if self.output == STDOUT:
            if self.as_json:
                raise UsageError("--json and -o - both ask for standard output")
            return STDOUT
        free_target(
            self.output,
            force=self.force,
            hint="--force overwrites it, --in-place replaces the model itself",
        )
        return self.output


class Rewritten(NamedTuple):
    """What came of a model that was to be rewritten.

    Attributes:
        report: what is said about it.
        code: the exit code of it.
        result: what was done; None where the model was pruned too far to go on.
        sizes: of the files before and after; None where that is so.
        proof: what running both models showed; None where nobody asked for it.
        broken: what the runtime gets wrong with the result, in words; "" for nothing.
        refused: why nothing was done; "" where something was.
        repaired: whether the runtime gets the model that was read wrong, and the result right.
    """

    report: Printable
    code: int
    result: Rewrite | None = None
    sizes: Sizes | None = None
    proof: Proof | None = None
    broken: str = ""
    refused: str = ""
    repaired: bool = False

    def show(self, destination: Destination) -> int:
        """Prints the report; the exit code."""
        # Standard output may be the model itself.
        stream = sys.stderr if destination.output == STDOUT else None
        show(self.report, as_json=destination.as_json, stream=stream)
        return self.code


def rewrite_command(model: str, destination: Destination, rewrite: ModelPass) -> int:
    """Reads a model, rewrites it, writes it and says what was done; the exit code.

    Args:
        model: path of the model.
        destination: where the result goes.
        rewrite: the pass to run.
    """
    return carry_out(model, destination, rewrite).show(destination)


def carry_out(
    model: str, destination: Destination, rewrite: ModelPass, pruned: Pruned | None = None
) -> Rewritten:
    """Reads a model, rewrites it and writes it.

    Args:
        model: path of the model.
        destination: where the result goes.
        rewrite: the pass to run.
        pruned: what was pruned first, and is rewritten in place of the model; None for nothing.

    Returns:
        What came of it, with exit code 1 too where a result must be proved and was not run, or
        where a model that the runtime gets wrong could not be repaired.
    """
    from tflite_sparse.model import Model
    from tflite_sparse.model.sizes.sized import shapes_asked
    from tflite_sparse.report.printables import printable_rewrite
    from tflite_sparse.rewrite.at_sizes import run_at_sizes
    from tflite_sparse.rewrite.failing import failing
    from tflite_sparse.rewrite.writing.sizes import gzip_ahead, measure

    target = destination.target(model)
    if target is not None and destination.verify:
        from tflite_sparse.runtime.litert.driver import litert_version

        litert_version()
    source = model if pruned is None else pruned.path
    opened = Model.read(source)
    before, packed = opened.size, gzip_ahead(opened, destination.gzip)
    looked_at = opened
    if destination.input_shapes or destination.batch is not None:
        looked_at = Model.read(source)
        shapes_asked(looked_at, destination.input_shapes, destination.batch)
    with progress_bar(f"planning {model}"):
        was_wrong = failing(looked_at)
    with progress_bar(f"{rewrite.name} {model}"):
        result = run_at_sizes(rewrite, opened, destination.input_shapes, destination.batch)
        wrong = failing(result.model) if result.changed else was_wrong
    repaired = was_wrong if wrong is None else None
    proof, judge = None, Judge(model, result, pruned, destination.min_agreement)
    if target is not None:
        with progress_bar("writing"):
            proof = _write(result, source, target, destination, judge, repaired is not None)
    with progress_bar("measuring sizes"):
        sizes = measure(result, before, packed, _file(target))
    report = printable_rewrite(
        result,
        sizes,
        model,
        target,
        destination="standard output" if target == STDOUT else target,
        top=destination.top,
        proof=proof,
        wrong=wrong,
        repaired=repaired,
        pruning=None if pruned is None else pruned.pruning,
        quality=judge.quality,
    )
    unproved = destination.demanded and proof is not None and not proof.verified
    code = int(unproved or (wrong is not None and rewrite.name in _REPAIRING))
    if destination.check and result.changed:
        code = WOULD_CHANGE
    broken = "" if wrong is None else wrong.words()
    return Rewritten(report, code, result, sizes, proof, broken, repaired=repaired is not None)


def _file(target: str | None) -> Path | None:
    """The target as a file that can be read, None where it is none."""
    path = None if target in {None, STDOUT} else Path(str(target))
    return path if path is not None and path.is_file() else None


def _write(
    result: Rewrite,
    model: str,
    target: str,
    destination: Destination,
    judge: Judge,
    repaired: bool,
) -> Proof | None:
    """Writes the result; what running both models showed, or why they were not run."""
    from tflite_sparse.files.output import replacing
    from tflite_sparse.rewrite.writing.save import save

    # A file that came meanwhile is somebody else's.
    fresh = not destination.force and not destination.in_place
    if result.changed:
        outcome: list[Proof] = []
        checks = judge.checks
        if destination.verify:
            checks.insert(0, _verifier(model, result, destination, outcome, repaired=repaired))
        to = sys.stdout.buffer if target == STDOUT else target
        save(result, to, verify=in_turn(checks), fresh=fresh)
        if outcome or destination.declined:
            return outcome[0] if outcome else None
        return _unproved()
    # What is not changed is not written anew either.
    with Path(model).open("rb") as source:
        if target == STDOUT:
            shutil.copyfileobj(source, sys.stdout.buffer, _CHUNK)
        elif not (Path(target).exists() and Path(target).samefile(model)):
            with replacing(target, fresh=fresh) as file:
                shutil.copyfileobj(source, file, _CHUNK)
    for check in judge.checks:
        check(Path(model))
    return None


def has_litert() -> bool:
    """Whether LiteRT is installed, which is found without importing it."""
    return importlib.util.find_spec("ai_edge_litert") is not None


def _unproved() -> Proof | None:
    """Why the models were not run, where that was not for the user to choose."""
    if has_litert():
        return None
    from tflite_sparse.runtime.litert.process import INSTALL
    from tflite_sparse.runtime.prove import Proof

    return Proof(False, f"the models were not run, for LiteRT is not installed: {INSTALL}")


def _verifier(
    model: str, result: Rewrite, destination: Destination, outcome: list[Proof], *, repaired: bool
) -> Callable[[Path], None]:
    """What runs both models; it adds what that showed to `outcome`."""
    from tflite_sparse.runtime.compare_outputs import ROUNDING, Tolerance
    from tflite_sparse.runtime.prove import proof_of, verify_files

    if any(change.zeroed for change in result.weights):
        raise UsageError(
            "--verify asks for the same numbers, which --zero-below changes", hint="leave out one"
        )
    if any(change.rounding is not None for change in result.weights):
        from tflite_sparse.cli.values_check import check_values

        def check_rounded(written: Path) -> None:
            with progress_bar("running both models"):
                proof = check_values(model, written, result, destination, repaired=repaired)
            outcome.append(proof)

        return check_rounded
    # Other kernels, and adapted operators, add up in another order.
    other = (
        result.adaptation is not None or result.fixed or any(op.versions for op in result.operators)
    )
    tolerance = ROUNDING if other else None
    if destination.atol is not None or destination.rtol is not None:
        tolerance = Tolerance(destination.atol or 0.0, destination.rtol or 0.0)
    adapted = result.adaptation is not None and result.adaptation.done
    weights = not adapted and not result.fixed

    def check(written: Path) -> None:
        with progress_bar("running both models"):
            verification = verify_files(
                model,
                written,
                tolerance=tolerance,
                weights=weights,
                repaired=repaired,
                input_shapes=destination.input_shapes,
                batch=destination.batch,
            )
        outcome.append(proof_of(verification, weights=weights, sizes=result.input_shapes))

    return check
