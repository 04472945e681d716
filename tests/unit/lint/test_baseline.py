"""Known findings pass, new ones do not, and those that are gone are told."""

from __future__ import annotations

import msgspec
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
    assert Baseline.of(first.findings, model.parent).findings[0].file == "m.tflite"
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


def test_a_model_of_the_same_name_in_another_folder_is_not_known(model, tmp_path):
    baseline = Baseline.of(lint(str(model), SETTINGS).findings, tmp_path)
    other = tmp_path / "b" / "m.tflite"
    other.parent.mkdir()
    other.write_bytes(model.read_bytes())
    alone = make_run([lint(str(other), SETTINGS)], baseline, tmp_path)
    assert (alone.known, alone.fixed) == (0, ())
    assert {finding.path for finding in alone.findings} == {str(other)}
    both = make_run([lint(str(path), SETTINGS) for path in (model, other)], baseline, tmp_path)
    assert both.known == len(baseline.findings)
    assert {finding.path for finding in both.findings} == {str(other)}


def test_a_model_is_known_from_wherever_the_program_runs(model, tmp_path, monkeypatch):
    (tmp_path / "ci").mkdir()
    baseline = Baseline.of(lint(str(model), SETTINGS).findings, tmp_path / "ci")
    assert {entry.file for entry in baseline.findings} == {"../m.tflite"}
    monkeypatch.chdir(tmp_path / "ci")
    run = make_run([lint("../m.tflite", SETTINGS)], baseline)
    assert (run.known, run.findings) == (len(baseline.findings), ())


@pytest.mark.parametrize(
    ("budget", "limit", "code"), [("max-size", 1.0, "TFS601"), ("min-zeros", 0.99, "TFS603")]
)
def test_a_budget_that_is_missed_by_more_than_was_accepted_fails(model, budget, limit, code):
    settings = Settings(enabled=frozenset({code}), budgets={budget: limit})
    (accepted,) = lint(str(model), settings).findings
    found = accepted.data["found"]
    better, worse = (0.5, 2) if budget.startswith("max-") else (2, 0.5)
    for factor, passes in ((1, True), (worse, True), (better, False)):
        entry = msgspec.structs.replace(accepted, data={**accepted.data, "found": found * factor})
        baseline = Baseline.of([entry])
        run = make_run([lint(str(model), settings)], baseline)
        assert bool(run.known) == passes
        assert (run.findings == ()) == passes
        assert run.fixed == ()
    assert run.findings[0].message.endswith(" in the baseline")


def test_budgets_of_one_rule_are_told_apart_when_one_of_them_is_kept(model):
    both = Settings(
        enabled=frozenset({"TFS603"}), budgets={"min-zeros": 0.99, "min-pointwise-zeros": 0.99}
    )
    baseline = Baseline.of(lint(str(model), both).findings)
    one = msgspec.structs.replace(both, budgets={"min-pointwise-zeros": 0.99})
    run = make_run([lint(str(model), one)], baseline)
    assert (run.known, run.findings, run.fixed) == (1, (), ())
    assert [entry.budget for entry in run.unchecked] == ["min-zeros"]


def test_what_is_ignored_now_is_not_called_fixed(model):
    baseline = Baseline.of(lint(str(model), SETTINGS).findings)
    run = make_run([lint(str(model), Settings(enabled=frozenset({"TFS408"})))], baseline)
    assert run.fixed == ()
    assert {entry.code for entry in run.unchecked} == {"TFS302"}


def test_a_baseline_of_names_without_folders_is_to_be_made_anew(tmp_path):
    path = tmp_path / "old.json"
    path.write_text('{"baseline_version": 1, "findings": []}')
    with pytest.raises(UsageError, match="version 1") as caught:
        Baseline.read(str(path))
    assert "--write-baseline" in caught.value.hint


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
        '{"baseline_version": 1, "findings": []}',
        '{"baseline_version": 2, "findings": [{"file": 1}]}',
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
