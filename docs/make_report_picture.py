"""Makes the picture of a page of `report`: python docs/make_report_picture.py.

The page is about a real model, which the tests download, and is drawn by a real browser.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.real_models import real_model  # noqa: E402
from tflite_sparse.inspection.survey import survey  # noqa: E402
from tflite_sparse.model import Model  # noqa: E402
from tflite_sparse.report.html import report_page  # noqa: E402
from tflite_sparse.runtime.web.chromium import chromium  # noqa: E402

SIZE = {"width": 1180, "height": 1080}


async def draw(page: Path, picture: Path) -> None:
    """Draws the top of a page, with an operator chosen."""
    async with chromium() as browser:
        opened = await browser.new_page(viewport=SIZE)
        await opened.goto(page.as_uri())
        await opened.click("li.op.f-sparse")
        await opened.mouse.move(0, 0)
        await opened.evaluate("scrollTo({top: 0, behavior: 'instant'})")
        await opened.screenshot(path=picture)


if __name__ == "__main__":
    data = real_model("pose_detection").read_bytes()
    text = report_page([survey(Model.read(data, "pose_detection.tflite"))])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.html")
        path.write_text(text, "utf-8")
        asyncio.run(draw(path, ROOT / "docs" / "images" / "report.png"))
