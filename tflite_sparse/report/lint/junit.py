"""Findings as a JUnit report: a suite for each file, a test case for each rule that was broken."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tflite_sparse.report.lint.text import finding_line
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from tflite_sparse.lint.engine import FileReport
    from tflite_sparse.lint.finding import Finding, Severity
    from tflite_sparse.lint.run import LintRun
    from tflite_sparse.report.lint.options import ReportOptions

__all__ = ["report"]


def report(run: LintRun, options: ReportOptions) -> str:
    """A suite for each file; findings that are no failures stand in the output of their case."""
    root = ET.Element("testsuites", name="tflite-sparse lint")
    findings: dict[str, list[Finding]] = {}
    for finding in run.findings:
        findings.setdefault(finding.path, []).append(finding)
    totals = {"tests": 0, "failures": 0, "errors": 0}
    for file in run.files:
        suite = _suite(file, findings.get(file.path, []), options.fail_on)
        root.append(suite)
        for name in totals:
            totals[name] += int(suite.attrib[name])
    root.attrib.update({name: str(count) for name, count in totals.items()})
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _suite(file: FileReport, findings: list[Finding], fail_on: Severity) -> ET.Element:
    # XML has no control characters, not even as references.
    path = readable(file.path)
    suite = ET.Element("testsuite", name=path)
    failures = 0
    if file.error is not None:
        case = ET.SubElement(suite, "testcase", classname=path, name="read")
        ET.SubElement(case, "error", message=readable(file.error), type="unreadable")
    ordered = sorted(findings, key=lambda finding: (finding.code, finding.sort_key))
    for code, group in groupby(ordered, key=lambda finding: finding.code):
        same = list(group)
        name = f"{code} {same[0].rule}"
        case = ET.SubElement(suite, "testcase", classname=path, name=name)
        fixes = dict.fromkeys(f"fix: {finding.advice}" for finding in same)
        lines = "\n".join([*(finding_line(finding) for finding in same), *fixes])
        worst = max(finding.severity for finding in same)
        if worst >= fail_on:
            failures += 1
            message = same[0].message if len(same) == 1 else f"{len(same)} findings"
            failure = ET.SubElement(case, "failure", message=message, type=worst.label)
            failure.text = lines
        else:
            ET.SubElement(case, "system-out").text = lines
    if not len(suite):
        ET.SubElement(suite, "testcase", classname=path, name="clean")
    suite.attrib["tests"] = str(len(suite))
    suite.attrib["failures"] = str(failures)
    suite.attrib["errors"] = str(int(file.error is not None))
    return suite
