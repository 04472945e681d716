"""Proves what a rewrite wrote: both models run, and must compute the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import RewriteError, UsageError
from tflite_sparse.records import Record
from tflite_sparse.runtime.compare_outputs import Bound
from tflite_sparse.runtime.verify import verify
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import count_of, listing

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model.sizes.sized import InputShapes
    from tflite_sparse.runtime.compare_outputs import OutputComparison, Tolerance
    from tflite_sparse.runtime.verification import BackendComparison, Verification

__all__ = ["Proof", "kernels_words", "proof_of", "verify_files"]

_ALLOW = (
    "optimize and adapt allow more by --atol and --rtol;"
    " without --verify, or by --no-verify, it is written unproved"
)


class Proof(Record, frozen=True):
    """What running both models showed.

    Attributes:
        verified: whether both ran and computed the same.
        words: what that showed, or why nothing was run, in words.
        constant: outputs that are the same for every input: that they agree proves nothing.
    """

    verified: bool
    words: str
    constant: tuple[str, ...] = ()


def verify_files(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    *,
    tolerance: Tolerance | None = None,
    weights: bool = True,
    repaired: bool = False,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
) -> Verification:
    """Checks what a rewrite wrote against what it read.

    Args:
        before: the model that was read.
        after: the model that was written.
        tolerance: how far outputs may lie apart, see `verify`.
        weights: whether the weights must be the same too.
        repaired: whether XNNPACK gets the model that was read wrong, see `verify`.
        input_shapes: see `verify`.
        batch: see `verify`.

    Returns:
        The comparison; neither model need have run, see `Verification.verified`.

    Raises:
        RewriteError: weights or outputs differ.
        RuntimeUnavailableError: LiteRT is not installed.
    """
    try:
        verification = verify(
            before,
            after,
            tolerance=tolerance,
            weights=weights,
            repaired=repaired,
            input_shapes=input_shapes,
            batch=batch,
        )
    except UsageError as error:
        # There are no random values for an input.
        unrun = verify(before, after, backends=(), weights=weights)
        reason = f"the models could not be run: {error.message}"
        verification = msgspec.structs.replace(unrun, not_run=(reason,))
    if verification.alike:
        return verification
    if verification.weights:
        worst = verification.weights[0]
        raise RewriteError(
            f"the written model differs: {len(verification.weights)} weights, first {worst.name!r}"
        )
    raise _error(next(entry for entry in verification.backends if not entry.agree))


def _error(entry: BackendComparison) -> RewriteError:
    kernels: str = entry.backend
    if entry.signature is not None:
        kernels += f", signature {readable(entry.signature)!r}"
    if entry.status_a != entry.status_b:
        return RewriteError(
            f"the written model fares differently on {kernels}: {entry.status_b}"
            f" ({entry.detail_b or entry.problem}), the original {entry.status_a}"
        )
    off = next((output for output in entry.outputs if not output.within), None)
    reason = entry.problem
    if off is not None:
        reason = f"output {off.name!r} by up to {off.max_abs:.3g} on values to {off.range:.3g}"
        if off.noise is not None:
            reason += f", the original from itself by {off.noise:.3g}"
    return RewriteError(
        f"the written model computes something else on {kernels}: {reason}", hint=_ALLOW
    )


def proof_of(
    verification: Verification, *, weights: bool = True, sizes: InputShapes | None = None
) -> Proof:
    """What a comparison showed, in words.

    Args:
        verification: the comparison, in which nothing differs.
        weights: whether the weights were compared too.
        sizes: the sizes that the models were run at; None where they leave none open.
    """
    if not verification.verified:
        rest = "only the weights were compared" if weights else "nothing was compared"
        return Proof(False, f"{verification.unverified}; {rest}")
    outputs = [output for entry in verification.backends for output in entry.outputs]
    worst = max(outputs, key=lambda output: output.max_abs, default=None)
    same = "the same numbers"
    if worst is not None and worst.max_abs:
        same += f" to within {worst.max_abs:.2g}"
    if sizes is not None and sizes.chosen:
        same += f" at {sizes.words}"
    signatures = len({entry.signature for entry in verification.backends})
    more = f", in {count_of(signatures, 'signature')}" if signatures > 1 else ""
    if any(entry.measure for entry in verification.backends):
        same += " as the reference kernels for the model as it was"
    text = f"LiteRT computes {same}, {kernels_words(verification)}{more}"
    told = [text, *_bounds(outputs), *_not_finite(outputs), *verification.unreached]
    return Proof(True, "; ".join(told), verification.constant)


def kernels_words(verification: Verification) -> str:
    """On which kernels two models were found to agree, in words."""
    failing = {entry.backend for entry in verification.failing}
    if "xnnpack" in failing:
        return "without XNNPACK, which runs neither model"
    if failing:
        return "with XNNPACK; its reference kernels run neither model"
    return "with XNNPACK and without"


def _not_finite(outputs: list[OutputComparison]) -> list[str]:
    """Which outputs hold values of which it says little that they are the same."""
    names = dict.fromkeys(output.name for output in outputs if output.not_finite)
    if not names:
        return []
    return [f"values of {listing([repr(readable(n)) for n in names])} are NaN or infinite in both"]


def _bounds(outputs: list[OutputComparison]) -> list[str]:
    """By what outputs are known to be alike, where that is neither equality nor a tolerance."""
    told = []
    for bound in (Bound.RANGE, Bound.KERNELS, Bound.WEIGHTS):
        worst = max(
            (output for output in outputs if output.bound is bound),
            key=lambda output: output.max_abs,
            default=None,
        )
        if worst is not None:
            told.append(_bound(worst))
    return told


def _bound(output: OutputComparison) -> str:
    if output.bound is Bound.RANGE:
        share = output.max_abs / output.range
        return f"{output.name!r} by {share:.1e} of its range"
    by = "between XNNPACK and the reference kernels"
    if output.bound is Bound.WEIGHTS:
        by = "with each weight moved by one unit in the last place"
    return f"the original's own {output.name!r} differs by {output.noise:.2g} {by}"
