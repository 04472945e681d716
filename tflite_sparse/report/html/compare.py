"""Several models side by side: numbers, pictures, and what changed from the first to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.html.markup import Markup, el
from tflite_sparse.report.html.sizes import stacked_bars
from tflite_sparse.report.html.strip import strip
from tflite_sparse.report.html.verdict import OUTCOMES
from tflite_sparse.report.names import common_prefix
from tflite_sparse.report.verdict import verdicts
from tflite_sparse.words.numbers import kib, millions, percent, size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.comparison.diff_types import BlobDiff, ModelDiff, Side, WeightDiff
    from tflite_sparse.report.html.subject import PageModel

__all__ = ["changes_section", "compare_section"]

_MOST_WEIGHTS = 40
_MOST_WORDS = 20


def compare_section(models: Sequence[PageModel]) -> Markup:
    """Models side by side.

    Args:
        models: the models.
    """
    rows: list[tuple[str, Callable[[PageModel], str | Markup]]] = [
        ("what the runtime does", _verdicts),
        ("multiply-adds that run sparse", _work),
        ("1x1 convolutions that run sparse", _pointwise),
        ("zeros in 1x1 filters", _zeros),
        ("file", lambda model: size(model.inspection.totals.bytes_now)),
        ("file, if dense", lambda model: size(model.inspection.totals.bytes_dense)),
        ("file, if sparse", lambda model: size(model.inspection.totals.bytes_sparse)),
        ("after gzip", _gzip),
        ("weights stored sparse", _stored),
    ]
    table = el(
        "table",
        el(
            "thead",
            el(
                "tr",
                el("td", ""),
                [
                    el("th", el("a", model.name, href=f"#m{number}"), scope="col")
                    for number, model in enumerate(models)
                ],
            ),
        ),
        el(
            "tbody",
            [
                el("tr", el("th", title, scope="row"), [el("td", cell(model)) for model in models])
                for title, cell in rows
            ],
        ),
        class_="compare",
    )
    pictures = [
        el(
            "figure",
            el("figcaption", model.name),
            strip(model, model.seen[0]) if model.seen else el("p", "damaged", class_="bad"),
        )
        for model in models
    ]
    bars = [
        (model.name, [(part.kind, part.now) for part in model.survey.parts]) for model in models
    ]
    return el(
        "section",
        el("h2", "Side by side", id="compare"),
        el(
            "div",
            table,
            class_="scroll",
            role="region",
            tabindex=0,
            aria_label="Table of the models",
        ),
        el("h3", "The graphs"),
        el("div", pictures, class_="strips"),
        el("h3", "The files"),
        stacked_bars(bars, wide=True),
        class_="card",
        aria_labelledby="compare",
    )


def _verdicts(model: PageModel) -> Markup:
    return el(
        "ul",
        [
            el(
                "li",
                el("strong", words.headline, class_=OUTCOMES[words.outcome][1]),
                words.text.split(";", 1)[0].split(":", 1)[0].rstrip("."),
            )
            for words in verdicts(model.inspection.runtime)
            if not words.off_by_design
        ],
        class_="plain-list",
    )


def _work(model: PageModel) -> str:
    if not model.seen:
        return "?"
    view = model.seen[0].view
    return f"{percent(view.sparse_macs, view.macs)} of {millions(view.macs)}"


def _pointwise(model: PageModel) -> str:
    groups = model.seen[0].view.groups if model.seen else ()
    sparse = sum(group.sparse_pointwise for group in groups)
    return f"{sparse} of {sum(group.pointwise for group in groups)}"


def _zeros(model: PageModel) -> str:
    totals = model.inspection.totals
    if not totals.pointwise_weights:
        return "it has none"
    return percent(totals.pointwise_zeros, totals.pointwise_weights)


def _gzip(model: PageModel) -> str:
    found = model.inspection.totals.gzip_now
    return "not computed" if found is None else size(found)


def _stored(model: PageModel) -> str:
    totals = model.inspection.totals
    return f"{totals.sparse_tensors} of {totals.weight_tensors}"


def changes_section(diff: ModelDiff, names: tuple[str, str], number: int) -> Markup:
    """What changed from one model to another.

    Args:
        diff: what differs.
        names: what to call the two.
        number: position of the second on the page.
    """
    head = f"changes{number}"
    changed = sorted(diff.weights, key=lambda weight: (weight.equal, -_bytes(weight)))
    words = list(_words(diff))
    shown = words[:_MOST_WORDS]
    if len(words) > len(shown):
        shown.append(f"and {len(words) - len(shown)} more differences")
    return el(
        "section",
        el("h2", f"From {names[0]} to {names[1]}", id=head),
        el(
            "p",
            "They mean the same: the same operators on the same values."
            if diff.equal
            else "They do not mean the same.",
            class_="good" if diff.equal else "warn",
        ),
        el("ul", [el("li", text) for text in shown]),
        el(
            "div",
            _weights(changed),
            class_="scroll",
            role="region",
            tabindex=0,
            aria_label=f"Table of what changed in {names[1]}",
        )
        if changed
        else None,
        class_="card",
        aria_labelledby=head,
    )


def _words(diff: ModelDiff) -> list[str]:
    before, after = diff.size_before, diff.size_after
    change = f" ({100 * (after - before) / before:+.1f} %)" if before else ""
    words = [f"file: {size(before)}, then {size(after)}{change}"]
    if diff.tensors_before != diff.tensors_after:
        words.append(f"tensors: {diff.tensors_before}, then {diff.tensors_after}")
    words += [
        f"{kind.name} version {kind.version}: {kind.before}, then {kind.after}"
        for kind in diff.operators
    ]
    words += [*diff.graph, *diff.signatures, *(_blob(blob) for blob in diff.metadata)]
    if not diff.appended_equal:
        words.append("other bytes behind the model")
    same = diff.same_weights
    words.append(f"constants with the same values and storage: {same}")
    return words


def _blob(blob: BlobDiff) -> str:
    if blob.before is None:
        return f"metadata {blob.name} is new"
    return f"metadata {blob.name} {'is gone' if blob.after is None else 'has other bytes'}"


def _weights(changed: list[WeightDiff]) -> Markup:
    shown = changed[:_MOST_WEIGHTS]
    labels = [_name(weight) for weight in shown]
    prefix = common_prefix(labels)
    caption = f"{len(changed)} constants that differ in storage or values"
    if len(shown) < len(changed):
        caption += f", the {len(shown)} largest shown"
    if prefix:
        caption += f"; names under {prefix}"
    return el(
        "table",
        el("caption", caption),
        el(
            "thead",
            el(
                "tr",
                [
                    el("th", title, scope="col", class_=kind)
                    for title, kind in (
                        ("constant", None),
                        ("read by", None),
                        ("values", None),
                        ("zeros", "num"),
                        ("KiB before", "num"),
                        ("KiB after", "num"),
                        ("storage", None),
                    )
                ],
            ),
        ),
        el(
            "tbody",
            [_weight(w, label[len(prefix) :]) for w, label in zip(shown, labels, strict=True)],
        ),
    )


def _weight(weight: WeightDiff, name: str) -> Markup:
    def both(words: Callable[[Side], str]) -> str:
        sides = [words(side) for side in (weight.before, weight.after) if side is not None]
        return sides[0] if len(set(sides)) == 1 else ", then ".join(sides)

    return el(
        "tr",
        el("th", name, scope="row"),
        el("td", weight.operator),
        el("td", _values(weight)),
        el("td", both(_zero_share), class_="num"),
        [
            el("td", "-" if side is None else kib(side.bytes), class_="num")
            for side in (weight.before, weight.after)
        ],
        el("td", both(lambda side: side.storage)),
    )


def _values(weight: WeightDiff) -> str:
    if weight.before is None or weight.after is None:
        return "new" if weight.before is None else "gone"
    if weight.equal:
        return "equal"
    if weight.differing is None:
        return "another shape or type"
    largest = "" if weight.largest is None else f", by up to {weight.largest:.3g}"
    return f"{weight.differing:,} differ{largest}"


def _zero_share(side: Side) -> str:
    return "?" if side.zeros is None else percent(side.zeros, side.elements, "")


def _bytes(weight: WeightDiff) -> int:
    return max(side.bytes for side in (weight.before, weight.after) if side is not None)


def _name(weight: WeightDiff) -> str:
    side = weight.before or weight.after
    return "" if side is None else side.name
