"""The section with the picture of a graph: for which targets, the strip, the list, the details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.html.dispositions import FATES, mark
from tflite_sparse.report.html.markup import Markup, el
from tflite_sparse.report.html.operators import operator_list
from tflite_sparse.report.html.strip import strip
from tflite_sparse.words.numbers import count_of, listing

if TYPE_CHECKING:
    from tflite_sparse.report.html.subject import PageModel, Seen

__all__ = ["graph_section"]


def graph_section(model: PageModel, number: int) -> Markup:
    """The section with the graph of a model.

    Args:
        model: the model.
        number: its position on the page.
    """
    seen = model.seen[0]
    hidden = sum(op.unpacks for op in model.operators)
    head = f"m{number}"
    return el(
        "section",
        el("h3", "The graph", id=f"{head}-graph"),
        _choice(model, number),
        el("div", strip(model, seen), class_="strip-frame", data_strip=number),
        _legend(model, seen),
        el(
            "div",
            el(
                "label",
                el("span", "Find an operator"),
                el("input", type="search", class_="find", placeholder="kind, name or number"),
            ),
            el(
                "button",
                "Next blocker",
                type="button",
                class_="next-blocker",
                disabled=not seen.blockers,
            ),
            el(
                "label",
                el("input", type="checkbox", class_="unpacking"),
                f"show {count_of(hidden, 'operator')} that only"
                f" {'unpacks' if hidden == 1 else 'unpack'} weights",
                class_="check",
            )
            if hidden
            else None,
            el("span", class_="count", role="status"),
            class_="tools",
        ),
        el(
            "div",
            el("div", operator_list(model, seen, number), class_="list"),
            el(
                "aside",
                el("p", "Point at an operator, or choose one, to see it here.", class_="faint"),
                class_="detail",
                aria_live="polite",
                aria_label=f"The chosen operator of {model.name}",
            ),
            class_="graph",
        ),
        class_="card graph-card",
        aria_labelledby=f"{head}-title {head}-graph",
        data_graph=number,
    )


def _choice(model: PageModel, number: int) -> Markup | None:
    """Which targets the picture is for."""
    if len(model.seen) < 2:  # noqa: PLR2004 - nothing to choose
        names = listing([target.name for target in model.seen[0].view.targets])
        return el("p", f"As it runs on {names}.", class_="faint")
    options = [
        el(
            "label",
            el("input", type="radio", name=f"view{number}", value=place, checked=place == 0),
            el("span", ", ".join(target.name for target in seen.view.targets)),
        )
        for place, seen in enumerate(model.seen)
    ]
    return el("fieldset", el("legend", "As it runs on"), options, class_="choice")


def _legend(model: PageModel, seen: Seen) -> Markup:
    items = [
        el(
            "button",
            mark(kind),
            el("span", words, class_="word"),
            el("b", str(seen.count(kind)), class_="n"),
            type="button",
            aria_pressed="false",
            title=meaning,
            data_fate=kind.value,
        )
        for kind, (words, meaning) in FATES.items()
        if any(other.count(kind) for other in model.seen)
    ]
    items.append(
        el(
            "button",
            el("span", "✕", class_="cross", aria_hidden="true"),
            el("span", "stands in the way", class_="word"),
            el("b", str(len(seen.blockers)), class_="n"),
            type="button",
            aria_pressed="false",
            title="has no form for the sparse layout, between operators that have one",
            data_fate="blocker",
        )
    )
    return el("div", items, class_="legend", role="group", aria_label="Show only these fates")
