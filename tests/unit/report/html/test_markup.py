"""Text stays text."""

from __future__ import annotations

import html
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse.report.html.data import pack_bits, pack_levels, script_json
from tflite_sparse.report.html.markup import Markup, el, join, svg_number


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(markup: str) -> Seen:
    parser = Seen()
    parser.feed(markup)
    parser.close()
    return parser


@given(st.text())
def test_any_text_is_read_back_as_it_is(text: str) -> None:
    found = seen(el("p", text, [text], title=text))
    assert [tag for tag, _ in found.tags] == ["p"]
    assert found.tags[0][1]["title"] == text
    assert found.text == text * 2


def test_markup_is_escaped_once() -> None:
    assert el("b", el("i", "<&>")) == "<b><i>&lt;&amp;&gt;</i></b>"
    assert join("<", None, Markup("<br>"), ["&"]) == "&lt;<br>&amp;"


def test_attributes_are_named_as_html_names_them() -> None:
    made = el("input", class_="a", aria_label="b", checked=True, disabled=False, id=None)
    assert made == '<input class="a" aria-label="b" checked>'
    assert el("rect", width=1) == '<rect width="1"/>'


@given(st.text())
def test_json_in_a_script_cannot_end_it(text: str) -> None:
    import json

    written = script_json({"a": [text, "</script><!--"]})
    assert "<" not in written
    assert json.loads(written) == {"a": [text, "</script><!--"]}
    assert html.escape(written, quote=False) == written


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.25, "0.2"), (10.04, "10"), (100, "100")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert svg_number(value) == text


def test_levels_and_bits_are_packed_from_the_high_end() -> None:
    import base64

    assert base64.b64decode(pack_levels([15, 1, 2])) == bytes([0xF1, 0x20])
    assert base64.b64decode(pack_bits([True] + [False] * 7 + [True])) == bytes([0x80, 0x80])
