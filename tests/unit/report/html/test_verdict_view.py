"""What the page says of a model at its top, and of two side by side."""

from __future__ import annotations

from tests.runtime_model.cases import CASES
from tests.support.nets.small_nets import build
from tests.unit.report.html.test_subject import blocked, sparse
from tflite_sparse.inspection.survey import survey
from tflite_sparse.model import Model
from tflite_sparse.report.html.subject import PageModel
from tflite_sparse.report.html.views.compare import compare_view
from tflite_sparse.report.html.views.verdict import verdict_view


def page_model(name: str, data: bytes) -> PageModel:
    return PageModel(name, survey(Model.read(data), gzip=False))


def test_a_release_that_computes_wrong_numbers_is_told_as_inspect_tells_it() -> None:
    case = CASES["elementwise.minimum_with_a_scalar_in_front"].build()
    last = verdict_view(page_model("m", case)).sentences[-1]
    assert last.headline == "Computes wrong numbers"
    assert last.text.startswith(" on LiteRT 2.0: ")
    assert "MINIMUM" in last.text


def test_a_model_that_is_right_everywhere_has_no_word_of_older_releases() -> None:
    case = CASES["elementwise.relu"].build()
    assert not any(" on LiteRT" in s.text for s in verdict_view(page_model("m", case)).sentences)


def test_models_side_by_side_are_timed_against_the_first_and_not_against_their_own_graphs() -> None:
    one, two = page_model("one", build(blocked)), page_model("two", build(sparse))
    rows = dict(compare_view([one, two]).rows)
    times = [
        next(t.estimate.planned_ms for s in m.seen for t in s.view.targets if t.estimate)
        for m in (one, two)
    ]
    assert rows["estimated time"] == (
        f"{times[0]:.3g} ms on wasm",
        f"{times[1]:.3g} ms on wasm, {times[0] / times[1]:.2f} times as fast as one",
    )
