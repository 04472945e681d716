"""Runs a model whose weights were stored in other numbers: is it right, and how near is it?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.errors import RewriteError
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from pathlib import Path

    from tflite_sparse.cli.rewriting import Destination
    from tflite_sparse.cli.values_data import Data
    from tflite_sparse.rewrite.changes import Rewrite
    from tflite_sparse.runtime.fidelity import Fidelity
    from tflite_sparse.runtime.prove import Proof

__all__ = ["check_values"]


def check_values(
    model: str, written: Path, result: Rewrite, destination: Destination, *, repaired: bool
) -> Proof:
    """Proves that the runtime computes with the rounded weights, and tells how near that comes.

    The first is exact: the same model with these weights as fp32, dense, must compute the same. The
    second has a bound that only a result that is of no use breaks.

    Args:
        model: the model that was read.
        written: the model that was written.
        result: what was done.
        destination: which inputs to run, and of which size.
        repaired: whether XNNPACK gets the model that was read wrong.

    Returns:
        What was found, in words, and whether anything ran.

    Raises:
        RewriteError: the runtime computes something else, or too far from the original.
    """
    from tflite_sparse.files.output import scratch
    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.storage.unpack_values import DensifyValues
    from tflite_sparse.rewrite.writing.save import save
    from tflite_sparse.runtime.compare_outputs import ROUNDED
    from tflite_sparse.runtime.fidelity import fidelity
    from tflite_sparse.runtime.prove import Proof, kernels_words, proof_of, verify_files
    from tflite_sparse.storage.options import DensifyOptions
    from tflite_sparse.storage.values.options import StoredValues

    with scratch() as (file, path):
        dense = DensifyValues(DensifyOptions(values=StoredValues.FP32)).run(Model.read(written))
        save(dense, file)
        file.flush()
        exact = verify_files(path, written, weights=False)
    data = destination.data
    kinds = {change.rounding.values for change in result.weights if change.rounding}
    measured = fidelity(
        model,
        written,
        bound=max(ROUNDED[kind] for kind in kinds),
        given=None if data is None else data.split.held_out,
        input_shapes=destination.input_shapes,
        batch=destination.batch,
        repaired=repaired,
    )
    if not all(math.isfinite(output.max_abs) for output in measured.outputs):
        raise RewriteError(
            "outputs of the model are not finite, so that those with rounded weights cannot be held"
            " against them",
            hint="lint names weights that are not finite (TFS108); --no-verify writes it unproved",
        )
    if not measured.within:
        raise RewriteError(
            f"the rounded weights change the outputs too much: {_words(measured, data)}",
            hint="--data FOLDER runs both models on inputs that are not random; --min-snr 40 lets"
            " the weights that rounding changes most keep their numbers; --values fp16 rounds less",
        )
    least, agreement = destination.min_agreement, measured.agreement
    if least and (agreement is None or agreement < least):
        share = "no output has classes"
        if agreement is not None:
            share = f"{100 * agreement:.1f} % of the inputs get the class that they got before"
        raise RewriteError(
            f"the rounded weights do not agree on {100 * least:g} % of the classes: {share};"
            f" {_words(measured, data)}",
            hint="--values fp16 rounds less; --min-snr lets the weights that rounding changes most"
            " keep their numbers; more inputs of --data fit the weights better",
        )
    if not exact.verified:
        return proof_of(exact, weights=False)
    if not measured.outputs:
        return Proof(False, _words(measured, data))
    same = f"LiteRT computes what the rounded weights do, {kernels_words(exact)}"
    return Proof(True, f"{same}; {_words(measured, data)}", exact.constant)


def _words(measured: Fidelity, data: Data | None) -> str:
    worst = measured.worst
    if worst is None:
        return "LiteRT runs neither model, so that no outputs were compared"
    ratio = min((o.snr for o in measured.outputs if o.snr is not None), default=None)
    parts = [
        f"rounding alone changes outputs by up to {100 * worst.share:.2g} % of their range",
        f"cosine {min(o.cosine for o in measured.outputs):.5f}",
        f"largest value in the same place {_in_place(measured, data)}",
    ]
    if ratio is not None:
        parts.insert(1, f"SNR {ratio:.1f} dB")
    return f"{', '.join(parts)}; {_where(measured, data)}, allowed {100 * measured.bound:g} %"


def _in_place(measured: Fidelity, data: Data | None) -> str:
    """The share for which the largest value is in its place; of a user's inputs with its margin."""
    from tflite_sparse.pruning.measures import margin_of
    from tflite_sparse.report.quality import MARGIN, margin_words

    least = min(output.argmax for output in measured.outputs)
    words = f"{100 * least:.1f} %"
    if data is None or measured.agreement is None:
        return words
    margin = margin_words(margin_of(least, measured.inputs))
    return f"{words} ({margin} points, {MARGIN})"


def _where(measured: Fidelity, data: Data | None) -> str:
    """On which inputs."""
    sets = count_of(measured.inputs, "set")
    if data is None:
        return f"on random inputs, {sets}"
    fitted = data.split.fitted
    if not fitted:
        return f"on {data.folder}, {sets}"
    if len(fitted) == measured.inputs:
        return f"on {data.folder}, {sets}, to which the weights were fitted"
    return f"on {data.folder}, {sets}; the weights were fitted to {len(fitted)} others"
