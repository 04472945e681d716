"""The page of a sweep: one file with its style, script and data, that asks nothing of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse._version import __version__
from tflite_sparse.report.html.data import script_json
from tflite_sparse.report.html.policy import policy
from tflite_sparse.report.html.sweep.view import sweep_view
from tflite_sparse.report.html.templating import template, template_source

if TYPE_CHECKING:
    from tflite_sparse.sweeping.result import Sweep

__all__ = ["sweep_page"]


def sweep_page(sweep: Sweep) -> str:
    """The page of a sweep.

    The same sweep gives the same page, byte for byte.

    Args:
        sweep: what a sweep found.
    """
    view = sweep_view(sweep)
    style = template_source("page.css") + template_source("sweep.css")
    script = template_source("sweep.js")
    return template("sweep.html.j2").render(
        sweep=view,
        version=__version__,
        policy=policy(style, script),
        style=style,
        script=script,
        data=script_json(view.data),
    )
