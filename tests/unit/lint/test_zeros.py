"""Findings about zeros agree with what `inspect` says and with what `optimize` does."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.lint.cases import CASES
from tests.support.nets.small_nets import build as made
from tests.support.nets.small_nets import head
from tests.support.nets.weights import with_zeros
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.lint.engine import lint_subject
from tflite_sparse.lint.rule import all_rules
from tflite_sparse.lint.settings import MOBILE, Settings
from tflite_sparse.lint.subject import Subject
from tflite_sparse.model import Model
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.lint.finding import Finding

EVERY = Settings(enabled=frozenset(rule.code for rule in all_rules()))
OBSTACLES = {f"TFS30{number}" for number in range(1, 8)}
NETS = list(itertools.product((0.55, 0.6, 0.66, 0.7, 0.8), ("PAD", "SAME"), ("dense", "sparse")))


def net(zeros: float, stem: str, storage: str) -> bytes:
    def build(g: GraphBuilder) -> Value:
        x = g.input((1, 128, 128, 3))
        if stem == "PAD":
            x = g.conv2d(g.pad_spatial(x), 32, 3, 2, "VALID", name="stem")
        else:
            x = g.conv2d(x, 32, 3, 2, "SAME", name="stem")
        for number in range(3):
            x = g.depthwise(x)
            x = g.conv2d(x, 64, zeros=zeros, storage=storage, name=f"point{number}")
        return head(g, x)

    return made(build)


def lint(data: bytes) -> list[Finding]:
    return lint_subject(Subject("model.tflite", EVERY, data))


@pytest.mark.parametrize(("zeros", "stem", "storage"), NETS)
def test_zeros_are_enough_or_too_few_for_all_who_speak_of_them(
    zeros: float, stem: str, storage: str
) -> None:
    data = net(zeros, stem, storage)
    findings = lint(data)
    codes = {finding.code for finding in findings}
    targets = [target(name) for name in MOBILE]
    groups = inspect(Model.read(data), targets=targets, gzip=False).runtime
    short = any(change.rule == "profit-zeros" for group in groups for change in group.changes)
    assert short == (zeros < 2 / 3)
    assert ("TFS308" in codes) == short
    assert ("TFS309" in codes) == (storage == "dense" and not short)
    assert ("TFS301" in codes) == (stem == "SAME")
    dense = all(group.outcome is Outcome.DENSE for group in groups)
    assert ("TFS313" in codes) == (storage == "sparse" and dense)


@pytest.mark.parametrize(("zeros", "stem", "storage"), NETS)
def test_optimize_is_advised_where_it_changes_the_graph(
    zeros: float, stem: str, storage: str
) -> None:
    data = net(zeros, stem, storage)
    obstacles = [finding for finding in lint(data) if finding.code in OBSTACLES]
    adaptation = optimize(Model.read(data)).adaptation
    assert adaptation is not None
    for finding in obstacles:
        assert ("Prune further first" in finding.fix) != adaptation.done


@pytest.mark.parametrize("zeros", [0.2, 0.8])
def test_filters_that_are_computed_from_constants_are_named(zeros: float) -> None:
    def build(g: GraphBuilder) -> Value:
        x = g.conv2d(g.pad_spatial(g.input((1, 32, 32, 3))), 32, 3, 2, "VALID")
        ones = np.ones((1, 1, 32, 512), np.float32)
        stored = g.constant(with_zeros(g.rng, ones, zeros))
        return head(g, g.conv2d(x, 512, filters=g.transpose(stored, (3, 0, 1, 2))))

    findings = [f for f in lint(made(build)) if f.code == "TFS311"]
    assert bool(findings) == (zeros > 2 / 3)
    assert all(f.command == "tflite-sparse optimize model.tflite --in-place" for f in findings)


def test_no_command_is_named_for_an_operator_that_optimize_leaves_in_the_way() -> None:
    findings = [f for f in lint(CASES["TFS311"].trigger()) if f.code == "TFS311"]
    assert findings
    assert all("Replace the operator" in f.fix and not f.command for f in findings)


@pytest.mark.parametrize("stem", ["PAD", "SAME"])
@pytest.mark.parametrize("zeros", [0.5, 0.8])
def test_who_advises_to_store_weights_says_so_where_that_is_in_vain(
    zeros: float, stem: str
) -> None:
    data = net(zeros, stem, "dense")
    (advice,) = [finding for finding in lint(data) if finding.code == "TFS401"]
    stored = sparsify(Model.read(data)).model.to_bytes()
    in_vain = "TFS313" in {finding.code for finding in lint(stored)}
    assert in_vain == (zeros < 2 / 3 or stem == "SAME")
    assert ("wins no time" in advice.message) == in_vain
    assert ("optimize" in advice.fix) == in_vain
