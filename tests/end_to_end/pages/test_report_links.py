"""What the page of a model leads to: rules, words, a spreadsheet, and the reader's own device."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.command import call
from tflite_sparse.report.html.views.devices import WHOSE
from tflite_sparse.words.addresses import DOCS
from tflite_sparse.xnnpack.releases.targets import targets

PAGES = Path(__file__).parents[3] / "docs"
SAME = Path(__file__).parents[3] / "testdata" / "mobilenet_tiny_80_same.tflite"
# The text of the file that a click on the button gives.
DOWNLOAD = """() => new Promise(done => {
  const make = URL.createObjectURL;
  URL.createObjectURL = blob => { blob.text().then(done); return make(blob); };
  document.querySelector('.csv').click();
})"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    page = tmp_path_factory.mktemp("links") / "page.html"
    assert call("report", SAME, "-o", page).code == 0
    return page


def test_the_weights_that_are_shown_are_downloaded_as_a_spreadsheet(opened, path):
    with opened(path) as page:
        page.fill(".by-name", "pointwise")
        rows = list(csv.DictReader(page.ask(DOWNLOAD).splitlines()))
        assert [row["name"] for row in rows][:2] == [
            "block0/pointwise/filter",
            "block1/pointwise/filter",
        ]
        assert len(rows) == 5
        assert rows[0]["zeros"] == "0.8008"
        assert rows[0]["bytes now"] == "2048"
        assert rows[0]["read by"] == "CONV_2D"
        assert page.said == []


def test_a_rule_leads_to_where_it_is_told(opened, path):
    with opened(path) as page:
        page.click(".op.blocker")
        rule = page.text(".detail .rule")
        address = page.ask("document.querySelector('.detail .rule').href")
    assert address == f"{DOCS}/runtime-model.md#:~:text={rule.replace('-', '%2D')}"
    assert f"`{rule}`" in (PAGES / "runtime-model.md").read_text("utf-8")


def test_what_the_page_leads_to_is_there(opened, path):
    with opened(path) as page:
        addresses = page.ask("[...document.links].map(l => l.href).filter(a => a[0] === 'h')")
    pages = {address.split("#")[0].removeprefix(f"{DOCS}/") for address in addresses}
    assert {"glossary.md", "targets.md", "runtime-model.md", "rules/README.md"} <= pages
    assert all((PAGES / page).is_file() for page in pages)


def test_each_target_says_whose_it_is(opened, path):
    assert set(WHOSE) == {target.name for target in targets()}
    with opened(path) as page:
        page.click(".by-device summary")
        assert "iPhones" in page.text(".by-device tr:has(th:text-is('arm64')) td")
        assert len(page.texts(".by-device tbody tr")) == len(WHOSE)
