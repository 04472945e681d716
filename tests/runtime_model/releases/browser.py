"""Runs models and their dense twins on LiteRT.js in Chromium, in the words of `guest`.

Each pair has a page, and with it a process, of its own: what a model breaks stays there.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.model import Model
from tflite_sparse.runtime.web import driver
from tflite_sparse.runtime.web.chromium import chromium
from tflite_sparse.runtime.web.litertjs import litertjs_files
from tflite_sparse.runtime.web.loopback import LoopbackServer
from tflite_sparse.runtime.web.subject import ENTRY, for_browser, with_all_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from playwright.async_api import Browser

    from tflite_sparse.runtime.observations import Outputs

__all__ = ["answers"]

_PAGE = "bench_page.html"
_SECONDS = 600.0
_BATCH = 40
"""Pairs to a browser, which keeps something of every page that it has shown."""

Pair = tuple[bytes, bytes, "list[Outputs]"]


def answers(pairs: Sequence[Pair], litertjs: str | None) -> Iterator[dict[str, Any]]:
    """What came of each pair: "twin" and "model"; one that took the page along has no answer.

    Args:
        pairs: of each a model, its twin, and sets of inputs.
        litertjs: a pinned version, or a folder where npm installed one; None for the newest.
    """
    runtime = dict(litertjs_files(litertjs))
    runtime[ENTRY] = with_all_types(runtime[ENTRY])
    page = Path(driver.__file__).with_name(_PAGE)
    for first in range(0, len(pairs), _BATCH):
        with tempfile.TemporaryDirectory() as work:
            files: dict[str, bytes | Path] = {**runtime, _PAGE: page}
            requests = [
                _requests(pair, f"{number}", Path(work), files)
                for number, pair in enumerate(pairs[first : first + _BATCH])
            ]
            with LoopbackServer(files) as server:
                yield from asyncio.run(_all(requests, server.url + _PAGE))


def _requests(
    pair: Pair, number: str, work: Path, files: dict[str, bytes | Path]
) -> dict[str, list[dict[str, Any]]]:
    """What the page is asked to run: for the twin and for the model, a request for each trial."""
    model, twin, trials = pair
    requests: dict[str, list[dict[str, Any]]] = {}
    for what, content in (("twin", twin), ("model", model)):
        path = work / f"{number}-{what}.tflite"
        path.write_bytes(content)
        opened = Model.read(path)
        files[path.name] = for_browser(opened).content
        requests[what] = []
        for trial, feeds in enumerate(trials):
            given = []
            for position, tensor in enumerate(opened.main.inputs):
                value = feeds[tensor.name]
                url = f"{number}-{trial}-{position}"
                files[url] = value.tobytes()
                given.append(
                    {
                        "names": [tensor.name],
                        "type": tensor.type,
                        "shape": list(value.shape),
                        "url": url,
                    }
                )
            requests[what].append({"url": path.name, "given": given, "threads": 1, "warmup": 1})
    return requests


async def _all(
    requests: Iterable[dict[str, list[dict[str, Any]]]], url: str
) -> list[dict[str, Any]]:
    async with chromium(None) as browser:
        return [await _one(browser, url, each) for each in requests]


async def _one(
    browser: Browser, url: str, requests: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """What came of one pair."""
    from playwright.async_api import Error

    context = await browser.new_context()
    answer: dict[str, Any] = {}
    try:
        page = await context.new_page()
        await page.goto(url, timeout=_SECONDS * 1000)
        await asyncio.wait_for(page.evaluate("start(1)"), _SECONDS)
        for what, trials in requests.items():
            outputs = []
            for request in trials:
                one = await asyncio.wait_for(
                    page.evaluate("request => prepare(request)", request), _SECONDS
                )
                if one["status"] != "ok":
                    break
                outputs.append(_named(one["outputs"]))
            if one["status"] == "crashed":
                break
            answer[what] = {"status": one["status"], "detail": one["detail"], "outputs": outputs}
    except (Error, TimeoutError, asyncio.TimeoutError):
        pass
    with contextlib.suppress(Error, TimeoutError, asyncio.TimeoutError):
        await asyncio.wait_for(context.close(), _SECONDS)
    return answer


def _named(given: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Outputs by name, as the drivers of LiteRT name several that share one."""
    outputs: dict[str, np.ndarray] = {}
    for number, output in enumerate(given):
        name = output["name"]
        outputs[f"{name}#{number}" if name in outputs else name] = _array(output)
    return outputs


def _array(output: dict[str, Any]) -> np.ndarray:
    data = base64.b64decode(output["data"])
    return np.frombuffer(data, output["dtype"]).reshape(output["shape"])
