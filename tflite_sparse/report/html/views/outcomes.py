"""How the outcomes of running a model look."""

from __future__ import annotations

from tflite_sparse.xnnpack.plan_types import Outcome

__all__ = ["OUTCOMES"]

OUTCOMES = {
    Outcome.SPARSE: ("✓", "good"),
    Outcome.DENSE: ("\u2013", "plain"),
    Outcome.WRONG_NUMBERS: ("!", "bad"),
    Outcome.LOAD_FAILURE: ("!", "bad"),
    Outcome.PROCESS_ABORT: ("!", "bad"),
    Outcome.OUTPUT_SHAPE: ("!", "bad"),
}
"""Sign and colour of each outcome."""
