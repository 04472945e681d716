"""The page that leads to the pages of many models: one row each, what matters of it at a glance."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from tflite_sparse._version import __version__
from tflite_sparse.inspection.next_step import next_step
from tflite_sparse.report.html.policy import policy
from tflite_sparse.report.html.subject import PageModel
from tflite_sparse.report.html.svg.element import Svg
from tflite_sparse.report.html.svg.strip import strip
from tflite_sparse.report.html.templating import template, template_source
from tflite_sparse.report.html.views.compare import ShortVerdict, short_verdicts
from tflite_sparse.words.addresses import DOCS
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import count_of, percent, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.inspection.survey import Survey

__all__ = ["INDEX", "IndexRow", "failed_row", "index_page", "index_row", "way_back"]

INDEX = "index.html"
"""Name of the page."""


class IndexRow(msgspec.Struct, frozen=True):
    """A model of the index.

    Attributes:
        name: its path within the folder.
        href: address of its page, from the index; "" where it has none.
        bytes: size of its file; None where it could not be read.
        size: that in words.
        smaller: its size once stored sparse, in words; "" where that is not smaller.
        verdicts: what becomes of it.
        picture: its graph at a glance; None for none.
        next_step: what to do next.
        gain: what that brings; "" where nobody knows.
        error: why it has no page; "" where it has one.
    """

    name: str
    href: str = ""
    bytes: int | None = None
    size: str = ""
    smaller: str = ""
    verdicts: tuple[ShortVerdict, ...] = ()
    picture: Svg | None = None
    next_step: str = ""
    gain: str = ""
    error: str = ""


def index_row(name: str, page: str, survey: Survey) -> IndexRow:
    """The row of a model.

    Args:
        name: its path within the folder.
        page: path of its page within the folder of pages, with "/".
        survey: the model from all sides.
    """
    model = PageModel(readable(name), survey)
    totals = survey.inspection.totals
    smaller = totals.bytes_sparse < totals.bytes_now
    step = next_step(survey.inspection)
    return IndexRow(
        model.name,
        # A name need not be text: its bytes are the address.
        href=quote(os.fsencode(page)),
        bytes=totals.bytes_now,
        size=size(totals.bytes_now),
        smaller=percent(totals.bytes_sparse, totals.bytes_now) if smaller else "",
        verdicts=tuple(short_verdicts(model)),
        picture=strip(model, model.seen[0]) if model.seen else None,
        next_step=step.title,
        gain=step.gain,
    )


def failed_row(name: str, error: str) -> IndexRow:
    """The row of a model that has no page.

    Args:
        name: its path within the folder.
        error: why it has none.
    """
    return IndexRow(readable(name), error=error)


def index_page(title: str, rows: Sequence[IndexRow]) -> str:
    """The page that leads to the others.

    Args:
        title: name of the folder.
        rows: the models.
    """
    style = template_source("page.css")
    total = sum(row.bytes or 0 for row in rows)
    return template("index.html.j2").render(
        title=readable(title),
        about=f"{count_of(len(rows), 'model')}, {size(total)}",
        rows=rows,
        version=__version__,
        docs=DOCS,
        policy=policy(style, ""),
        style=style,
    )


def way_back(page: str) -> str:
    """The address of the index as a page sees it.

    Args:
        page: path of the page within the folder of pages, with "/".
    """
    return "../" * (len(PurePosixPath(page).parts) - 1) + INDEX
