"""The model of the runtime: what LiteRT and XNNPACK will do with every operator, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse._lazy import import_lazily

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.assume import NOTHING, WhatIf
    from tflite_sparse.xnnpack.forecast import Forecast, delegated, forecast
    from tflite_sparse.xnnpack.plan import Plan, plan
    from tflite_sparse.xnnpack.results import (
        Change,
        ClusterPlan,
        Fate,
        HintSource,
        OperatorPlan,
        Outcome,
        PartitionPlan,
        Reason,
        Role,
        Verdict,
    )
    from tflite_sparse.xnnpack.rules import RULES, Rule, Stage, rule
    from tflite_sparse.xnnpack.speed import Estimate, estimate
    from tflite_sparse.xnnpack.targets import Runtime, Target, runtime, target, targets

__all__ = [
    "NOTHING",
    "RULES",
    "Change",
    "ClusterPlan",
    "Estimate",
    "Fate",
    "Forecast",
    "HintSource",
    "OperatorPlan",
    "Outcome",
    "PartitionPlan",
    "Plan",
    "Reason",
    "Role",
    "Rule",
    "Runtime",
    "Stage",
    "Target",
    "Verdict",
    "WhatIf",
    "delegated",
    "estimate",
    "forecast",
    "plan",
    "rule",
    "runtime",
    "target",
    "targets",
]

import_lazily(
    __name__,
    {
        "Change": "results",
        "ClusterPlan": "results",
        "Estimate": "speed",
        "Fate": "results",
        "Forecast": "forecast",
        "HintSource": "results",
        "NOTHING": "assume",
        "OperatorPlan": "results",
        "Outcome": "results",
        "PartitionPlan": "results",
        "Plan": "plan",
        "RULES": "rules",
        "Reason": "results",
        "Role": "results",
        "Rule": "rules",
        "Runtime": "targets",
        "Stage": "rules",
        "Target": "targets",
        "Verdict": "results",
        "WhatIf": "assume",
        "delegated": "forecast",
        "estimate": "speed",
        "forecast": "forecast",
        "plan": "plan",
        "rule": "rules",
        "runtime": "targets",
        "target": "targets",
        "targets": "targets",
    },
)
