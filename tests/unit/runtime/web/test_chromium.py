"""Finding a browser, and saying what is missing."""

from __future__ import annotations

import importlib.util

import pytest

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.runtime.web import chromium


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is all of the path, and no browser at its usual places."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "_PLACES", ())

    def add(name: str) -> str:
        path = tmp_path / name
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        return str(path)

    return add


def test_the_first_of_the_usual_names_is_taken(programs):
    programs("google-chrome")
    path = programs("chromium")
    assert chromium.find_browser() == path


def test_a_named_one_wins_by_name_or_path(programs):
    programs("chromium")
    path = programs("my-browser")
    assert chromium.find_browser("my-browser") == path
    assert chromium.find_browser(path) == path


def test_a_named_one_that_is_not_there_is_an_error(programs):
    programs("chromium")
    with pytest.raises(RuntimeUnavailableError, match="no program") as caught:
        chromium.find_browser("nowhere")
    assert "nowhere" in str(caught.value)


def test_without_a_browser_the_error_says_how_to_install_one(programs):
    with pytest.raises(RuntimeUnavailableError) as caught:
        chromium.find_browser()
    assert "apt install chromium" in str(caught.value.hint)


def test_without_playwright_the_error_names_the_extra(programs, monkeypatch):
    programs("chromium")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(RuntimeUnavailableError) as caught:
        chromium.check()
    assert "tflite-sparse[web]" in str(caught.value.hint)


def test_the_browser_reaches_nothing_but_loopback():
    rules = next(flag for flag in chromium.FLAGS if flag.startswith("--host-resolver-rules"))
    assert rules.endswith("MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
