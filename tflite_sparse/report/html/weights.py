"""The weights as a table that can be sorted and filtered; the script draws what is behind a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.inspection.weights.zero_maps import BINS
from tflite_sparse.report.html.markup import Markup, el, svg_number
from tflite_sparse.report.names import common_prefix, layer_part
from tflite_sparse.words.numbers import count_of, kib, percent, shape, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.weights.weight_types import BlockFill, WeightFacts
    from tflite_sparse.inspection.weights.zero_maps import ZeroMap
    from tflite_sparse.report.html.subject import PageModel

__all__ = ["COLUMNS", "weights_section"]

COLUMNS = (
    ("order", "#", "position of the operator"),
    ("name", "weight", "its name, and what reads it"),
    ("zeros", "zeros", "share of the values that are exactly zero"),
    ("spread", "by channel", "how many output channels have how many zeros, from 0 to 100 %"),
    ("fill2", "fill 2", "share of values that are not zero in blocks of 2 output channels"),
    ("fill4", "fill 4", "the same in blocks of 4 output channels"),
    ("now", "KiB now", "bytes that the file spends on it"),
    ("sparse", "if sparse", "bytes in its smallest sparse encoding"),
    ("saving", "saves", "what storing it sparse would save"),
)
"""The columns after the map: key, title, meaning."""

_NUMBERS = frozenset({"order", "zeros", "fill2", "fill4", "now", "sparse", "saving"})
_SHARES = (0, 50, 67, 70, 80, 90)
_LEAST = 103  # a tenth of a KiB
_WIDE, _HIGH = 60, 18


def weights_section(model: PageModel, number: int) -> Markup:
    """The section with the weights of a model.

    Args:
        model: the model.
        number: its position on the page.
    """
    weights = model.inspection.weights
    names = [layer_part(w.name, w.uses[0].name if w.uses else "") for w in weights]
    prefix = common_prefix(names)
    head = f"m{number}-weights"
    rows = [
        _row(weight, name[len(prefix) :], found, number, place)
        for place, (weight, name, found) in enumerate(
            zip(weights, names, model.survey.maps, strict=True)
        )
    ]
    header = el(
        "tr",
        el("th", "map", scope="col", class_="spy"),
        [
            el(
                "th",
                el("button", title, type="button", title=meaning, data_key=key),
                scope="col",
                class_=f"c-{key}" + (" num" if key in _NUMBERS else ""),
                aria_sort="ascending" if key == "order" else None,
            )
            for key, title, meaning in COLUMNS
        ],
    )
    caption = f"{count_of(len(weights), 'weight')}" + (f", names under {prefix}" if prefix else "")
    return el(
        "section",
        el("h3", "The weights", id=head),
        _filters(weights),
        el(
            "div",
            el(
                "table",
                el("caption", caption),
                el("thead", header),
                el("tbody", rows),
                class_="weights",
            ),
            class_="scroll",
            role="region",
            tabindex=0,
            aria_label=f"Table of the weights of {model.name}",
        ),
        class_="card weights-card",
        aria_labelledby=f"m{number}-title {head}",
        data_weights=number,
    )


def _filters(weights: tuple[WeightFacts, ...]) -> Markup:
    kinds = sorted({use.name for weight in weights for use in weight.uses})
    return el(
        "div",
        el(
            "label",
            el("span", "Name"),
            el("input", type="search", class_="by-name", placeholder="part of a name"),
        ),
        el(
            "label",
            el("span", "Read by"),
            el(
                "select",
                el("option", "any operator", value=""),
                [el("option", kind, value=kind) for kind in kinds],
                class_="by-kind",
            ),
        ),
        el(
            "label",
            el("span", "Zeros"),
            el(
                "select",
                [
                    el(
                        "option",
                        f"{least} % or more" if least else "any",
                        value=least / 100 if least else 0,
                    )
                    for least in _SHARES
                ],
                class_="by-zeros",
            ),
        ),
        el(
            "label",
            el("span", "Stored"),
            el(
                "select",
                el("option", "any way", value=""),
                el("option", "dense", value="dense"),
                el("option", "sparse", value="sparse"),
                el("option", "dense, smaller if sparse", value="better"),
                class_="by-storage",
            ),
        ),
        el("span", class_="count", role="status"),
        class_="tools",
    )


def _row(weight: WeightFacts, name: str, found: ZeroMap | None, number: int, place: int) -> Markup:
    use = weight.uses[0] if weight.uses else None
    more = f" +{len(weight.uses) - 1}" if len(weight.uses) > 1 else ""
    kind = f"{use.name}{more}" if use else "unused"
    note = f"{kind} · {shape(weight.shape)} · {type_name(weight.type)}"
    fills = {fill.channels: fill for fill in weight.blocks}
    identity = f"m{number}w{place}"
    button = el(
        "button",
        name or weight.name or "(no name)",
        type="button",
        class_="open",
        aria_expanded="false",
    )
    sparse = weight.bytes_sparse
    return el(
        "tr",
        el("td", class_="spy"),
        el("td", str(use.operator) if use else "", class_="c-order num"),
        el("th", button, el("small", note), scope="row", class_="c-name"),
        el("td", *_zeros(weight), class_="c-zeros num"),
        el("td", _spark(found), class_="c-spread"),
        *(el("td", _fill(fills.get(width)), class_=f"c-fill{width} num") for width in (2, 4)),
        el("td", kib(weight.bytes_now), class_="c-now num"),
        el("td", "-" if sparse is None else kib(sparse), class_="c-sparse num"),
        el("td", _saving(weight.saving), class_="c-saving num"),
        id=identity,
    )


def _zeros(weight: WeightFacts) -> Iterator[Markup | str]:
    if weight.zeros is None:
        yield "?"
        return
    yield percent(weight.zeros, weight.elements, "")
    width = svg_number(_WIDE * weight.zero_share)
    yield el(
        "svg",
        el("rect", width=width, height=4),
        class_="bar",
        aria_hidden="true",
    )


def _spark(found: ZeroMap | None) -> Markup | None:
    if found is None:
        return None
    most = max(found.histogram)
    step = _WIDE / BINS
    # A bin that holds anything shows.
    bars = (
        (svg_number(n * step), svg_number(max(1.5, _HIGH * count / most)))
        for n, count in enumerate(found.histogram)
        if count
    )
    data = "".join(f"M{x} {_HIGH}v-{tall}h{step - 0.5:g}V{_HIGH}z" for x, tall in bars)
    label = (
        f"{count_of(found.rows, 'channel')} with {100 * found.least:.0f} to"
        f" {100 * found.most:.0f} % zeros"
    )
    return el("svg", el("path", d=data), class_="spark", role="img", aria_label=label)


def _fill(fill: BlockFill | None) -> str:
    return "" if fill is None or not fill.blocks else f"{100 * fill.fill:.0f}%"


def _saving(count: int) -> str:
    if not count:
        return ""
    return "<0.1" if count < _LEAST else kib(count)
