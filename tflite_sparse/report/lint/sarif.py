"""Findings as SARIF 2.1.0, for code scanning services."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tflite_sparse._version import __version__
from tflite_sparse.files.remote import is_remote
from tflite_sparse.lint.finding import Severity
from tflite_sparse.report.json.documents import dump
from tflite_sparse.report.lint.shown_paths import shown_path
from tflite_sparse.words.addresses import PROJECT

if TYPE_CHECKING:
    from tflite_sparse.lint.finding import Finding
    from tflite_sparse.lint.rule import Rule
    from tflite_sparse.lint.run import LintRun
    from tflite_sparse.report.lint.options import ReportOptions

__all__ = ["document", "report"]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def document(run: LintRun) -> dict[str, Any]:
    """A run as a SARIF log."""
    from tflite_sparse.lint.rule import all_rules

    used = {finding.code for finding in run.findings}
    rules = [rule for rule in all_rules() if rule.code in used]
    numbers = {rule.code: number for number, rule in enumerate(rules)}
    invocation = {
        "executionSuccessful": not run.errors,
        "toolExecutionNotifications": [
            {
                "level": "error",
                "message": {"text": file.error},
                "locations": [_location(file.path)],
            }
            for file in run.files
            if file.error is not None
        ],
    }
    driver = {
        "name": "tflite-sparse",
        "semanticVersion": __version__,
        "informationUri": PROJECT,
        "rules": [_rule(rule) for rule in rules],
    }
    results = [_result(finding, numbers[finding.code]) for finding in run.findings]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "invocations": [invocation], "results": results}],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": rule.what},
        "fullDescription": {"text": f"{rule.what} {rule.why}"},
        "help": {"text": rule.advice},
        "helpUri": rule.link,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": [rule.family.label]},
    }


def _result(finding: Finding, number: int) -> dict[str, Any]:
    location = _location(finding.path)
    logical = _logical(finding)
    if logical:
        location["logicalLocations"] = logical
    return {
        "ruleId": finding.code,
        "ruleIndex": number,
        "level": _LEVELS[finding.severity],
        # The help of the rule is the same for all its findings; this is what mends this one.
        "message": {"text": f"{finding.message}.\nFix: {finding.advice}"},
        "locations": [location],
        "partialFingerprints": {
            "tfliteSparse/v1": finding.fingerprint,
            "primaryLocationLineHash": _line_hash(finding),
        },
        "properties": finding.data,
    }


def _line_hash(finding: Finding) -> str:
    """What GitHub tells alerts apart by, in its form: 16 hexadecimal digits, colon, number.

    It would make one of the text of the line (codeql-action, src/fingerprints.ts), which is the
    same for all findings of a model and changes with every byte of it.
    """
    identity = f"{_uri(finding.path)}\0{finding.fingerprint}"
    return f"{hashlib.sha256(identity.encode('utf-8', 'replace')).hexdigest()[:16]}:1"


def _location(path: str) -> dict[str, Any]:
    """A file; code scanning wants a line, which a model does not have."""
    place = {"artifactLocation": {"uri": _uri(path)}, "region": {"startLine": 1}}
    return {"physicalLocation": place}


def _uri(path: str) -> str:
    """A path within the folder of the run as a relative URI, any other as a file URI."""
    shown = shown_path(path)
    if Path(shown).is_absolute():
        return Path(path).as_uri()
    return quote(shown, safe=":/" if is_remote(path) else "/")


def _logical(finding: Finding) -> list[dict[str, Any]]:
    """Subgraph, operator and tensor, each within the one before."""
    spot = finding.spot
    if spot is None:
        return []
    names: list[tuple[str, str]] = []
    if spot.subgraph:
        names.append(("namespace", spot.subgraph))
    if spot.operator:
        name = f"{spot.operator} {spot.output}" if spot.output else spot.operator
        names.append(("function", name))
    if spot.tensor:
        names.append(("variable", spot.tensor))
    locations = []
    for depth, (kind, name) in enumerate(names):
        qualified = "/".join(part for _, part in names[: depth + 1])
        locations.append({"name": name, "fullyQualifiedName": qualified, "kind": kind})
    return locations


def report(run: LintRun, options: ReportOptions) -> str:
    """The whole log."""
    del options
    return dump(document(run)) + "\n"
