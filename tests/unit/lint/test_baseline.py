"""Known findings pass, new ones do not, and those that are gone are told."""

from __future__ import annotations

import pytest

from tests.support.lint.cases import CASES
from tflite_sparse.errors import UsageError
from tflite_sparse.lint.baseline import Baseline
from tflite_sparse.lint.engine import lint
from tflite_sparse.lint.run import lint_files, make_run
from tflite_sparse.lint.settings import Settings

SETTINGS = Settings(enabled=frozenset({"TFS302", "TFS408", "TFS501"}))


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(CASES["TFS302"].trigger())
    return path


def test_known_findings_pass_and_a_new_one_does_not(model):
    first = lint(str(model), SETTINGS)
    assert first.findings
    baseline = Baseline.of(first.findings)
    again = make_run([lint(str(model), SETTINGS)], baseline)
    assert again.findings == ()
    assert again.known == len(first.findings)
    model.write_bytes(CASES["TFS408"].trigger())
    other = make_run([lint(str(model), SETTINGS)], baseline)
    assert [finding.code for finding in other.findings] == ["TFS408"]
    assert [entry.code for entry in other.fixed] == ["TFS302"]


def test_a_file_that_was_not_linted_is_not_fixed(model, tmp_path):
    baseline = Baseline.of(lint(str(model), SETTINGS).findings)
    elsewhere = tmp_path / "other.tflite"
    elsewhere.write_bytes(CASES["TFS408"].near_miss())
    run = make_run([lint(str(elsewhere), SETTINGS)], baseline)
    assert run.fixed == ()


def test_a_baseline_survives_writing_and_reading(model, tmp_path):
    baseline = Baseline.of(lint(str(model), SETTINGS).findings)
    path = tmp_path / "baseline.json"
    path.write_text(baseline.text())
    assert Baseline.read(str(path)) == baseline


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"baseline_version": 9, "findings": []}',
        '{"findings": [1]}',
        '{"baseline_version": 1, "findings": [{"file": 1}]}',
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path, text):
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="baseline"):
        Baseline.read(str(path))
    with pytest.raises(UsageError, match="cannot read"):
        Baseline.read(str(tmp_path / "missing.json"))


def test_any_order_and_number_of_jobs_gives_the_same_reports(tmp_path):
    paths = []
    for code in ("TFS302", "TFS408", "TFS501", "TFS101"):
        path = tmp_path / f"{code}.tflite"
        path.write_bytes(CASES[code].trigger())
        paths.append(str(path))
    jobs = [(path, SETTINGS) for path in paths]
    one = lint_files(jobs)
    assert lint_files(jobs[::-1], processes=2) == one
    assert lint_files([*jobs, *jobs], processes=2) == one
