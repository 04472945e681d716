"""`tflite-sparse report FOLDER`: a page a model, and one that leads to them."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.support.command import call
from tests.support.peers.npm import AXE, npm_file

TESTDATA = Path(__file__).parents[3] / "testdata"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    root = tmp_path_factory.mktemp("folder")
    models = root / "models"
    (models / "a").mkdir(parents=True)
    shutil.copy(TESTDATA / "mobilenet_tiny_80_sparse.tflite", models / "a" / "index.tflite")
    shutil.copy(TESTDATA / "mobilenet_tiny_80.tflite", models / "<b>#1 100%.tflite")
    (models / "bad.tflite").write_bytes(b"TFL3" * 9)
    done = call("report", models, "-o", root / "pages")
    assert done.code == 2
    assert "bad.tflite" in done.err
    assert done.out.endswith("index.html  2 models\n")
    return root / "pages"


def test_each_model_has_a_page_that_leads_back_to_the_index(pages):
    written = sorted(p.relative_to(pages).as_posix() for p in pages.rglob("*.html"))
    assert written == ["<b>#1 100%.tflite.html", "a/index.tflite.html", "index.html"]
    assert 'href="../index.html"' in (pages / "a" / "index.tflite.html").read_text("utf-8")
    assert str(pages.parent) not in (pages / "index.html").read_text("utf-8")


def test_the_index_tells_of_each_in_a_browser_and_its_links_lead_there(opened, pages):
    axe = npm_file(*AXE).decode()
    with opened(pages / "index.html") as page:
        assert page.texts("tbody th") == ["<b>#1 100%.tflite", "a/index.tflite", "bad.tflite"]
        assert "Runs sparse" in page.text("tbody tr:nth-child(2)")
        assert "No page" in page.text("tbody tr:nth-child(3)")
        for scheme in ("light", "dark"):
            page.media(color_scheme=scheme)
            page.ask(axe)
            found = page.ask("axe.run().then(r => r.violations.map(v => v.id))")
            assert found == []
        page.resize(**PHONE)
        assert page.ask("document.documentElement.scrollWidth") <= PHONE["width"]
        page.click("tbody a")
        page.until("document.title.startsWith('<b>#1 100%')")
        page.click("nav a")
        page.until("document.title.includes('sparsity reports')")
        assert page.said == []


def test_pages_that_are_there_are_kept(pages):
    done = call("report", pages.parent / "models", "-o", pages)
    assert done.code == 2
    assert "exists already, and 2 more; --force" in done.err


def test_a_name_that_ends_in_html_asks_for_one_page(pages):
    models = pages.parent / "models" / "a"
    assert call("report", models, "-o", pages.parent / "one.html").code == 0
    assert (pages.parent / "one.html").is_file()


def test_names_that_are_no_text_and_names_of_one_file_cost_no_other_page(tmp_path):
    models, out = tmp_path / "models", tmp_path / "out"
    models.mkdir()
    for name in (b"a\xff.tflite", b"b.tflite", b"c.tflite"):
        stored = TESTDATA / "mobilenet_tiny_80_sparse.tflite"
        shutil.copy(stored, Path(os.fsdecode(os.fsencode(models) + b"/" + name)))
    (models / os.fsdecode(b"d\xff.tflite")).write_bytes(b"")
    out.mkdir()
    # As on a disk that does not tell capitals from small letters.
    (out / "c.tflite.html").symlink_to("b.tflite.html")
    done = call("report", models, "-o", out, "--force")
    assert done.code == 2
    assert "b.tflite.html, which holds the result of another model" in done.err
    index = (out / "index.html").read_text("utf-8")
    assert re.findall(r'href="([^"]*html)"', index) == ["a%FF.tflite.html", "b.tflite.html"]
    assert "d\\xff.tflite: the file is empty" in index
    assert str(tmp_path) not in index.replace(str(out), "")
