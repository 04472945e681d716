"""An inspection as a notebook shows it: the verdict, a strip of operators, a table of weights."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tflite_sparse.inspection.dispositions import DispositionKind, disposition_kind
from tflite_sparse.inspection.next_step import next_step
from tflite_sparse.report.html.svg.element import element
from tflite_sparse.report.verdict import verdicts
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import count_of, kib, percent, shape, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.inspection import Inspection

__all__ = ["notebook_view"]

_MOST = 10
_BAR, _HEIGHT = 6, 18
_COLOURS = {
    DispositionKind.SPARSE: "#0a8f6a",
    DispositionKind.LAYOUT: "#7fd1b9",
    DispositionKind.BLOCKED: "#e0a030",
    DispositionKind.DENSE: "#9aa5b1",
    DispositionKind.OUTSIDE: "#b05fb0",
}


def notebook_view(inspection: Inspection) -> str:
    """The inspection as HTML that needs no style sheet; whatever the model says stays text.

    Args:
        inspection: what to show.
    """
    return "".join(["<div>", *_parts(inspection), "</div>"])


def _parts(inspection: Inspection) -> Iterator[str]:
    name = escape(readable(inspection.path or "in memory"))
    yield f"<p><b>{name}</b>, {size(inspection.size)}</p>"
    for words in verdicts(inspection.runtime):
        yield f"<p><b>{escape(words.headline)}</b>{escape(words.text)}</p>"
    step = next_step(inspection)
    yield f"<p>Next: <b>{escape(step.title)}</b>. {escape(f'{step.gain} {step.why}'.strip())}</p>"
    if step.command:
        yield f"<pre>{escape(step.command)}</pre>"
    yield _strip(inspection)
    largest = sorted(inspection.weights, key=lambda weight: -weight.bytes_now)
    heads = "".join(f"<th>{head}</th>" for head in ("weight", "shape", "zeros", "KiB", "if sparse"))
    yield f"<table><tr>{heads}</tr>"
    for weight in largest[:_MOST]:
        zeros = "?" if weight.zeros is None else percent(weight.zeros, weight.elements)
        sparse = "" if weight.bytes_sparse is None else kib(weight.bytes_sparse)
        cells = (readable(weight.name), shape(weight.shape), zeros, kib(weight.bytes_now), sparse)
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
    yield "</table>"
    if len(largest) > _MOST:
        yield f"<p>and {count_of(len(largest) - _MOST, 'smaller weight')}</p>"


def _strip(inspection: Inspection) -> str:
    """All operators beside each other in their order, coloured by what becomes of them."""
    group = next((group for group in inspection.runtime if group.operators), None)
    if group is None:
        return ""
    kinds = [disposition_kind(group, operator) for operator in group.operators]
    shown = [kind for kind in kinds if kind in _COLOURS]
    boxes = [
        element("rect", x=_BAR * n, width=_BAR - 1, height=_HEIGHT, fill=_COLOURS[kind])
        for n, kind in enumerate(shown)
    ]
    sparse = count_of(shown.count(DispositionKind.SPARSE), "sparse operator")
    return element(
        "svg",
        *boxes,
        viewBox=f"0 0 {max(1, _BAR * len(shown))} {_HEIGHT}",
        style="width: 100%; height: 1.5em",
        role="img",
        aria_label=f"{count_of(len(shown), 'operator')}, {sparse}",
    )
