"""Text stays text, in templates, in pictures and in the data of the script."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.comparison.model_diff import diff
from tflite_sparse.inspection.survey import survey
from tflite_sparse.model import Model
from tflite_sparse.report.html.data import script_json
from tflite_sparse.report.html.page import report_page
from tflite_sparse.report.html.svg.element import Svg, element
from tflite_sparse.report.html.templating import template_from

TEMPLATES = Path(__file__).parents[4] / "tflite_sparse" / "report" / "html" / "templates"
HOSTILE = [
    "<script>alert(1)</script>",
    "\" onload='alert(1)' x=\"",
    "</title></style></textarea></script><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}{# #}",
    "&lt;b&gt; &amp;",
    "a/\x07\x1b[31mb\x7f",
    "\u202ecod\u2028e",
]


class Parsed(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page_about(name: str, *, models: int = 1) -> str:
    """A page about models in which everything is called by one name."""
    builder = ModelBuilder(description=name)
    g = builder.graph(name)
    x = g.conv2d(g.input((1, 8, 8, 4)), 8, zeros=0.9, name=f"scope/{name}")
    g.output(g.mean(g.conv2d(x, 8, zeros=0.5, name=name)))
    other = Model.read(builder.build(), "other.tflite")
    surveys = [survey(Model.read(builder.build(), "m.tflite"), gzip=False) for _ in range(models)]
    return report_page(surveys, [diff(other, other)] * (models - 1))


@given(st.text())
def test_a_template_shows_any_text_as_it_is(text: str) -> None:
    parsed = Parsed(template_from('<p title="{{ text }}">{{ text }}</p>').render(text=text))
    assert [tag for tag, _ in parsed.tags] == ["p"]
    assert parsed.tags[0][1]["title"] == text
    assert parsed.text == text


@given(st.text())
def test_a_picture_shows_any_text_as_it_is(text: str) -> None:
    parsed = Parsed(element("g", element("title", text), aria_label=text))
    assert parsed.tags == [("g", {"aria-label": text}), ("title", {})]
    assert parsed.text == text


def test_a_picture_is_put_into_a_template_as_it_is() -> None:
    picture = element("g", element("rect", width=1, class_="a"), "<", aria_label="<&>", id=None)
    assert picture == '<g aria-label="&lt;&amp;&gt;"><rect width="1" class="a"/>&lt;</g>'
    assert isinstance(picture, Svg)
    assert template_from("{{ picture }}").render(picture=picture) == picture


def test_nothing_but_our_own_texts_goes_unescaped() -> None:
    unescaped = [
        found
        for path in sorted(TEMPLATES.glob("*.j2"))
        for found in re.findall(r"\{\{[^}]*\|\s*safe\b|autoescape|Markup", path.read_text("utf-8"))
    ]
    # Of the index, of the report, and of the sweep.
    page = ["{{ style|safe", "{{ data|safe", "{{ script|safe"]
    assert unescaped == ["{{ style|safe", *page, *page]


@pytest.mark.parametrize("models", [1, 2])
@pytest.mark.parametrize("name", HOSTILE)
def test_the_names_of_a_model_add_no_element_to_the_page(name: str, models: int) -> None:
    expected, parsed = (Parsed(page_about(n, models=models)) for n in ("name", name))
    assert [tag for tag, _ in parsed.tags] == [tag for tag, _ in expected.tags]
    assert [sorted(attrs) for _, attrs in parsed.tags] == [
        sorted(attrs) for _, attrs in expected.tags
    ]


@given(st.text())
def test_json_in_a_script_cannot_end_it(text: str) -> None:
    written = script_json({"a": [text, "</script><!--"]})
    assert "<" not in written
    assert json.loads(written) == {"a": [text, "</script><!--"]}
    assert html.escape(written, quote=False) == written
