"""Pages in a real headless Chromium, for tests: opened from disk, as whoever is sent one does."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tflite_sparse.runtime.web.chromium import chromium

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

__all__ = ["OpenPage", "Opener", "browser"]

# Until then a page may be busy; a machine that runs other tests as well is slow.
_PATIENCE_MS = 600_000


@dataclass
class OpenPage:
    """A page that is open.

    Attributes:
        page: playwright's.
        loop: what it runs in.
        said: what it wrote to the console, and the errors that nothing caught.
        asked: the addresses that it asked for, itself among them.
    """

    page: Page
    loop: asyncio.AbstractEventLoop
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def ask(self, expression: str, argument: Any = None) -> Any:
        """The value of an expression of JavaScript."""
        return self._do(self.page.evaluate(expression, argument))

    def click(self, selector: str) -> None:
        """Clicks the first element that matches, as a mouse does."""
        self._do(self.page.locator(selector).first.click())

    def hover(self, selector: str) -> None:
        """Moves the mouse onto the first element that matches."""
        self._do(self.page.locator(selector).first.hover())

    def press(self, *keys: str) -> None:
        """Presses keys, one after the other."""
        for key in keys:
            self._do(self.page.keyboard.press(key))

    def fill(self, selector: str, text: str) -> None:
        """Writes into a field."""
        self._do(self.page.locator(selector).first.fill(text))

    def choose(self, selector: str, value: str) -> None:
        """Chooses an option of a list."""
        self._do(self.page.locator(selector).first.select_option(value))

    def text(self, selector: str) -> str:
        """The text of the first element that matches, as it is shown."""
        return str(self._do(self.page.locator(selector).first.inner_text()))

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements that match and are shown, or would be after scrolling."""
        found = "all => all.filter(e => e.checkVisibility()).map(e => e.textContent)"
        return list(self._do(self.page.eval_on_selector_all(selector, found)))

    def media(self, **settings: Any) -> None:
        """Changes what the page is shown on: its medium or colour scheme."""
        self._do(self.page.emulate_media(**settings))
        self._settle()

    def resize(self, width: int, height: int) -> None:
        """Changes the size of the window."""
        self._do(self.page.set_viewport_size({"width": width, "height": height}))
        self._settle()

    def picture(self) -> bytes:
        """What is in the window, as a PNG."""
        return bytes(self._do(self.page.screenshot()))

    def pdf(self) -> bytes:
        """The page as it is printed on A4."""
        return bytes(self._do(self.page.pdf(format="A4", print_background=True)))

    def until(self, expression: str) -> None:
        """Waits until an expression of JavaScript is true; an error after ten minutes."""
        self._do(self.page.wait_for_function(expression))

    def _settle(self) -> None:
        """Lets the page hear of a change, which it does before it draws the next frame."""
        frames = "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        self._do(self.page.evaluate(frames))

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)


class Opener:
    """Opens pages in a browser.

    Args:
        running: the browser.
        loop: what it runs in.
    """

    def __init__(self, running: Browser, loop: asyncio.AbstractEventLoop) -> None:
        self._browser = running
        self._loop = loop

    @contextlib.contextmanager
    def __call__(self, path: Path, **settings: Any) -> Iterator[OpenPage]:
        """Opens a file; `settings` are those of a new page of playwright, such as its viewport."""
        do = self._loop.run_until_complete
        page = do(
            self._browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **settings})
        )
        page.set_default_timeout(_PATIENCE_MS)
        opened = OpenPage(page, self._loop)
        do(_listen(page, opened))
        try:
            do(page.goto(path.resolve().as_uri()))
            yield opened
        finally:
            do(page.close())


async def _listen(page: Page, opened: OpenPage) -> None:
    # Where it is awaited, the loop runs: playwright starts tasks for listeners.
    page.on("console", lambda message: opened.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: opened.said.append(f"uncaught: {error}"))
    page.on("request", lambda request: opened.asked.append(request.url))


@contextlib.contextmanager
def browser() -> Iterator[Opener]:
    """A browser for as long as the block lasts."""
    loop = asyncio.new_event_loop()
    running = chromium()
    try:
        yield Opener(loop.run_until_complete(running.__aenter__()), loop)
    finally:
        loop.run_until_complete(running.__aexit__(None, None, None))
        loop.close()
