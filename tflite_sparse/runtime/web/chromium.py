"""A headless Chromium that is on the machine, driven through playwright."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
from typing import TYPE_CHECKING

from tflite_sparse.errors import Place, RuntimeFailureError, RuntimeUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

__all__ = ["FLAGS", "check", "chromium", "find_browser", "screenshot"]

_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Loopback is all that the browser can reach: no name resolves, no proxy is asked.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--no-proxy-server",
)
"""Flags that keep it to itself."""

_INSTALL = "pip install 'tflite-sparse[web]'"
_VARIABLE = "CHROME_PATH"
"""Other tools read it too, and not every command has --browser."""
_ANOTHER = f"name another one, with {_VARIABLE} or bench --browser"
_PATIENCE_MS = 300_000.0
"""For one step of the browser, on a machine that does other things too."""


def find_browser(named: str | None = None) -> str:
    """The path of a Chromium.

    Args:
        named: the one to take: a path or a name; None takes the one that the environment variable
            CHROME_PATH names, or looks in the usual places.

    Raises:
        RuntimeUnavailableError: there is none.
    """
    named = named or os.environ.get(_VARIABLE) or None
    if named is not None:
        program = shutil.which(named)
        if program is None:
            raise RuntimeUnavailableError(
                "this is no program",
                place=Place(file=named),
                hint=f"name a Chromium or Chrome, with {_VARIABLE} or bench --browser",
            )
        return program
    for name in (*_NAMES, *_PLACES):
        program = shutil.which(name)
        if program is not None:
            return program
    raise RuntimeUnavailableError(
        "no Chromium or Chrome was found",
        hint="install one, on Debian with 'apt install chromium', or name it, "
        f"with {_VARIABLE} or bench --browser",
    )


def check(named: str | None = None) -> str:
    """The path of the browser, once it is clear that it can be driven.

    Args:
        named: the browser to take, see `find_browser`.

    Raises:
        RuntimeUnavailableError: playwright or a browser is missing.
    """
    if importlib.util.find_spec("playwright") is None:
        raise RuntimeUnavailableError(
            "playwright is not installed, which drives the browser", hint=_INSTALL
        )
    return find_browser(named)


@contextlib.asynccontextmanager
async def chromium(named: str | None = None) -> AsyncIterator[Browser]:
    """A headless browser for as long as the block lasts.

    Args:
        named: the browser to take, see `find_browser`.

    Raises:
        RuntimeUnavailableError: playwright or a browser is missing, or the browser does not start.
    """
    path = check(named)
    from playwright.async_api import Error, async_playwright

    # As root Chromium starts without its sandbox or not at all; containers often have only root.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(
                executable_path=path,
                headless=True,
                args=list(FLAGS),
                chromium_sandbox=not is_root,
                timeout=_PATIENCE_MS,
            )
        except Error as error:
            raise RuntimeUnavailableError(
                f"the browser does not start: {error.message.splitlines()[0]}",
                place=Place(file=path),
                hint=_ANOTHER,
            ) from None
        try:
            yield browser
        finally:
            await browser.close()


def screenshot(svg: str, width: int, height: int, browser: str | None = None) -> bytes:
    """A picture as a PNG, two pixels a unit.

    Args:
        svg: the picture.
        width: its width in its units.
        height: its height.
        browser: the browser to draw with, see `find_browser`.

    Raises:
        RuntimeUnavailableError: there is no browser to draw with.
        RuntimeFailureError: it did not draw.
    """
    return asyncio.run(_screenshot(svg, width, height, browser))


async def _screenshot(svg: str, width: int, height: int, named: str | None) -> bytes:
    async with chromium(named) as browser:
        from playwright.async_api import Error

        try:
            page = await browser.new_page(
                viewport={"width": width, "height": height}, device_scale_factor=2
            )
            page.set_default_timeout(_PATIENCE_MS)
            await page.set_content(
                f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{svg}"
            )
            return await page.screenshot()
        except Error as error:
            raise RuntimeFailureError(
                f"the browser did not draw the picture: {error.message.splitlines()[0]}",
                hint="write a .svg, which needs no browser",
            ) from None
