"""The page of docs/web.md runs in a browser as it stands, and finds what LiteRT finds here."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import numpy as np

from tflite_sparse.model import Model
from tflite_sparse.runtime.inputs import input_specs
from tflite_sparse.runtime.litert.driver import run
from tflite_sparse.runtime.web.chromium import chromium
from tflite_sparse.runtime.web.litertjs import CORE, litertjs_files
from tflite_sparse.runtime.web.loopback import LoopbackServer

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "web.md").read_text("utf-8")
MODEL = ROOT / "testdata" / "mobilenet_tiny_80_sparse.tflite"
SECONDS = 120


async def opened(url: str) -> tuple[str, list[str], list[str]]:
    """What the page shows in the end, what is on its console, and its errors."""
    console: list[str] = []
    errors: list[str] = []
    async with chromium() as browser:
        page = await browser.new_page()
        page.on("console", lambda message: console.append(message.text))
        page.on("pageerror", lambda error: errors.append(error.message))
        await page.goto(url)
        await page.wait_for_function("out.textContent !== ''", timeout=1000 * SECONDS)
        return await page.locator("#out").inner_text(), console, errors


def test_the_page_runs_and_finds_the_class_that_litert_finds():
    (page,) = re.findall(r"```html\n(.*?)```", TEXT, re.DOTALL)
    files: dict[str, bytes | Path] = {"index.html": page.encode(), "fast.tflite": MODEL}
    packages = litertjs_files().items()
    files.update({f"node_modules/@litertjs/{path}": data for path, data in packages})
    with LoopbackServer(files) as server:
        said, console, errors = asyncio.run(opened(server.url + "index.html"))
    assert errors == []
    found = re.fullmatch(r"class (\d+), score ([\d.]+), [\d.]+ ms a run", said)
    assert found, said
    (spec,) = input_specs(Model.read(MODEL))
    feed = {spec.key: np.full(spec.shape, 0.5, np.float32)}
    (scores,) = run(str(MODEL), [feed]).trials[0].values()
    assert int(found[1]) == scores.argmax()
    assert abs(float(found[2]) - scores.max()) < 1e-3
    # Of messages that look like faults the page names those that do no harm.
    harmless = re.findall(r"`([^`]+)`", TEXT.partition("On the console")[2].partition("\n\n")[0])
    faults = [
        line for line in console if re.match(r"ERROR|WARNING|W\d|E\d|Failed to (?!load)", line)
    ]
    assert all(any(message in line for message in harmless) for line in faults), faults
    assert any(harmless[0] in line for line in console), console


def test_the_page_installs_the_release_that_is_tested():
    assert f"npm install {CORE.name}@{CORE.version}\n" in TEXT
