"""`lint`, `rules` and `rule` as a user runs them: exit codes, formats, files, fixes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from tests.support.command import call, validator
from tests.support.lint.cases import CASES
from tests.support.lint.models import good
from tests.support.peers.npm import SARIF_SCHEMA, npm_file
from tflite_sparse.lint.rule import all_rules
from tflite_sparse.model import Model
from tflite_sparse.report.lint.formats import REPORTERS

ROOT = Path(__file__).parents[3]


def lint(*arguments: object, cwd: Path, command: str = "lint") -> subprocess.CompletedProcess[str]:
    """What a command does in a folder: in this process, but for what starts others."""
    words = [command, *map(str, arguments)]
    if "--jobs" in words:
        return subprocess.run(
            [sys.executable, "-m", "tflite_sparse", *words],
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    with contextlib.chdir(cwd):
        done = call(*words, *(["--jobs", "1"] if command == "lint" else []))
    return subprocess.CompletedProcess(words, done.code, done.out, done.err)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a clean model, a broken one, and one that could be smaller."""
    (tmp_path / "clean.tflite").write_bytes(Model.read(good()).to_bytes())
    (tmp_path / "broken.tflite").write_bytes(CASES["TFS201"].trigger())
    (tmp_path / "large.tflite").write_bytes(CASES["TFS401"].trigger())
    return tmp_path


def test_exit_codes_say_clean_findings_and_errors(folder):
    assert lint("clean.tflite", cwd=folder).returncode == 0
    assert lint("broken.tflite", cwd=folder).returncode == 1
    assert lint("broken.tflite", "--ignore", "ALL", cwd=folder).returncode == 0
    missing = lint("missing.tflite", cwd=folder)
    assert missing.returncode == 2
    assert missing.stderr.count("\n") == 1
    assert "Traceback" not in missing.stderr
    assert lint("clean.tflite", "--select", "TFS9", cwd=folder).returncode == 2
    assert lint("clean.tflite", "--dry-run", cwd=folder).returncode == 2


def test_the_severity_that_fails_can_be_chosen(folder):
    assert lint("large.tflite", cwd=folder).returncode == 1
    assert lint("large.tflite", "--fail-on", "error", cwd=folder).returncode == 0
    assert lint("clean.tflite", "--fail-on", "note", cwd=folder).returncode == 1


def test_an_unreadable_file_does_not_hide_the_others(folder):
    (folder / "text.tflite").write_text("hello")
    result = lint(".", cwd=folder)
    assert result.returncode == 2
    assert "text file" in result.stderr
    assert "TFS201" in result.stdout


def test_text_says_file_place_severity_code_message_and_fix(folder):
    out = lint("broken.tflite", "--select", "TFS201", cwd=folder).stdout
    first = out.splitlines()[0]
    assert first.startswith("broken.tflite: CONV_2D #4 pointwise: error: TFS201 ")
    assert first.endswith("[nchw-read-as-nhwc]")
    assert "fix: " in out
    assert out.endswith("1 error in 1 file\n")


def test_statistics_count_by_rule(folder):
    out = lint(".", "--statistics", "--select", "TFS2,TFS4", cwd=folder).stdout
    assert "1  TFS201  nchw-read-as-nhwc" in out


def test_json_is_what_its_schema_says(folder):
    (folder / "text.tflite").write_text("hello")
    document = json.loads(lint(".", "--format", "json", cwd=folder).stdout)
    validator("lint").validate(document)
    assert {f["code"] for f in document["findings"]} >= {"TFS201", "TFS401"}
    assert any(entry["error"] for entry in document["files"])


def test_sarif_is_valid_by_the_published_schema(folder):
    log = json.loads(lint(".", "--format", "sarif", cwd=folder).stdout)
    # One of its patterns has a bracket that closes nothing, which not all dialects take for itself.
    text = npm_file(*SARIF_SCHEMA).decode("utf-8")
    published = json.loads(text.replace("{2}]?$", r"{2}\\]?$"))
    jsonschema_rs.Draft7Validator(published).validate(log)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    result = next(r for r in run["results"] if r["ruleId"] == "TFS201")
    assert rules[result["ruleIndex"]] == "TFS201"
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "broken.tflite"
    names = [place["fullyQualifiedName"] for place in location["logicalLocations"]]
    assert names == ["main", "main/CONV_2D pointwise"]
    assert len(result["partialFingerprints"]["tfliteSparse/v1"]) == 32
    assert "\nFix: Store the weights dense" in result["message"]["text"]
    assert result["message"]["text"].endswith("tflite-sparse densify broken.tflite --in-place")
    broken = dict(log, version="1.0")
    assert list(jsonschema_rs.Draft7Validator(published).iter_errors(broken))


