"""The whole page: one file with its style, script and data, that asks nothing of a network."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from tflite_sparse._version import __version__
from tflite_sparse.report.html.data import page_data, script_json
from tflite_sparse.report.html.policy import policy
from tflite_sparse.report.html.subject import PageModel
from tflite_sparse.report.html.templating import template, template_source
from tflite_sparse.report.html.views.page import page_view
from tflite_sparse.words.addresses import DOCS
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.comparison.diff_types import ModelDiff
    from tflite_sparse.inspection.survey import Survey
    from tflite_sparse.report.html.pruned import Pruned
    from tflite_sparse.runtime.bench import Bench

__all__ = ["report_page"]


def report_page(
    surveys: Sequence[Survey],
    diffs: Sequence[ModelDiff | None] = (),
    bench: Bench | None = None,
    pruned: Sequence[Pruned | None] = (),
    *,
    index: str | None = None,
) -> str:
    """The page about some models.

    The same models give the same page, byte for byte.

    Args:
        surveys: the models from all sides, at least one.
        diffs: what differs between the first and each of the others; None where one is damaged.
        bench: how long they take, where that was measured.
        pruned: what each would be with more zeros; None where that wins nothing.
        index: address of the page that leads to this one; None for none.
    """
    models = [
        PageModel(name, survey) for name, survey in zip(_names(surveys), surveys, strict=True)
    ]
    style, script = template_source("page.css"), template_source("page.js")
    return template("page.html.j2").render(
        page=page_view(models, diffs, bench, pruned, index=index),
        version=__version__,
        docs=DOCS,
        policy=policy(style, script),
        style=style,
        script=script,
        data=script_json(page_data(models, pruned)),
    )


def _names(surveys: Sequence[Survey]) -> list[str]:
    """What to call the models: their file names, numbered where these repeat."""
    # The folder is that of whoever makes the page, and nothing to the reader.
    files = [
        readable(PurePath(survey.inspection.path or "model.tflite").name) for survey in surveys
    ]
    return [
        name if files.count(name) == 1 else f"{name} ({number})"
        for number, name in enumerate(files, 1)
    ]
