"""LiteRT in a browser: times models in headless Chromium on LiteRT's WebAssembly runtime.

There sparse inference is on for every machine. Each model has a page, and with it a process, of its
own: one that hangs or takes its process along leaves the others alone.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.runtime.interleave import there_and_back
from tflite_sparse.runtime.observations import Timing
from tflite_sparse.runtime.web.chromium import chromium
from tflite_sparse.runtime.web.litertjs import litertjs_files
from tflite_sparse.runtime.web.loopback import LoopbackServer
from tflite_sparse.runtime.web.subject import ENTRY, for_browser, with_all_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.async_api import Browser, Page

    from tflite_sparse.model import Model
    from tflite_sparse.runtime.observations import Outputs, Status

__all__ = ["WebTimings", "time_models_on_web"]

_PAGE = "bench_page.html"
_STARTING = 300.0
"""Seconds for the browser to load the runtime itself, on a machine that does other things too."""
_CLOSING = 5.0


class WebTimings(msgspec.Struct, frozen=True):
    """What a browser measured.

    Attributes:
        browser: its name and version.
        timings: one for each model, in their order.
        notes: for each model how it was run, where that is not as it stands in the file.
    """

    browser: str
    timings: tuple[Timing, ...]
    notes: tuple[str, ...]


class _Runner:
    """A model in its page.

    Attributes:
        path: the model.
        request: what the page is asked to prepare.
        seconds: how many it has left.
        page: where it runs; None once it has failed.
        status: how it fared.
        detail: what went wrong.
        milliseconds: the counted runs.
        outputs: what it computed.
        others: what it computed from other inputs.
    """

    def __init__(self, path: str, request: dict[str, Any], seconds: float) -> None:
        self.path = path
        self.request = request
        self.seconds = seconds
        self.page: Page | None = None
        self.status = "ok"
        self.detail = ""
        self.milliseconds: list[float] = []
        self.outputs: Outputs = {}
        self.others: Outputs = {}

    async def ask(self, expression: str, argument: Any = None) -> dict[str, Any] | None:
        """What the page answers; None, and the page is closed, where that is no success."""
        from playwright.async_api import Error

        page = cast("Page", self.page)
        started = time.monotonic()
        try:
            answer: dict[str, Any] = await asyncio.wait_for(
                page.evaluate(expression, argument), max(self.seconds, 0.001)
            )
        except (TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
            answer = {"status": "timed-out", "detail": "it used up its time"}
        except Error as error:
            answer = {"status": "crashed", "detail": error.message.splitlines()[0]}
        self.seconds -= time.monotonic() - started
        if answer["status"] == "ok":
            return answer
        self.status, self.detail = answer["status"], " ".join(answer["detail"].split())
        await self.close()
        return None

    async def close(self) -> None:
        """Closes the page, also one that does not listen any more."""
        from playwright.async_api import Error

        if self.page is None:
            return
        context, self.page = self.page.context, None
        with contextlib.suppress(Error, TimeoutError, asyncio.TimeoutError):
            await asyncio.wait_for(context.close(), _CLOSING)

    def timing(self) -> Timing:
        """The result."""
        times = tuple(self.milliseconds) if self.status == "ok" else ()
        status = cast("Status", self.status)
        return Timing(self.path, status, self.detail, times, self.outputs, self.others)


def time_models_on_web(
    models: Sequence[Model],
    feeds: Sequence[Outputs],
    *,
    runs: int = 50,
    warmup: int = 5,
    threads: int = 1,
    timeout: float = 120.0,
    browser: str | None = None,
    litertjs: str | None = None,
    others: Outputs | None = None,
) -> WebTimings:
    """Times models in turn, run by run, in a headless browser.

    Args:
        models: models that were read from files.
        feeds: inputs of each model, by position: "0", "1" ...
        runs: counted runs of each model.
        warmup: runs of each before that; one is always made.
        threads: how many threads of WebAssembly.
        timeout: seconds that a model may take in all.
        browser: the browser, see `find_browser`; None for the first one found.
        litertjs: folder with LiteRT.js or its version, see `litertjs_files`; None for the newest.
        others: other inputs of the first model, for `Timing.others`; None for none.

    Raises:
        RuntimeUnavailableError: playwright, a browser or LiteRT.js is missing or does not work.
    """
    files: dict[str, bytes | Path] = dict(litertjs_files(litertjs))
    files[_PAGE] = Path(__file__).with_name(_PAGE)
    files[ENTRY] = with_all_types(cast("bytes", files[ENTRY]))
    runners, notes = [], []
    for number, (model, feed) in enumerate(zip(models, feeds, strict=True)):
        url = f"models/{number}.tflite"
        subject = for_browser(model)
        files[url] = subject.content
        given = _given(model, feed, f"inputs/{number}", files)
        request = {"url": url, "given": given, "threads": threads, "warmup": warmup}
        if others is not None and number == 0:
            request["others"] = _given(model, others, "inputs/others", files)
        runners.append(_Runner(str(model.path), request, timeout))
        notes.append(subject.note)
    with LoopbackServer(files) as server:
        name = asyncio.run(_time(runners, server.url + _PAGE, runs, threads, browser))
    return WebTimings(name, tuple(runner.timing() for runner in runners), tuple(notes))


def _given(
    model: Model, feed: Outputs, folder: str, files: dict[str, bytes | Path]
) -> list[dict[str, Any]]:
    """Describes the inputs for the page, and adds their values to the files it can load."""
    main = model.main
    given = []
    for number, tensor in enumerate(main.inputs):
        value = feed[str(number)]
        url = f"{folder}/{number}"
        files[url] = value.tobytes()
        names = {tensor.name}
        for signature in model.signatures:
            if signature.subgraph is main:
                names.update(name for name, of in signature.inputs if of is tensor)
        given.append(
            {"names": sorted(names), "type": tensor.type, "shape": list(value.shape), "url": url}
        )
    return given


async def _time(
    runners: list[_Runner], url: str, runs: int, threads: int, named: str | None
) -> str:
    """Does it all; the name of the browser."""
    async with chromium(named) as browser:
        for runner in runners:
            runner.page = await _page(browser, url, threads)
            answer = await runner.ask("request => prepare(request)", runner.request)
            if answer is not None:
                runner.outputs = {o["name"]: _array(o) for o in answer["outputs"]}
                runner.others = {o["name"]: _array(o) for o in answer["others"]}
        for runner in there_and_back(runners, runs):
            if runner.page is None:
                continue
            answer = await runner.ask("() => runOnce()")
            if answer is not None:
                runner.milliseconds.append(float(answer["milliseconds"]))
        for runner in runners:
            await runner.close()
        return f"{browser.browser_type.name.capitalize()} {browser.version}"


async def _page(browser: Browser, url: str, threads: int) -> Page:
    """A page with the runtime in it, in a context of its own: contexts share no process."""
    from playwright.async_api import Error

    context = await browser.new_context()
    page = await context.new_page()
    try:
        await page.goto(url, timeout=_STARTING * 1000)
        await asyncio.wait_for(page.evaluate("threads => start(threads)", threads), _STARTING)
    except (Error, TimeoutError, asyncio.TimeoutError) as error:
        reason = str(error).partition("\n")[0] or f"not done after {_STARTING:g} s"
        raise RuntimeUnavailableError(
            f"LiteRT.js does not start in the browser: {reason}",
            hint="name another browser, with CHROME_PATH or bench --browser",
        ) from None
    return page


def _array(output: dict[str, Any]) -> Any:
    data = base64.b64decode(output["data"])
    return np.frombuffer(data, output["dtype"]).reshape(output["shape"])
