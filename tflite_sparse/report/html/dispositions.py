"""How the page shows the fates of operators: in words, colours and shapes."""

from __future__ import annotations

from tflite_sparse.inspection.dispositions import DispositionKind
from tflite_sparse.report.html.markup import Markup, el

__all__ = ["FATES", "mark", "symbols"]

FATES = {
    DispositionKind.SPARSE: ("sparse", "a sparse kernel runs it"),
    DispositionKind.LAYOUT: ("sparse layout", "runs between sparse kernels, in their layout"),
    DispositionKind.BLOCKED: (
        "blocked",
        "could run in a sparse cluster, and something keeps it from that",
    ),
    DispositionKind.DENSE: ("dense", "XNNPACK runs it dense; it has no part in a cluster"),
    DispositionKind.OUTSIDE: ("outside", "XNNPACK does not take it"),
    DispositionKind.VANISHES: ("vanishes", "folded, fused or dropped when the model is loaded"),
}
"""The fates, what they are called on the page, and what they mean."""


def symbols() -> Markup:
    """What the page refers to: a shape for each fate, so that colour is not all that tells it."""
    shapes = {
        DispositionKind.SPARSE: "M0 -6A6 6 0 1 1 -.01 -6Z",
        DispositionKind.LAYOUT: "M0 -6A6 6 0 1 1 -.01 -6ZM0 -2.6A2.6 2.6 0 1 0 .01 -2.6Z",
        DispositionKind.BLOCKED: "M0 -7L7 0L0 7L-7 0Z",
        DispositionKind.DENSE: "M-5 -5H5V5H-5Z",
        DispositionKind.OUTSIDE: "M0 -6.5L6.5 5H-6.5Z",
        DispositionKind.VANISHES: "M0 -2.5A2.5 2.5 0 1 1 -.01 -2.5Z",
    }
    hatch = el(
        "pattern",
        el("rect", width=6, height=6, class_="hatch-a"),
        el("path", d="M-1 4L4 -1M2 7L7 2", class_="hatch-b"),
        id="hatch",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
    )
    dots = el(
        "pattern",
        el("rect", width=6, height=6, class_="dots-a"),
        el("rect", x=1, y=1, width=2.5, height=2.5, class_="dots-b"),
        id="dots",
        width=5,
        height=5,
        patternUnits="userSpaceOnUse",
    )
    return el(
        "svg",
        el("defs", hatch, dots),
        [
            el("symbol", el("path", d=d), id=f"n-{kind.value}", overflow="visible")
            for kind, d in shapes.items()
        ],
        width=0,
        height=0,
        aria_hidden="true",
        class_="symbols",
    )


def mark(kind: DispositionKind) -> Markup:
    """The shape of a fate, in its colour."""
    use = el("use", href=f"#n-{kind.value}", x=8, y=8)
    return el("svg", use, width=16, height=16, class_=f"mark f-{kind.value}", aria_hidden="true")
