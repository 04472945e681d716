"""The slider and the addresses of the page of a report, in a real headless browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command import call
from tests.support.peers.npm import AXE, npm_file
from tests.support.real_models import real_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "dense.html"
    done = call("report", real_model("hand_landmark_lite"), "-o", path)
    assert (done.code, done.err) == (0, "")
    return path


def test_the_slider_shows_the_graph_the_bytes_and_the_command(opened, page):
    with opened(page) as shown:
        assert shown.text(".share-name") == "80 % zeros"
        assert "--prune 0.8" in shown.text(".pruned-card code")
        assert shown.ask("document.querySelectorAll('.fate-sparse .f-sparse').length") > 10
        shown.ask("document.querySelector('.share-of-zeros').focus()")
        shown.press("Home")
        assert shown.text(".share-name") == "50 % zeros"
        assert "no faster" in shown.text(".pruned-card .facts")
        hidden = (
            "['.fate-sparse', '.pruned-card .command'].map(s => document.querySelector(s).hidden)"
        )
        assert shown.ask(hidden) == [True, True]
        assert shown.said == []


def test_what_is_chosen_is_in_the_address_and_the_address_chooses(opened, page):
    with opened(page) as shown:
        shown.click(".op[role=option]:not(.unpacks)")
        chosen = shown.ask("location.hash")
        assert chosen.startswith("#m0o")
        assert shown.ask("document.querySelector('.op[aria-selected=true]').id") == chosen[1:]
        shown.ask("location.hash = '#m0w2'")
        shown.until(
            "document.querySelector('#m0w2 .open').getAttribute('aria-expanded') === 'true'"
        )
        for nowhere in ("#m0w9999", "#m7o1", "#m0o9999"):
            shown.ask("address => { location.hash = address }", nowhere)
        assert shown.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_slider(opened, page, scheme):
    with opened(page, color_scheme=scheme) as shown:
        shown.ask(npm_file(*AXE).decode())
        found = shown.ask("axe.run(document.querySelector('.pruned-card'))")
        assert {rule["id"]: rule["nodes"][0]["html"] for rule in found["violations"]} == {}
