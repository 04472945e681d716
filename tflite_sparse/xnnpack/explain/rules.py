"""The registry of rules: every decision of the runtime that the plan reports, by a stable code."""

from __future__ import annotations

from tflite_sparse.xnnpack.explain.partition_rules import PARTITION_RULES
from tflite_sparse.xnnpack.explain.runtime_rule import RuntimeRule, Stage
from tflite_sparse.xnnpack.explain.sparse_rules import SPARSE_RULES

__all__ = ["RULES", "rule", "rules_table"]

RULES: dict[str, RuntimeRule] = {
    code: RuntimeRule(code, stage, summary, source, lint)
    for stage, rows in {**PARTITION_RULES, **SPARSE_RULES}.items()
    for code, summary, source, lint in rows
}
"""All rules by their codes, in the order of the stages."""


def rule(code: str) -> RuntimeRule:
    """The rule of a code; every code that a plan mentions is registered."""
    return RULES[code]


def rules_table() -> str:
    """All rules as Markdown, a table for each stage: the reference in the documentation."""
    lines: list[str] = []
    for stage in Stage:
        lines += [f"### {stage.value}", "", "| rule | what it says | where |", "|---|---|---|"]
        lines += [
            f"| `{entry.code}` | {entry.summary} | {entry.source} |"
            for entry in RULES.values()
            if entry.stage is stage
        ]
        lines.append("")
    return "\n".join(lines)
