"""An inspection says where releases that are still in use do worse than the newest."""

from __future__ import annotations

import pytest

from tests.runtime_model.cases import CASES
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model
from tflite_sparse.report.verdict import older_verdicts
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.runtimes import runtime
from tflite_sparse.xnnpack.releases.targets import target

BOUND = "elementwise.minimum_with_a_scalar_in_front"


def looked(case: str, *targets: str, releases: list[str] | None = None):
    chosen = None if releases is None else [runtime(name) for name in releases]
    return inspect(
        Model.read(CASES[case].build()),
        targets=[target(name) for name in targets] or None,
        releases=chosen,
    )


def test_a_minimum_with_a_scalar_is_told_to_be_wrong_before_2_1_and_by_which_operator():
    (older,) = looked(BOUND, "arm64").older
    assert (older.outcome, older.runtimes) == (Outcome.WRONG_NUMBERS, ("LiteRT 2.0",))
    assert older.targets == ("arm64@litert-2.0",)
    assert "MINIMUM" in older.cause
    (words,) = older_verdicts([older])
    assert f"{words.headline}{words.text}".startswith(
        f"Computes wrong numbers on LiteRT 2.0: {older.cause}"
    )


def test_a_limit_of_an_activation_is_right_everywhere_and_nothing_is_told():
    assert looked("elementwise.relu", "arm64").older == ()


def test_a_product_with_itself_is_told_to_be_dense_on_the_release_that_keeps_it_so():
    (older,) = looked("elementwise.product_with_itself", "arm64").older
    assert (older.outcome, older.runtimes, older.message) == (Outcome.DENSE, ("LiteRT 2.0",), "")


def test_targets_that_fail_alike_share_a_line():
    (older,) = looked(BOUND, "arm64", "armv7").older
    assert older.targets == ("arm64@litert-2.0", "armv7@litert-2.0")


def test_who_asks_for_a_release_hears_of_that_alone():
    assert looked(BOUND, "arm64@litert-2.1").older == ()


def test_what_is_wrong_on_the_newest_is_not_told_again():
    assert looked("elementwise.prelu", "arm64").runtime[0].outcome is Outcome.WRONG_NUMBERS
    assert looked("elementwise.prelu", "arm64").older == ()


@pytest.mark.parametrize("releases", [[], ["litert-2.1"], ["litert-2.3"]])
def test_no_release_that_is_right_is_told(releases):
    assert looked(BOUND, "arm64", releases=releases).older == ()
