"""The rules that a plan mentions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.plan import Plan

__all__ = ["rules_of"]


def rules_of(made: Plan) -> set[str]:
    """Codes of all rules that the plan gives for anything."""
    found = {reason.rule for reason in made.verdict.reasons}
    found.update(change.rule for change in made.verdict.changes)
    for op in made.operators:
        found.update(step.rule for step in op.steps)
        found.update(why.rule for why in (op.refusal, op.role_refusal) if why is not None)
    for cluster in made.clusters:
        found.update(why.rule for why in cluster.obstacles)
        if cluster.complete and not cluster.profitable:
            found.add("profit-zeros")
    return found
