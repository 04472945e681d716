"""What the page calls the dispositions of operators, and what they mean."""

from __future__ import annotations

from tflite_sparse.inspection.dispositions import DispositionKind

__all__ = ["DISPOSITIONS"]

DISPOSITIONS = {
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
"""The dispositions, what they are called on the page, and what they mean."""
