"""Where the bytes are: bars of the whole file, and of its largest weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.inspection.file.breakdown import PARTS
from tflite_sparse.report.html.markup import Markup, el, svg_number
from tflite_sparse.report.names import common_prefix, layer_part
from tflite_sparse.words.numbers import percent, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tflite_sparse.inspection.file.breakdown import SizePart
    from tflite_sparse.report.html.subject import PageModel

__all__ = ["sizes_section", "stacked_bars"]

_WIDE = 1000
_LARGEST = 12


def sizes_section(model: PageModel, number: int) -> Markup:
    """The section with the sizes of a model."""
    head = f"m{number}-sizes"
    totals = model.inspection.totals
    bars: list[tuple[str, Callable[[SizePart], int]]] = []
    if totals.bytes_dense != totals.bytes_now:
        bars.append(("if dense", lambda part: part.dense))
    bars.append(("now", lambda part: part.now))
    if totals.bytes_sparse != totals.bytes_now:
        bars.append(("after sparsify", lambda part: part.sparse))
    drawn = [
        (name, [(part.kind, bytes_of(part)) for part in model.survey.parts])
        for name, bytes_of in bars
    ]
    return el(
        "section",
        el("h3", "Where the bytes are", id=head),
        stacked_bars(drawn),
        el(
            "div",
            _table(model, bars),
            class_="scroll",
            role="region",
            tabindex=0,
            aria_label=f"Table of the sizes in {model.name}",
        ),
        _largest(model),
        class_="card",
        aria_labelledby=f"m{number}-title {head}",
    )


def stacked_bars(
    bars: Sequence[tuple[str, Sequence[tuple[str, int]]]], *, wide: bool = False
) -> Markup:
    """Bars on one scale, each made of parts.

    Args:
        bars: name of each with its parts as (key of `PARTS`, bytes).
        wide: whether the names need much room.
    """
    most = max((sum(count for _, count in parts) for _, parts in bars), default=0) or 1
    return el(
        "div",
        [
            el(
                "div",
                el("span", name, class_="bar-name"),
                _stack(name, parts, most),
                el("span", size(sum(count for _, count in parts)), class_="bar-value"),
                class_="bar-row",
            )
            for name, parts in bars
        ],
        class_="bars wide" if wide else "bars",
    )


def _stack(name: str, parts: Iterable[tuple[str, int]], most: int) -> Markup:
    x = 0.0
    drawn, told = [], []
    for kind, count in parts:
        width = _WIDE * count / most
        if count:
            drawn.append(
                el(
                    "rect",
                    el("title", f"{PARTS[kind]}: {size(count)}"),
                    x=svg_number(x),
                    width=svg_number(max(width, 0.5)),
                    height=24,
                    class_=f"p-{kind}",
                )
            )
            told.append(f"{PARTS[kind]} {size(count)}")
        x += width
    return el(
        "svg",
        drawn,
        viewBox=f"0 0 {_WIDE} 24",
        preserveAspectRatio="none",
        class_="stack",
        role="img",
        aria_label=f"{name}: {', '.join(told)}",
    )


def _table(model: PageModel, bars: list[tuple[str, Callable[[SizePart], int]]]) -> Markup:
    sums = [sum(bytes_of(part) for part in model.survey.parts) for _, bytes_of in bars]
    return el(
        "table",
        el(
            "thead",
            el(
                "tr",
                el("th", "part of the file", scope="col"),
                [el("th", name, scope="col", class_="num") for name, _ in bars],
                el("th", "share now", scope="col", class_="num"),
            ),
        ),
        el(
            "tbody",
            [
                el(
                    "tr",
                    el(
                        "th",
                        el(
                            "svg",
                            el("rect", width=12, height=12, class_=f"p-{part.kind}"),
                            width=12,
                            height=12,
                            class_="swatch",
                            aria_hidden="true",
                        ),
                        PARTS[part.kind],
                        scope="row",
                    ),
                    [el("td", size(bytes_of(part)), class_="num") for _, bytes_of in bars],
                    el("td", percent(part.now, model.inspection.size, ""), class_="num"),
                )
                for part in model.survey.parts
            ],
        ),
        el(
            "tfoot",
            el(
                "tr",
                el("th", "file", scope="row"),
                [el("td", size(total), class_="num") for total in sums],
                el("td", "100%", class_="num"),
            ),
        ),
        class_="parts",
    )


def _largest(model: PageModel) -> Markup | None:
    weights = sorted(model.inspection.weights, key=lambda weight: -weight.bytes_now)[:_LARGEST]
    most = max((w.bytes_dense or w.bytes_now for w in weights), default=0)
    if not most:
        return None
    names = [layer_part(w.name, w.uses[0].name if w.uses else "") for w in weights]
    prefix = common_prefix(names)
    rows = []
    for weight, name in zip(weights, names, strict=True):
        now = svg_number(_WIDE * weight.bytes_now / most)
        dense = svg_number(_WIDE * (weight.bytes_dense or weight.bytes_now) / most)
        best = min(weight.bytes_now, weight.bytes_sparse or weight.bytes_now)
        words = [f"now {size(weight.bytes_now)}"]
        if weight.storage == "sparse" and weight.bytes_dense:
            words.insert(0, f"dense {size(weight.bytes_dense)}")
        if best < weight.bytes_now:
            words.append(f"sparse {size(best)}")
        rows.append(
            el(
                "div",
                el("span", name[len(prefix) :] or name, class_="bar-name", title=weight.name),
                el(
                    "svg",
                    el("rect", width=dense, height=16, class_="w-dense"),
                    el("rect", width=now, height=16, class_="w-now"),
                    el("rect", width=svg_number(_WIDE * best / most), height=16, class_="w-best"),
                    viewBox=f"0 0 {_WIDE} 16",
                    preserveAspectRatio="none",
                    class_="stack thin",
                    role="img",
                    aria_label=f"{name}: {', '.join(words)}",
                ),
                el("span", ", ".join(words), class_="bar-value"),
                class_="bar-row",
            )
        )
    return el(
        "div",
        el("h4", "The largest weights"),
        el(
            "p",
            _key("w-best", "what is needed, stored the smaller way"),
            _key("w-now", "what the file spends beyond that"),
            _key("w-dense", "what dense storage would add"),
            class_="key",
        ),
        el("div", rows, class_="bars wide"),
    )


def _key(kind: str, words: str) -> Markup:
    box = el(
        "svg",
        el("rect", width=12, height=12, class_=kind),
        width=12,
        height=12,
        class_="swatch",
        aria_hidden="true",
    )
    return el("span", box, words)
