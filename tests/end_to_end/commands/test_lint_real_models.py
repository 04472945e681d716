"""Lint of every real model says what was reviewed, and nothing else.

The golden text is made by `python -m tests.end_to_end.commands.test_lint_real_models`; whoever
changes it reads each line as the owner of the model would: a false alarm is a bug.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.real_models import all_real_models, real_model
from tflite_sparse.lint.engine import lint
from tflite_sparse.lint.rule import all_rules
from tflite_sparse.lint.settings import Settings

GOLDEN = Path(__file__).parents[3] / "testdata" / "golden" / "lint_real_models.txt"


def findings() -> str:
    settings = Settings(enabled=frozenset(rule.code for rule in all_rules()))
    lines = []
    for name in all_real_models():
        report = lint(str(real_model(name)), settings)
        assert report.error is None
        lines += [
            f"{name}: {finding.severity.label}: {finding.code} {finding.spot or '-'}:"
            f" {finding.message}"
            for finding in report.findings
        ] or [f"{name}: clean"]
    return "\n".join(lines) + "\n"


def test_lint_of_the_real_models_says_what_was_reviewed():
    assert findings() == GOLDEN.read_text("utf-8")


if __name__ == "__main__":
    GOLDEN.write_text(findings(), "utf-8")
