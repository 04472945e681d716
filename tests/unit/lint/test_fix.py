"""What --fix does is safe: the result computes the same and is clean of what was fixed."""

from __future__ import annotations

import pytest

from tests.support.lint.cases import CASES
from tests.support.lint.models import encoded, good
from tests.support.peers.object_api import differences, load
from tflite_sparse.lint.fix import TURNS, fix
from tflite_sparse.lint.rule import all_rules
from tflite_sparse.lint.settings import Settings

ENABLED = Settings(enabled=frozenset(rule.code for rule in all_rules()))
FIXABLE = [rule.code for rule in all_rules() if rule.fixable]


def test_every_fixer_that_a_rule_names_has_its_turn_and_every_turn_its_rules():
    order = [fixer for turn in TURNS for fixer in turn]
    assert len(set(order)) == len(order) == len({fixer.name for fixer in order})
    assert {fixer for rule in all_rules() for fixer in rule.fixers} == set(order)
    for rule in all_rules():
        # Read as the order in which they are tried.
        assert list(rule.fixers) == sorted(rule.fixers, key=order.index)


@pytest.mark.parametrize("code", FIXABLE)
def test_a_fixable_finding_is_gone_after_the_fix_and_no_error_is_new(code, tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(CASES[code].trigger())
    report = fix(str(path), ENABLED)
    assert report.error is None
    assert report.steps
    assert report.content is not None
    assert path.read_bytes() == CASES[code].trigger()
    assert code not in {finding.code for finding in report.remaining}


def test_weights_that_would_win_no_time_stored_sparse_alone_are_left_to_optimize(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(encoded(0.8, "dense", 64))
    report = fix(str(path), ENABLED)
    assert not any("sparse" in step for step in report.steps)
    assert "TFS401" in {finding.code for finding in report.remaining}
    assert "TFS313" not in {finding.code for finding in report.remaining}


@pytest.mark.parametrize("code", ["TFS201", "TFS206"])
def test_a_model_that_fails_is_made_dense_and_stays_so(code, tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(CASES[code].trigger())
    report = fix(str(path), ENABLED)
    operators = {code.builtinCode for code in load(report.content).operatorCodes}
    assert 124 not in operators
    assert not any(finding.code.startswith("TFS20") for finding in report.remaining)


def test_a_model_with_a_head_that_goes_wrong_is_mended_and_stays_sparse(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(CASES["TFS202"].trigger())
    report = fix(str(path), ENABLED)
    assert "end the sparse layout, because of TFS202" in report.steps[0]
    operators = {code.builtinCode for code in load(report.content).operatorCodes}
    assert 124 in operators
    assert not any(finding.code.startswith("TFS2") for finding in report.remaining)


def test_a_clean_model_is_left_alone(tmp_path):
    from tflite_sparse.model import Model

    path = tmp_path / "m.tflite"
    path.write_bytes(Model.read(good()).to_bytes())
    report = fix(str(path), ENABLED)
    assert report.content is None
    assert report.steps == ()


def test_shared_buffers_hold_the_same_bytes_and_the_spare_ones_none(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(CASES["TFS405"].trigger())
    settings = Settings(enabled=frozenset({"TFS405"}))
    after = load(fix(str(path), settings).content)
    one, two = (
        next(t for t in after.subgraphs[0].tensors if t.name == name)
        for name in (b"one/filter", b"two/filter")
    )
    assert one.buffer == two.buffer
    before = load(CASES["TFS405"].trigger())
    for subgraph in (before, after):
        for tensor in subgraph.subgraphs[0].tensors:
            tensor.buffer = subgraph.buffers[tensor.buffer].data
    assert differences(before.subgraphs, after.subgraphs) == []


def test_a_file_that_cannot_be_read_is_reported(tmp_path):
    report = fix(str(tmp_path / "missing.tflite"), ENABLED)
    assert "no such file" in report.error
