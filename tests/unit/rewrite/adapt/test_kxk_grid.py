"""The table of measured forms of KxK convolutions is that of what was measured last."""

from __future__ import annotations

import json

from benchmarks.kxk import BEGIN, END, PAGE, TIMES, table


def test_the_page_shows_what_was_measured_and_no_form_taken_is_much_slower() -> None:
    text, wrong = table(json.loads(TIMES.read_text("utf-8")))
    shown = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown.strip() == text
    assert wrong == []
