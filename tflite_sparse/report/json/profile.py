"""A profile as JSON, described by schema/profile.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tflite_sparse.runtime.observations import Profile
    from tflite_sparse.runtime.plan_match import PlanComparison

__all__ = ["profile_content"]


def profile_content(path: str, profile: Profile, compared: PlanComparison) -> dict[str, Any]:
    """A profile and what was predicted, as plain data."""
    return {
        "model": path,
        "status": profile.status,
        "detail": profile.detail,
        "processor": profile.processor,
        "emulated": profile.emulated,
        "runs": profile.runs,
        "microseconds": round(profile.microseconds, 3),
        "operators": [
            {
                "name": operator.name,
                "delegated": operator.delegated,
                "sparse": operator.sparse,
                "index": operator.index,
                "partition": operator.partition,
                "microseconds": round(operator.microseconds, 3),
            }
            for operator in profile.operators
        ],
        "plan": {
            "target": compared.target,
            "predicted": compared.predicted,
            "agree": compared.agree,
            "rows": [
                {
                    "executed": row.executed,
                    "predicted": row.predicted,
                    "operator": row.operator,
                    "agrees": row.agrees,
                }
                for row in compared.rows
            ],
        },
    }
