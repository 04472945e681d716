"""Pages of `tflite-sparse report` about models made for them: strange names, many operators."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.command import call
from tests.support.docs.pages import browser
from tests.support.nets.builder import ModelBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.docs.pages import Opener

SAME = Path(__file__).parents[3] / "testdata" / "mobilenet_tiny_80_same.tflite"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def opened() -> Iterator[Opener]:
    with browser() as opener:
        yield opener


def chain(operators: int, filters: int, channels: int) -> bytes:
    """A chain of operators of which so many have filters with 70 % zeros."""
    model = ModelBuilder()
    g = model.graph()
    x = g.conv2d(g.pad_spatial(g.input((1, 8, 8, 3))), channels, 3, 2, "VALID", name="model/stem")
    for number in range(operators - 3):
        name = f"model/block_{number}/expanded_convolution/project/Conv2D"
        convolve = number < filters - 1
        x = g.conv2d(x, channels, zeros=0.7, name=name) if convolve else g.unary("ABS", x)
    g.output(g.mean(x, axes=(1, 2), keep_dims=False))
    return model.build()


def test_the_corner_of_a_map_is_painted_value_by_value(opened, tmp_path):
    values = np.zeros((80, 1, 1, 80), np.float32)
    values[0, 0, 0, 1] = values[2, 0, 0, 3] = values[40, 0, 0, 7] = 1
    model = ModelBuilder()
    g = model.graph()
    g.output(g.conv2d(g.input((1, 4, 4, 80)), 80, filters=values))
    source, page_path = tmp_path / "m.tflite", tmp_path / "m.html"
    source.write_bytes(model.build())
    assert call("report", source, "-o", page_path).code == 0
    with opened(page_path) as page:
        page.click(".weights .open")
        painted = page.ask(
            """() => {
              const canvas = document.querySelectorAll(".more canvas")[1];
              const { width, height } = canvas;
              const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
              const found = [];
              for (let at = 0; at < width * height; at += 1)
                if (data[at * 4] !== 255) found.push([Math.floor(at / width), at % width]);
              return found;
            }"""
        )
        assert painted == [[0, 1], [2, 3], [40, 7]]


def test_names_that_look_like_markup_stay_names(opened, tmp_path):
    evil = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'>&amp;\"'"
    model = ModelBuilder()
    model.metadata(evil, b"1")
    g = model.graph(evil)
    x = g.pad_spatial(g.input((1, 32, 32, 3), name=evil))
    x = g.conv2d(x, 8, 3, 2, "VALID", name=evil)
    x = g.conv2d(x, 8, zeros=0.9, storage="sparse", name=evil)
    x = g.depthwise(x, stride=2, padding="SAME", name=evil)
    (x,) = g.op(evil, [x], [((1, 8, 8, 8), "FLOAT32")], None, names=[evil], custom_options=b"1")
    g.output(g.conv2d(x, 8, zeros=0.9, name=evil))
    source = tmp_path / "<b>&amp;'.tflite"
    source.write_bytes(model.build())
    other = tmp_path / "other.tflite"
    other.write_bytes(SAME.read_bytes())
    path = tmp_path / "evil.html"
    assert call("report", source, other, "-o", path).code == 0
    with opened(path) as page:
        for place in range(page.ask("document.querySelectorAll('#m0 .op[role=option]').length")):
            page.ask(f"document.getElementById('m0o{place}').click()")
        page.ask("document.querySelectorAll('.open').forEach(e => e.click())")
        assert page.ask("window.hit") is None
        assert (
            page.ask("document.querySelectorAll('img, main script, b:not([class]) > *').length")
            == 0
        )
        assert page.said == []
        assert page.asked == [path.as_uri()]
        assert page.text("#m0 h2") == source.name
        page.click("#m0o1")
        assert evil in page.text("#m0 .detail")


def test_a_page_about_300_operators_is_under_a_megabyte_and_usable_at_once(opened, tmp_path):
    source, path = tmp_path / "m.tflite", tmp_path / "m.html"
    source.write_bytes(chain(300, 298, channels=48))
    assert call("report", source, "-o", path).code == 0
    assert path.stat().st_size < MEGABYTE
    with opened(path) as page:
        # The script has run to its end when the page is said to be loaded.
        assert page.ask("document.documentElement.dataset.ready") == "true"
        assert page.text(".graph-card .count") == "300 operators"
        page.fill(".by-name", "block_7/")
        assert len(page.texts(".weights tbody tr")) == 1


def test_a_page_about_3000_operators_opens(opened, tmp_path):
    source, path = tmp_path / "m.tflite", tmp_path / "m.html"
    source.write_bytes(chain(3000, 300, channels=8))
    assert call("report", source, "-o", path, "--no-gzip").code == 0
    with opened(path) as page:
        assert page.said == []
        assert page.text(".graph-card .count") == "3000 operators"
        page.fill(".find", "2999")
        assert page.texts(".op[role=option] .kind") == ["MEAN"]
        page.click(".op[role=option]:not(.hidden)")
        assert "2999 MEAN" in page.text(".detail h4")
