"""The table is what the plan says today, and its rows hold what adapting promises."""

from __future__ import annotations

import json

import pytest

from tests.end_to_end.adapted import converted
from tests.end_to_end.adapted.proof import ROUNDING, adapted, facts, sparse_as_it_is
from tests.end_to_end.adapted.subjects import SUBJECTS
from tests.end_to_end.adapted.table import MARKDOWN, README, gain, markdown, read, with_gains

ROWS = read()["models"]
SLOWEST = 0.97
# What no stock runtime runs, neither before nor after.
UNRUN = {"face_landmark_with_attention": "unresolved custom op"}


def test_every_model_has_a_row():
    assert list(ROWS) == list(SUBJECTS)


def test_the_page_is_made_from_the_record():
    assert MARKDOWN.read_text("utf-8") == markdown(read())


def test_the_times_of_the_readme_are_those_of_the_record():
    text = README.read_text("utf-8")
    assert with_gains(text, read()) == text, "run: python -m tests.end_to_end.adapted.table"


def test_the_page_of_converted_nets_is_made_from_their_record():
    text = converted.PAGE.read_text("utf-8")
    assert converted.page(text) == text


def test_no_converted_net_became_wrong_or_slower_as_predicted_and_as_measured():
    for name, row in json.loads(converted.JSON.read_text("utf-8")).items():
        assert {outcome["after"] for outcome in row["outcome"].values()} <= {"sparse", "dense"}
        assert row["gain"] > SLOWEST, name
        assert row.get("web_ms", row)["gain"] > SLOWEST, name
        assert row.get("executed_as_planned", True), name
        for difference in row.get("difference", {}).values():
            assert difference < max(ROUNDING, row.get("noise", 0.0)), name


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_plan_still_says_what_was_recorded(name):
    dense = SUBJECTS[name].dense()
    made, why = adapted(dense)
    found = facts(dense, sparse_as_it_is(dense), made)
    SUBJECTS[name].dense.cache_clear()
    assert {key: ROWS[name][key] for key in found} == found
    assert ROWS[name]["why"] == why


@pytest.mark.parametrize("name", SUBJECTS)
def test_no_model_is_planned_to_fail(name):
    outcomes = ROWS[name]["outcome"]
    assert outcomes
    assert {outcome["after"] for outcome in outcomes.values()} <= {"sparse", "dense"}


@pytest.mark.parametrize("name", [name for name in SUBJECTS if name not in UNRUN])
def test_no_model_became_wrong_or_slower(name):
    row = ROWS[name]
    assert "failure" not in row
    assert row["executed_as_planned"]
    # A net that a unit in the last place of its weights moves further is held against that.
    bound = max(ROUNDING, row.get("noise", 0.0))
    assert row["difference"]["dense"] < bound
    assert row["difference"]["sparse"] < bound
    assert gain(row) > SLOWEST


@pytest.mark.parametrize("name", UNRUN)
def test_what_could_not_be_run_says_why(name):
    assert UNRUN[name] in ROWS[name]["failure"]
    assert "difference" not in ROWS[name]