def test_sarif_tells_all_findings_apart_by_what_code_scanning_looks_at(folder):
    shutil.copy(folder / "broken.tflite", folder / "again.tflite")
    log = json.loads(lint(".", "--format", "sarif", cwd=folder).stdout)
    prints = [
        r["partialFingerprints"]["primaryLocationLineHash"] for r in log["runs"][0]["results"]
    ]
    assert all(re.fullmatch("[0-9a-f]{16}:1", each) for each in prints)
    assert len(set(prints)) == len(prints)
    again = json.loads(lint(folder, "--format", "sarif", cwd=folder).stdout)
    assert [r["partialFingerprints"] for r in again["runs"][0]["results"]] == [
        r["partialFingerprints"] for r in log["runs"][0]["results"]
    ]


def test_sarif_has_a_place_for_each_finding_and_each_file_that_cannot_be_read(folder):
    (folder / "text.tflite").write_text("hello")
    log = json.loads(lint(folder, "missing.tflite", "--format", "sarif", cwd=folder).stdout)
    (run,) = log["runs"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    places = [e["locations"][0]["physicalLocation"] for e in [*run["results"], *notes]]
    # Code scanning shows nothing that has no line, and knows files by paths within the repository.
    assert all(place["region"] == {"startLine": 1} for place in places)
    uris = {place["artifactLocation"]["uri"] for place in places}
    assert uris == {f"{name}.tflite" for name in ("broken", "clean", "large", "missing", "text")}
    for rule in run["tool"]["driver"]["rules"]:
        assert max(len(rule[key]["text"]) for key in rule if key.endswith("Description")) <= 1024


def test_gitlab_has_an_entry_of_its_own_for_each_finding_and_unreadable_file(folder):
    (folder / "text.tflite").write_text("hello")
    shutil.copy(folder / "broken.tflite", folder / "again.tflite")
    text = lint(folder, "missing.tflite", "--format", "gitlab", cwd=folder).stdout
    entries = json.loads(text)
    wanted = {"description", "check_name", "fingerprint", "severity", "location"}
    assert all(set(entry) == wanted and all(entry.values()) for entry in entries)
    assert {e["severity"] for e in entries} <= {"info", "minor", "major", "critical", "blocker"}
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    unreadable = {e["location"]["path"] for e in entries if e["check_name"] == "unreadable"}
    assert unreadable == {"missing.tflite", "text.tflite"}
    broken = next(e for e in entries if e["check_name"] == "TFS201 nchw-read-as-nhwc")
    assert broken["severity"] == "critical"
    assert "Fix: " in broken["description"]
    assert broken["location"] == {"path": "again.tflite", "lines": {"begin": 1}}


def test_github_annotations_are_one_escaped_line_each(folder):
    odd = folder / "a,b.tflite"
    shutil.copy(folder / "broken.tflite", odd)
    lines = lint(odd.name, "--format", "github", "--select", "TFS201", cwd=folder).stdout
    (line,) = lines.splitlines()
    assert line.startswith("::error file=a%2Cb.tflite,title=TFS201 nchw-read-as-nhwc::CONV_2D #4")


def test_junit_counts_what_fails(folder):
    text = lint(".", "--format", "junit", "--fail-on", "error", cwd=folder).stdout
    root = ET.fromstring(text)  # noqa: S314 - our own output
    assert root.tag == "testsuites"
    suites = {suite.get("name"): suite for suite in root}
    assert suites["broken.tflite"].get("failures") == "1"
    assert suites["large.tflite"].get("failures") == "0"
    assert suites["large.tflite"].find("testcase/system-out") is not None
    assert "fix: " in suites["broken.tflite"].find("testcase/failure").text
    assert int(root.get("tests")) == sum(len(suite) for suite in root)
    assert int(root.get("failures")) == len(root.findall(".//failure"))


def test_a_file_name_with_control_characters_commands_no_terminal_and_breaks_no_xml(folder):
    name = "a\x1b[31m\nb.tflite"
    shutil.copy(folder / "broken.tflite", folder / name)
    for form in ("text", "markdown", "junit"):
        told = lint(name, "--format", form, cwd=folder).stdout
        assert "a\\x1b[31m\\x0ab.tflite" in told
        assert "\x1b" not in told
    ET.fromstring(told)  # noqa: S314 - our own output


def test_markdown_has_a_table_for_each_file_with_findings(folder):
    out = lint(".", "--format", "markdown", cwd=folder).stdout
    assert "## `broken.tflite`" in out
    assert "| error | TFS201 nchw-read-as-nhwc | CONV_2D #4 pointwise |" in out


def test_a_report_can_go_to_a_file(folder):
    result = lint("broken.tflite", "--format", "sarif", "--output-file", "out.sarif", cwd=folder)
    assert result.returncode == 1
    assert json.loads((folder / "out.sarif").read_text())["version"] == "2.1.0"
    # A log that says nothing but that a job has failed helps nobody.
    assert result.stdout == lint("broken.tflite", cwd=folder).stdout
    quiet = lint("broken.tflite", "--output-file", "out.txt", "-q", cwd=folder)
    assert quiet.stdout == ""
    assert (folder / "out.txt").read_text() == result.stdout


@pytest.mark.parametrize("form", sorted(REPORTERS))
def test_output_is_the_same_whatever_the_order_and_the_jobs(folder, form):
    names = ["large.tflite", "broken.tflite", "clean.tflite"]
    one = lint(*names, "--format", form, "--jobs", 1, cwd=folder).stdout
    two = lint(*names[::-1], "--format", form, "--jobs", 3, cwd=folder).stdout
    assert one == two
    assert one


def test_a_pattern_that_matches_no_model_is_told_where_all_of_them_were_looked_at(folder):
    (folder / "sub").mkdir()
    shutil.copy(folder / "clean.tflite", folder / "sub")
    (folder / "tflite-sparse.toml").write_text(
        '[[files]]\nmatch = ["sub/*", "old/*.tflite"]\nignore = ["TFS5"]\n'
    )
    told = lint(".", cwd=folder).stderr
    assert told.count("\n") == 1
    assert "tflite-sparse.toml: 'old/*.tflite' in 'match' matches none of the models" in told
    assert lint("sub", cwd=folder).stderr == ""
    assert lint("clean.tflite", cwd=folder).stderr == ""


def test_a_model_that_the_reference_lacks_passes_with_a_note(folder):
    (folder / "tflite-sparse.toml").write_text(
        'select = ["TFS6"]\nreference = "released"\nbudgets = { max-growth = "1%" }\n'
    )
    (folder / "released").mkdir()
    shutil.copy(folder / "clean.tflite", folder / "released" / "large.tflite")
    done = lint("clean.tflite", "large.tflite", cwd=folder)
    assert "clean.tflite: note: TFS605 a new model" in done.stdout
    assert "large.tflite: error: TFS605" in done.stdout
    assert "released/large.tflite large.tflite" in done.stdout
    assert done.returncode == 1
    assert lint("clean.tflite", cwd=folder).returncode == 0


def test_the_configuration_beside_the_models_is_used_and_shown(folder):
    (folder / "tflite-sparse.toml").write_text(
        'select = ["TFS6"]\n[budgets]\nmax-size = "1 KiB"\n[severity]\nTFS601 = "error"\n'
    )
    out = lint("clean.tflite", cwd=folder).stdout
    assert "TFS601" in out
    assert lint("clean.tflite", "--isolated", cwd=folder).returncode == 0
    shown = json.loads(lint("clean.tflite", "--show-config", cwd=folder).stdout)
    validator("settings").validate(shown)
    assert shown["files"]["clean.tflite"]["budgets"] == {"max-size": 1024.0}
    assert shown["files"]["clean.tflite"]["severity"] == {"TFS601": "error"}
    (folder / "tflite-sparse.toml").write_text("selekt = []")
    wrong = lint("clean.tflite", cwd=folder)
    assert wrong.returncode == 2
    assert "unknown key 'selekt'" in wrong.stderr


def test_a_budget_on_the_command_line(folder):
    out = lint("clean.tflite", "--budget", "max-size=1KiB", "--select", "size-budget", cwd=folder)
    assert out.returncode == 1
    assert lint("clean.tflite", "--budget", "max-mass=1", cwd=folder).returncode == 2


def test_a_baseline_lets_old_findings_pass_and_tells_of_fixed_ones(folder):
    assert lint(".", "--write-baseline", "known.json", cwd=folder).returncode == 0
    again = lint(".", "--baseline", "known.json", cwd=folder)
    assert again.returncode == 0
    assert "known from the baseline" in again.stdout
    shutil.copy(folder / "clean.tflite", folder / "broken.tflite")
    after = lint(".", "--baseline", "known.json", cwd=folder)
    assert "broken.tflite: fixed: TFS201" in after.stdout


def test_a_baseline_that_the_configuration_names_can_be_made_and_made_anew(folder):
    (folder / "tflite-sparse.toml").write_text('baseline = "known.json"\n')
    first = lint(".", "--write-baseline", "known.json", cwd=folder)
    assert (first.returncode, first.stderr) == (0, "")
    content = (folder / "known.json").read_text()
    assert json.loads(content)["findings"]
    assert lint(".", cwd=folder).returncode == 0
    assert lint(".", "--write-baseline", "known.json", cwd=folder).returncode == 0
    assert (folder / "known.json").read_text() == content


def test_a_baseline_written_anew_over_fewer_models_says_what_it_dropped(folder):
    first = lint(".", "--write-baseline", "known.json", cwd=folder)
    assert "dropped" not in first.stdout + first.stderr
    old = json.loads((folder / "known.json").read_text())["findings"]
    kept = sum(entry["file"] == "broken.tflite" for entry in old)
    assert 0 < kept < len(old)
    fewer = lint("broken.tflite", "--write-baseline", "known.json", cwd=folder)
    assert f"; {len(old) - kept} of the old baseline dropped, 0 new" in fewer.stdout + fewer.stderr
    more = lint(".", "--write-baseline", "known.json", cwd=folder)
    assert f"; 0 of the old baseline dropped, {len(old) - kept} new" in more.stdout + more.stderr


def test_a_finding_of_which_the_rule_was_left_out_is_no_longer_reported(folder):
    lint("broken.tflite", "--write-baseline", "known.json", cwd=folder)
    out = lint("broken.tflite", "--baseline", "known.json", "--ignore", "TFS201", cwd=folder).stdout
    assert "broken.tflite: no longer reported: TFS201" in out
    assert ": fixed: " not in out


def test_fix_tells_first_then_does_and_lints_again(folder):
    before = (folder / "large.tflite").read_bytes()
    told = lint("large.tflite", "--fix", "--dry-run", cwd=folder)
    assert told.returncode == 0
    assert "would have stored 2 weights sparse" in told.stdout
    assert (folder / "large.tflite").read_bytes() == before
    done = lint("large.tflite", "--fix", cwd=folder)
    assert "stored 2 weights sparse" in done.stdout
    assert "TFS401" not in done.stdout
    assert len((folder / "large.tflite").read_bytes()) < len(before)


def test_the_pages_of_the_rules_are_those_that_the_objects_make(tmp_path):
    result = lint("--markdown", tmp_path / "rules", cwd=tmp_path, command="rules")
    assert result.returncode == 0
    made = {path.name: path.read_text("utf-8") for path in (tmp_path / "rules").iterdir()}
    checked_in = ROOT / "docs" / "rules"
    assert made == {path.name: path.read_text("utf-8") for path in checked_in.iterdir()}
    assert set(made) == {f"{rule.code}.md" for rule in all_rules()} | {"README.md"}


def test_rules_are_listed_and_explained(tmp_path):
    out = lint(cwd=tmp_path, command="rules").stdout
    assert all(rule.code in out and rule.name in out for rule in all_rules())
    listed = json.loads(lint("--json", cwd=tmp_path, command="rules").stdout)
    assert [rule["code"] for rule in listed["rules"]] == [rule.code for rule in all_rules()]
    text = lint("TFS201", cwd=tmp_path, command="rule").stdout
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "What: " in text
    one = json.loads(lint("would-shrink", "--json", cwd=tmp_path, command="rule").stdout)
    assert one["code"] == "TFS401"
    unknown = lint("TFS999", cwd=tmp_path, command="rule")
    assert unknown.returncode == 2
    assert "no rule" in unknown.stderr
