"""The model of the runtime: what LiteRT and XNNPACK will do with every operator, and why."""

from tflite_sparse.xnnpack.assume import NOTHING, WhatIf
from tflite_sparse.xnnpack.plan import Plan, delegated, plan
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
    "plan",
    "rule",
    "runtime",
    "target",
    "targets",
]
