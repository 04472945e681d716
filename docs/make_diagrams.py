"""Draws the diagrams of the documentation: python docs/make_diagrams.py.

They are plain SVG with a ground of their own, legible on light and dark pages and on paper.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np

from tflite_sparse.inspection.dispositions import DispositionKind
from tflite_sparse.report.overlay import COLOURS

IMAGES = Path(__file__).resolve().parent / "images"

_FONT = "font-family='system-ui, sans-serif'"
_INK = "#202124"
_FAINT = "#80868b"
_BOX, _GAP, _HIGH = 92, 18, 44
_RED = "#d93025"

_CHAIN = (
    ("PAD + CONV_2D", "3x3, stride 2"),
    ("DEPTHWISE", "3x3"),
    ("CONV_2D", "1x1"),
    ("DEPTHWISE", "3x3"),
    ("CONV_2D", "1x1"),
    ("MEAN", "height, width"),
    ("FULLY_CONN.", ""),
)


def diagrams() -> dict[str, str]:
    """The diagrams by file name."""
    return {
        "cluster.svg": _cluster(),
        "blocked.svg": _blocked(),
        "csr.svg": _csr(),
    }


def _svg(width: int, height: int, title: str, parts: list[str]) -> str:
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' role='img'>"
        f"<title>{escape(title)}</title>"
        f"<rect width='{width}' height='{height}' rx='8' fill='#ffffff'/>"
    )
    return "\n".join([head, *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, size: int = 12, colour: str = _INK, how: str = "") -> str:
    return (
        f"<text x='{x:g}' y='{y:g}' font-size='{size}' fill='{colour}' {_FONT} {how}>"
        f"{escape(text)}</text>"
    )


def _rect(x: int, y: int, width: int, height: int, how: str) -> str:
    return f"<rect x='{x}' y='{y}' width='{width}' height='{height}' {how}/>"


def _operator(
    x: int, y: int, names: tuple[str, str], kind: DispositionKind, *, blocks: bool
) -> list[str]:
    middle = x + _BOX / 2
    edge = f"stroke='{_RED}' stroke-width='3'" if blocks else f"stroke='{_FAINT}'"
    ink = "#ffffff" if kind is DispositionKind.SPARSE else _INK
    centred = "text-anchor='middle'"
    lines = [
        _rect(x, y, _BOX, _HIGH, f"rx='6' fill='{COLOURS[kind]}' {edge}"),
        _text(middle, y + (19 if names[1] else 27), names[0], 10, ink, centred),
    ]
    if names[1]:
        lines.append(_text(middle, y + 34, names[1], 10, ink, centred))
    return lines


def _chain(y: int, operators: list[tuple[tuple[str, str], DispositionKind, bool]]) -> list[str]:
    parts = []
    for number, (names, kind, blocks) in enumerate(operators):
        x = 20 + number * (_BOX + _GAP)
        if number:
            middle = y + _HIGH // 2
            parts.append(
                f"<path d='M{x - _GAP} {middle}h{_GAP - 5}m-4 -4l5 4l-5 4' fill='none'"
                f" stroke='{_INK}'/>"
            )
        parts += _operator(x, y, names, kind, blocks=blocks)
    return parts


def _outline(first: int, last: int, y: int, label: str) -> list[str]:
    x = 20 + first * (_BOX + _GAP) - 8
    width = (last - first + 1) * (_BOX + _GAP) - _GAP + 16
    dashed = f"stroke='{_INK}' stroke-dasharray='5 4'"
    return [
        _rect(x, y - 10, width, _HIGH + 20, f"rx='10' fill='none' {dashed}"),
        _text(x + 4, y - 16, label, 12),
    ]


def _legend(y: int, kinds: list[tuple[DispositionKind, str]]) -> list[str]:
    parts, x = [], 20
    for kind, words in kinds:
        parts.append(
            f"<rect x='{x}' y='{y - 10}' width='12' height='12' rx='3' fill='{COLOURS[kind]}'/>"
        )
        parts.append(_text(x + 18, y, words, 11))
        x += 30 + 6 * len(words)
    return parts


def _width() -> int:
    return 40 + len(_CHAIN) * (_BOX + _GAP) - _GAP


def _cluster() -> str:
    layout, sparse = DispositionKind.LAYOUT, DispositionKind.SPARSE
    kinds = [layout, layout, sparse, layout, sparse, layout, DispositionKind.DENSE]
    parts = _outline(0, 5, 56, "a cluster: all of it runs in the sparse layout, or nothing")
    parts += _chain(56, [(names, k, False) for names, k in zip(_CHAIN, kinds, strict=True)])
    for number, word in ((0, "entry"), (2, "inner"), (5, "exit")):
        middle = 20 + number * (_BOX + _GAP) + _BOX / 2
        parts.append(_text(middle, 128, word, 12, _FAINT, "text-anchor='middle'"))
    parts += _legend(
        156,
        [
            (sparse, "a sparse kernel"),
            (layout, "between sparse kernels, in their layout"),
            (DispositionKind.DENSE, "dense"),
        ],
    )
    title = "A cluster from its entry to its exit; its 1x1 convolutions run sparse"
    return _svg(_width(), 172, title, parts)


def _blocked() -> str:
    held, dense = DispositionKind.BLOCKED, DispositionKind.DENSE
    chain = [("CONV_2D", "3x3, SAME"), *_CHAIN[1:]]
    kinds = [dense, held, held, held, held, held, dense]
    rows = [(n, k, i == 0) for i, (n, k) in enumerate(zip(chain, kinds, strict=True))]
    parts = _outline(1, 5, 56, "given up as a whole: nothing brings values into the sparse layout")
    parts += _chain(56, rows)
    parts.append(_text(20, 128, "pads 0 and 1, an entry pads 1 and 1", 12, _RED))
    words = [(held, "could run sparse, and is blocked"), (dense, "dense")]
    parts += _legend(156, words)
    title = "A first convolution with SAME padding keeps all that follows dense"
    return _svg(_width(), 172, title, parts)


def _csr() -> str:
    """A matrix and how it is stored, worked out by numpy."""
    matrix = np.array(
        [[5, 0, 0, 2, 0, 0], [0, 0, 0, 0, 0, 0], [0, 7, 0, 0, 0, 1], [0, 0, 3, 0, 0, 0]]
    )
    rows, columns = np.nonzero(matrix)
    segments = np.concatenate([[0], np.cumsum(np.count_nonzero(matrix, axis=1))])
    cell = 30
    parts = [_text(20, 26, "dense: 4 output channels x 6 input channels", 12)]
    for (i, j), value in np.ndenumerate(matrix):
        fill = COLOURS[DispositionKind.LAYOUT] if value else "#f1f3f4"
        x, y = 20 + j * cell, 38 + i * cell
        parts.append(
            f"<rect x='{x}' y='{y}' width='{cell}' height='{cell}' fill='{fill}'"
            " stroke='#ffffff' stroke-width='2'/>"
        )
        ink = _INK if value else _FAINT
        parts.append(_text(x + cell / 2, y + 20, str(value), 12, ink, "text-anchor='middle'"))
    parts.append(_text(300, 26, "sparse: level 0 dense (4), level 1 sparse CSR", 12))
    arrays = (
        ("array_segments", segments, "where each row begins, and the end"),
        ("array_indices", columns, "the column of each value"),
        ("buffer", matrix[rows, columns], "the values"),
    )
    for number, (name, numbers, words) in enumerate(arrays):
        y = 44 + number * 42
        parts.append(_text(300, y + 18, name, 12))
        for place, value in enumerate(numbers):
            x = 400 + place * cell
            parts.append(
                f"<rect x='{x}' y='{y}' width='{cell - 2}' height='26' rx='3' fill='#e8f0fe'/>"
            )
            parts.append(
                _text(x + cell / 2 - 1, y + 18, str(value), 12, _INK, "text-anchor='middle'")
            )
        parts.append(_text(400 + len(numbers) * cell + 8, y + 18, words, 11, _FAINT))
    return _svg(810, 176, "A matrix with five values, dense and in compressed rows", parts)


def main() -> None:
    """Writes all diagrams anew."""
    for name, svg in diagrams().items():
        (IMAGES / name).write_text(svg, "utf-8")


if __name__ == "__main__":
    main()
