"""Each rule finds its fault, at its place, and finds none in the nearest good model."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.lint.cases import CASES
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.every_table import pack
from tests.support.peers.object_api import load
from tflite_sparse.errors import FileError, UsageError
from tflite_sparse.lint.engine import lint, lint_subject
from tflite_sparse.lint.finding import Severity
from tflite_sparse.lint.rule import Family, all_rules, find_rule, matching
from tflite_sparse.lint.settings import Settings
from tflite_sparse.lint.subject import Subject
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import encoding_of
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.xnnpack.explain.rules import RULES as RUNTIME_RULES
from tflite_sparse.xnnpack.explain.runtime_rule import Expected, Stage

OWN_TESTS = {"TFS605"}


def findings(data: bytes, code: str, **config):
    """What one rule finds in a model."""
    settings = Settings(enabled=frozenset({code}), **config)
    return lint_subject(Subject("model.tflite", settings, data))


@pytest.mark.parametrize("code", CASES)
def test_a_rule_finds_its_fault_at_its_place(code):
    case = CASES[code]
    found = findings(case.trigger(), code, **case.config)
    assert found
    assert {finding.code for finding in found} == {code}
    assert any(case.place in str(finding.spot or "") for finding in found)
    assert all("\n" not in finding.message for finding in found)


@pytest.mark.parametrize("code", CASES)
def test_a_rule_finds_nothing_in_the_near_miss(code):
    case = CASES[code]
    assert findings(case.near_miss(), code, **case.config) == []


def test_what_no_browser_runs_is_a_warning_where_browsers_are_the_only_target():
    trigger = CASES["TFS505"].trigger()
    severities = [
        findings(trigger, "TFS505", **settings)[0].severity
        for settings in (
            {},
            {"targets": ("wasm",)},
            {"targets": ("wasm", "arm64")},
            {"targets": ("wasm",), "severities": {"TFS505": Severity.ERROR}},
        )
    ]
    assert severities == [Severity.NOTE, Severity.WARNING, Severity.NOTE, Severity.ERROR]


def test_every_rule_has_a_trigger_and_a_near_miss():
    assert {rule.code for rule in all_rules()} == set(CASES) | OWN_TESTS


def test_every_rule_of_the_runtime_is_reported_or_says_why_not():
    codes = {rule.code for rule in all_rules()}
    for runtime_rule in RUNTIME_RULES.values():
        if isinstance(runtime_rule.lint, Expected):
            assert runtime_rule.lint.reason
            assert runtime_rule.stage in (Stage.DEFINE, Stage.FUSE)
        else:
            assert runtime_rule.lint in codes, runtime_rule.code


def test_what_goes_wrong_is_reported_as_such_and_every_such_rule_reports_something():
    reported = {entry.lint for entry in RUNTIME_RULES.values() if entry.stage is Stage.LAYOUT}
    assert {find_rule(code).family for code in reported} == {Family.SAFETY}
    for rule in all_rules():
        # What would go wrong if the weights were stored sparse is asked of the plan itself.
        # So is whether anything runs sparse at all, and in which kernels.
        asks = rule.name in {
            "sparse-would-break",
            "sparse-in-vain",
            "slow-block-kernels",
            "wrong-on-older-release",
        }
        if rule.family in (Family.SAFETY, Family.SPEED) and not asks:
            assert any(rule.reports(code) for code in RUNTIME_RULES), rule.code


def test_growth_is_measured_against_the_reference(tmp_path):
    before, after = CASES["TFS408"].near_miss(), CASES["TFS408"].trigger()
    (tmp_path / "model.tflite").write_bytes(before)
    for limit, wanted in ((0.01, 1), (10.0, 0)):
        settings = Settings(
            enabled=frozenset({"TFS605"}),
            budgets={"max-growth": limit},
            reference=str(tmp_path),
        )
        found = lint_subject(Subject("models/model.tflite", settings, after))
        assert len(found) == wanted
    settings = Settings(
        enabled=frozenset({"TFS605"}),
        budgets={"max-growth": 0.1},
        reference=str(tmp_path / "missing.tflite"),
    )
    with pytest.raises(FileError, match="reference"):
        lint_subject(Subject("model.tflite", settings, after))


def test_growth_is_measured_against_the_file_with_most_of_the_path(tmp_path):
    before, after = CASES["TFS408"].near_miss(), CASES["TFS408"].trigger()
    released = tmp_path / "released"
    (released / "leg").mkdir(parents=True)
    (released / "model.tflite").write_bytes(before)
    (released / "leg" / "model.tflite").write_bytes(after)
    settings = Settings(
        enabled=frozenset({"TFS605"}), budgets={"max-growth": 0.01}, reference=str(released)
    )
    grown = lint_subject(Subject("models/model.tflite", settings, after))
    assert [finding.data["limit"] for finding in grown] == [0.01]
    assert lint_subject(Subject("models/leg/model.tflite", settings, after)) == []
    (new,) = lint_subject(Subject("models/new.tflite", settings, after))
    assert (new.severity, new.data) == (Severity.NOTE, {})


def test_zeros_in_rows_that_are_stored_as_a_whole_are_no_fault():
    values = np.random.default_rng(0).normal(size=(24, 64)).astype(np.float32)
    values[:, ::2] = 0
    values[:3, 1::8] = 0
    builder = ModelBuilder()
    graph = builder.graph()
    graph.output(graph.fully_connected(graph.input((1, 64)), 24, filters=values))
    stored = sparsify(Model.read(builder.build())).model
    (tensor,) = (t for t in stored.main.tensors if t.sparsity is not None)
    encoding = encoding_of(tensor)
    assert not encoding.levels[-1].compressed
    assert not encoding.values.all()
    assert findings(stored.to_bytes(), "TFS103") == []


@pytest.mark.parametrize("code", ["TFS101", "TFS102"])
def test_all_rules_stand_a_weight_that_cannot_be_read(code):
    settings = Settings(enabled=frozenset(rule.code for rule in all_rules()))
    subject = Subject("model.tflite", settings, CASES[code].trigger())
    assert code in {finding.code for finding in lint_subject(subject)}


def test_a_sparse_operand_is_told_by_one_rule():
    settings = Settings(enabled=frozenset({"TFS107", "TFS205"}))
    codes = {
        code: [f.code for f in lint_subject(Subject("m", settings, CASES[code].trigger()))]
        for code in ("TFS107", "TFS205")
    }
    assert codes == {"TFS107": ["TFS107"], "TFS205": ["TFS205"]}


def test_what_cannot_be_made_sparse_is_not_made_sparse():
    settings = Settings(enabled=frozenset({"TFS401"}), min_saving=1)
    assert lint_subject(Subject("model.tflite", settings, CASES["TFS101"].trigger())) == []


def test_a_malformed_weight_does_not_hide_the_others():
    model = load(CASES["TFS101"].trigger())
    second = [t for t in model.subgraphs[0].tensors if t.sparsity is not None][1]
    data = np.array(model.buffers[second.buffer].data)
    data[:4] = 0
    model.buffers[second.buffer].data = data
    (found,) = findings(pack(model), "TFS103")
    assert "second/filter" in str(found.spot)


def test_a_file_that_is_no_model_is_a_report_with_an_error(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"no model at all")
    report = lint(str(path), Settings())
    assert report.findings == ()
    assert str(path) in report.error


def test_codes_and_names_are_unique_and_every_family_has_rules():
    rules = all_rules()
    assert len({rule.code for rule in rules}) == len({rule.name for rule in rules}) == len(rules)
    assert {rule.family for rule in rules} == set(Family)
    for rule in rules:
        assert rule.what.endswith(".")
        assert rule.why.endswith((".", ")"))
        assert rule.fix.endswith(".")


def test_rules_are_chosen_by_code_name_and_prefix():
    assert matching(["TFS101"]) == {"TFS101"}
    assert matching(["would-shrink"]) == {"TFS401"}
    assert matching(["tfs6"]) == matching(["6"]) == {r.code for r in all_rules() if "S6" in r.code}
    assert matching(["ALL"]) == {rule.code for rule in all_rules()}
    for wrong in ("TFS9", "nonsense", ""):
        with pytest.raises(UsageError):
            matching([wrong])


def test_a_rule_is_found_by_code_and_name_in_any_case():
    assert find_rule("tfs201") is find_rule("NCHW-read-as-nhwc")
    with pytest.raises(UsageError, match="no rule"):
        find_rule("TFS999")


def test_fingerprints_survive_renumbering_and_tell_places_apart():
    data = CASES["TFS302"].trigger()
    (first,) = findings(data, "TFS302")
    model = load(data)
    graph = model.subgraphs[0]
    # One more tensor in front moves every index.
    graph.tensors.insert(0, graph.tensors[-1])
    for operator in graph.operators:
        operator.inputs = [i + 1 if i >= 0 else i for i in operator.inputs]
        operator.outputs = [i + 1 for i in operator.outputs]
    graph.inputs = [i + 1 for i in graph.inputs]
    graph.outputs = [i + 1 for i in graph.outputs]
    (second,) = findings(pack(model), "TFS302")
    assert first.fingerprint == second.fingerprint
    prints = [f.fingerprint for f in findings(CASES["TFS104"].trigger(), "TFS104")]
    assert len(set(prints)) == len(prints)


def test_a_bias_that_claims_more_numbers_than_a_float_can_count_is_linted():
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.conv2d(graph.input((1, 16, 16, 32)), 32)
    bias = graph.table.operators[0].inputs[2]
    graph.table.tensors[bias].shape = np.array([2**31 - 1] * 40, np.int32)
    graph.output(graph.conv2d(x, 32, zeros=0.9))
    settings = Settings(enabled=frozenset(rule.code for rule in all_rules()))
    assert lint_subject(Subject("m.tflite", settings, builder.build()))


@pytest.mark.parametrize("code", [code for code in CASES if code != "TFS106"])
def test_no_rule_lets_a_name_write_to_the_terminal(code):
    model = load(CASES[code].trigger())
    for graph in model.subgraphs:
        for number, tensor in enumerate(graph.tensors):
            # Rules may be about names that are the same, or about none.
            own = "" if code == "TFS508" else str(number)
            if tensor.name:
                tensor.name = f"a\nb\x1b[31m{own}".encode()
    settings = Settings(enabled=frozenset(rule.code for rule in all_rules()))
    subject = Subject("model.tflite", settings, pack(model))
    found = lint_subject(subject)
    assert code in {finding.code for finding in found} or CASES[code].config
    assert all(finding.message.isprintable() for finding in found)
    # Nor do the reasons why weights stay dense.
    assert all((weight.cannot or "").isprintable() for weight in subject.inspection.weights)
