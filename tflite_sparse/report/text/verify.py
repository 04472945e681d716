"""A comparison of two models for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.input_shapes import sizes_words
from tflite_sparse.report.names import constant_words, shorten
from tflite_sparse.report.text.headings import labelled
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.runtime.compare_outputs import Bound
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import count_of, rounded_percent
from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from tflite_sparse.runtime.compare_outputs import OutputComparison, Tolerance
    from tflite_sparse.runtime.verification import BackendComparison, Verification

__all__ = ["verification_lines"]

_SHOWN = 10

_WORDS = {
    Bound.SAME: "same",
    Bound.TOLERANCE: "within",
    Bound.RANGE: "by range",
    Bound.KERNELS: "by kernels",
    Bound.WEIGHTS: "by weights",
    Bound.NONE: "DIFFERENT",
}


def verification_lines(verification: Verification, width: int) -> Iterator[Text | str]:
    """The lines of the report."""
    verdict = _verdict(verification)
    room = max((width - len(f" against : {verdict}")) // 2, 24)
    yield f"{shorten(verification.a, room)} against {shorten(verification.b, room)}: {verdict}"
    yield ""
    if verification.backends and verification.unverified:
        yield from _wrapped(verification.unverified, "  Not run   ", width)
    total = verification.weights_equal + len(verification.weights)
    if total:
        equal = f"{verification.weights_equal:,} of {total:,}"
        yield f"  Weights   {equal} equal bit for bit, -0.0 as 0.0"
    yield from _differing(verification, width)
    sizes = sizes_words(verification.input_shapes, "run")
    if sizes:
        yield from wrapped(sizes, width, first="  Sizes     ", rest=" " * 12)
    for sentence in (*verification.not_run[1:], *verification.unreached):
        yield from _wrapped(sentence, "  Not run   ", width)
    if verification.constant:
        yield from labelled("But", [constant_words(verification.constant)], width, style="yellow")
    for backend in verification.backends:
        yield from _backend(backend, verification, width)


def _differing(verification: Verification, width: int) -> Iterator[Text | str]:
    """Weights and places of the graph that differ."""
    if verification.adapted and verification.alike and not verification.unverified:
        # Each is what adapting is for; the numbers are what counts.
        words = f"{_changed(verification)}, as adapting makes it; 'tflite-sparse diff' lists all"
        yield from wrapped(words, width, first="  Changed   ", rest=" " * 12)
        return
    if verification.zeroed and verification.rounded is None:
        graph = "another graph" if verification.graph else "the same graph"
        words = (
            f"{count_of(verification.zeroed, 'value')} of weights became zero, on {graph}, as"
            " pruning makes it: outputs differ; how much quality is left, prune --data tells"
        )
        yield from wrapped(words, width, first="  Pruned    ", rest=" " * 12)
    for weight in verification.weights[:_SHOWN]:
        yield f"            {shorten(weight.name, width - 40)} ({weight.operator}): " + (
            f"only in {'B' if weight.missing == 'a' else 'A'}"
            if weight.missing
            else "shapes or types differ"
            if weight.differing is None
            else f"{weight.differing:,} values differ"
            + ("" if weight.largest is None else f", by up to {weight.largest:.3g}")
        )
    if len(verification.weights) > _SHOWN:
        yield f"            and {len(verification.weights) - _SHOWN} more"
    for sentence in verification.graph[:_SHOWN]:
        yield from wrapped(sentence, width, first="  Graph     ", rest=" " * 12)
    if len(verification.graph) > _SHOWN:
        yield f"            and {len(verification.graph) - _SHOWN} more"


def _changed(verification: Verification) -> str:
    """How much of an adapted model is not as it was."""
    graph = count_of(len(verification.graph), "place") + " of the graph"
    weights = count_of(len(verification.weights), "weight")
    return " and ".join(
        text
        for text, found in ((graph, verification.graph), (weights, verification.weights))
        if found
    )


def _verdict(verification: Verification) -> str:
    """The result in a few words."""
    if not verification.alike:
        return _differs(verification)
    if verification.backends and verification.unverified:
        equal = verification.weights_equal and not verification.weights
        return "not verified" + ("; weights equal" if equal else "")
    kernels = {entry.backend for entry in verification.failing}
    if "xnnpack" in kernels:
        return "equal, but XNNPACK runs neither"
    if verification.rounded is not None:
        return f"rounded to {verification.rounded}, outputs near"
    said = "adapted, the numbers agree" if verification.adapted else "equal"
    outputs = {output.name for entry in verification.backends for output in entry.outputs}
    return f"{said}, see below" if outputs and outputs == {*verification.constant} else said


def _differs(verification: Verification) -> str:
    if verification.rounded is not None:
        return f"rounded to {verification.rounded}" + (
            ", outputs far" if verification.backends else ""
        )
    if not verification.adapted:
        if not verification.zeroed:
            return "different"
        return "pruned, on another graph" if verification.graph else "pruned"
    # It looks like one that was adapted, and may be none.
    if verification.backends:
        return "other numbers"
    return f"another {'graph' if verification.graph else 'order'} of the same weights"


def _wrapped(sentence: str, label: str, width: int) -> list[str]:
    return wrapped(sentence, width, first=label, rest=" " * len(label))


def _backend(
    backend: BackendComparison, verification: Verification, width: int
) -> Iterator[Text | str]:
    yield ""
    where = f" on {verification.processor}" if verification.emulated else ""
    title = {"xnnpack": "XNNPACK", "reference": "Reference kernels"}.get(backend.backend, "LiteRT")
    if backend.signature is not None:
        title += f", signature {readable(backend.signature)}"
    if backend.measure is not None:
        title += ", A on reference kernels"
    if not backend.compared:
        yield f"  {title}{where}"
        for name, status, detail in (
            ("A", backend.status_a, backend.detail_a),
            ("B", backend.status_b, backend.detail_b),
        ):
            reason = f": {detail}" if detail else ""
            yield from wrapped(
                f"{name} {status.replace('-', ' ')}{reason}",
                width,
                first="    ",
                rest="      ",
            )
        return
    allowed = _allowed(backend.tolerance)
    head = f"{title}{where}, {count_of(verification.trials, 'set')} of inputs, {allowed}"
    yield from wrapped(head, width, first="  ", rest="    ")
    if backend.problem:
        yield from wrapped(backend.problem, width, first="    ", rest="      ")
        return
    columns = [
        Column("output", gives_way=True),
        Column("max abs", right=True),
        Column("max rel", right=True),
        Column("cosine", right=True),
        Column("argmax", right=True),
        Column(""),
    ]
    rows = [
        [
            output.name,
            f"{output.max_abs:.3g}",
            f"{output.max_rel:.3g}",
            f"{output.cosine:.6f}",
            rounded_percent(output.argmax, 1),
            _WORDS[output.bound],
        ]
        for output in backend.outputs
    ]
    yield from table(columns, rows, width, indent=4)
    for output in backend.outputs:
        if output.noise is not None:
            yield from _wrapped(_noise(output, backend.tolerance), "    ", width)
        if output.not_finite:
            yield from _wrapped(_not_finite(output), "    ", width)


def _allowed(limits: Tolerance) -> str:
    if limits.exact:
        return "the same numbers wanted"
    parts = []
    if limits.atol or limits.rtol:
        parts.append(f"{limits.atol:g} + {limits.rtol:g} x |A|")
    if limits.range:
        parts.append(f"{limits.range:g} of the range")
    return f"{' or '.join(parts)} allowed"


def _not_finite(output: OutputComparison) -> str:
    counted = f"{output.name}: {output.not_finite:,} values of both models are NaN or infinite"
    return f"{counted}; that they are the same proves little" if output.within else counted


def _noise(output: OutputComparison, limits: Tolerance) -> str:
    by = "on other kernels"
    if output.bound is not Bound.KERNELS:
        by = "with each weight moved by one unit in the last place"
    return (
        f"{output.name}: A itself lies {output.noise:.3g} apart {by};"
        f" {limits.noise:g} times that is allowed"
    )
