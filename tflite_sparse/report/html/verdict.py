"""The top of a model: what becomes of it, in sentences and in numbers, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.inspection.next_step import next_step
from tflite_sparse.report.html.markup import Markup, el, svg_number
from tflite_sparse.report.verdict import verdicts
from tflite_sparse.words.numbers import count_of, millions, percent, size
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.dispositions import View
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.report.html.subject import PageModel
    from tflite_sparse.report.verdict import VerdictWords

__all__ = ["OUTCOMES", "verdict_section"]

OUTCOMES = {
    Outcome.SPARSE: ("✓", "good"),
    Outcome.DENSE: ("\u2013", "plain"),
    Outcome.WRONG_NUMBERS: ("!", "bad"),
    Outcome.LOAD_FAILURE: ("!", "bad"),
    Outcome.PROCESS_ABORT: ("!", "bad"),
}
"""Sign and colour of each outcome."""

_FEW = 8


def verdict_section(model: PageModel, number: int) -> Markup:
    """The verdict per target, the numbers behind it, and the next step."""
    inspection = model.inspection
    step = next_step(inspection)
    head = f"m{number}-verdict"
    told = [_verdict(words) for words in verdicts(inspection.runtime)]
    told += [
        el(
            "li",
            el("span", "!", class_="sign bad", aria_hidden="true"),
            el("p", el("strong", "Damaged", class_="bad"), f": {problem.place}: {problem.message}"),
        )
        for problem in inspection.problems
    ]
    if not told:
        told.append(el("li", el("p", "There is nothing in it that could run sparse.")))
    command = None
    if step.command is not None:
        command = el(
            "div",
            el("code", step.command, tabindex=0),
            el("button", "Copy", type="button", class_="copy"),
            class_="command",
        )
    return el(
        "section",
        el(
            "div",
            el(
                "div",
                el("h3", "What the runtime does with it", id=head),
                el("ul", told, class_="verdicts"),
                class_="said",
            ),
            el(
                "div",
                el("p", "Next", class_="eyebrow"),
                el("h3", step.title),
                el("p", step.why),
                command,
                class_="next",
            ),
            class_="hero",
        ),
        el("dl", list(_tiles(model)), class_="tiles"),
        class_="card",
        aria_labelledby=f"m{number}-title {head}",
    )


def _verdict(words: VerdictWords) -> Markup:
    sign, colour = OUTCOMES[words.outcome]
    points = None
    if words.points:
        listed = el("ul", [el("li", point) for point in words.points])
        # What goes wrong is shown at once; what is in the way, when it is asked for.
        if colour == "bad":
            points = listed
        else:
            title = f"{count_of(len(words.points), 'thing')} in the way, from the input on"
            points = el("details", el("summary", title), listed)
    return el(
        "li",
        el("span", sign, class_=f"sign {colour}", aria_hidden="true"),
        el("div", el("p", el("strong", words.headline, class_=colour), words.text), points),
    )


def _tiles(model: PageModel) -> Iterator[Markup]:
    inspection = model.inspection
    totals = inspection.totals
    if model.seen:
        view = model.seen[0].view
        yield _tile(
            "multiply-adds run sparse",
            percent(view.sparse_macs, view.macs),
            f"of {millions(view.macs)}, on {view.targets[0].name}",
            _work_bar(view),
        )
    gains = [t.estimate for seen in model.seen for t in seen.view.targets if t.estimate]
    if gains and gains[0].gain > 1:
        yield _tile("estimated gain", f"{gains[0].gain:.1f} times", "as fast as dense, on wasm")
    yield _tile(
        "zeros in 1x1 filters" if totals.pointwise_weights else "zeros in all weights",
        percent(totals.pointwise_zeros, totals.pointwise_weights)
        if totals.pointwise_weights
        else percent(totals.zeros, totals.weights),
        "more than two thirds are needed" if totals.pointwise_weights else "",
    )
    yield _tile("file", size(totals.bytes_now), " · ".join(_sizes(inspection)) or "as it is")
    if totals.gzip_now is not None:
        then = totals.gzip_sparse
        more = f"{size(then)} if sparse" if then is not None and then != totals.gzip_now else ""
        yield _tile("after gzip", size(totals.gzip_now), more)


def _sizes(inspection: Inspection) -> Iterator[str]:
    totals = inspection.totals
    if totals.bytes_dense != totals.bytes_now:
        yield f"{size(totals.bytes_dense)} if dense"
    if totals.bytes_sparse != totals.bytes_now:
        yield f"{size(totals.bytes_sparse)} if sparse"


def _tile(name: str, value: str, note: str, picture: Markup | None = None) -> Markup:
    return el(
        "div",
        el("dt", name),
        el("dd", el("b", value), el("small", note) if note else None, picture),
    )


def _work_bar(view: View) -> Markup:
    """The share of the multiply-adds that run sparse, as a bar."""
    share = view.sparse_macs / view.macs if view.macs else 0.0
    return el(
        "svg",
        el("rect", width=100, height=6, class_="track"),
        el("rect", width=svg_number(100 * share), height=6, class_="f-sparse"),
        viewBox="0 0 100 6",
        preserveAspectRatio="none",
        class_="share",
        aria_hidden="true",
    )
