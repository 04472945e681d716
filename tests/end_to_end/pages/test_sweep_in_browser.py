"""The page of a sweep in a real headless browser, opened from disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.peers.npm import AXE, npm_file
from tests.support.reports.sweeps import made_up_sweep
from tflite_sparse.report.html.sweep import picture_size, sweep_page, sweep_svg
from tflite_sparse.runtime.web.chromium import screenshot

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "sweep.html"
    path.write_text(sweep_page(made_up_sweep()), "utf-8")
    return path


def test_the_slider_shows_the_point_in_every_chart_and_in_the_address(opened, page):
    with opened(page) as shown:
        assert shown.text("#chosen") == "80 % zeros"
        shown.ask("document.getElementById('share').focus()")
        before = shown.ask("[...document.querySelectorAll('.here')].map(e => e.getAttribute('x1'))")
        shown.press("ArrowRight")
        assert shown.text("#chosen") == "90 % zeros"
        assert "--prune 0.9" in shown.text("#command")
        after = shown.ask("[...document.querySelectorAll('.here')].map(e => e.getAttribute('x1'))")
        assert [one != other for one, other in zip(before, after, strict=True)] == [
            *[True] * 3,
            *[False] * 2,
        ]
        assert shown.ask("location.hash") == "#point=4"
        shown.ask("location.hash = '#point=1'")
        shown.until("document.getElementById('chosen').textContent === '50 % zeros'")
        assert shown.text("#why") == "too few zeros"
        assert shown.ask("document.querySelectorAll('.layers .on').length") == 0
        assert shown.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened, page, scheme):
    with opened(page, color_scheme=scheme) as shown:
        shown.ask(npm_file(*AXE).decode())
        found = shown.ask("axe.run(document)")
        assert {rule["id"]: rule["nodes"][0]["html"] for rule in found["violations"]} == {}


def test_a_phone_shows_it_without_scrolling_sideways(opened, page):
    with opened(page, viewport={"width": 390, "height": 844}) as shown:
        assert shown.ask("document.documentElement.scrollWidth") <= 390
        sizes = shown.ask(
            "[...document.querySelectorAll('.chart text')].map("
            "e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)"
        )
        assert min(sizes) >= 9.5, json.dumps(sizes)


def test_the_picture_becomes_a_png(page):
    sweep = made_up_sweep()
    assert screenshot(sweep_svg(sweep), *picture_size(sweep)).startswith(b"\x89PNG")
