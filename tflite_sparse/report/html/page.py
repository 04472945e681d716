"""The whole page: one file with its style, script and data, that asks nothing of a network."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import PurePath
from typing import TYPE_CHECKING

from tflite_sparse._version import __version__
from tflite_sparse.report.html.bench import bench_section
from tflite_sparse.report.html.compare import changes_section, compare_section
from tflite_sparse.report.html.data import page_data, script_json
from tflite_sparse.report.html.dispositions import symbols
from tflite_sparse.report.html.file import file_section
from tflite_sparse.report.html.graph import graph_section
from tflite_sparse.report.html.markup import Markup, el, join
from tflite_sparse.report.html.sizes import sizes_section
from tflite_sparse.report.html.subject import PageModel
from tflite_sparse.report.html.verdict import verdict_section
from tflite_sparse.report.html.weights import weights_section
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.comparison.diff_types import ModelDiff
    from tflite_sparse.inspection.survey import Survey
    from tflite_sparse.runtime.bench import Bench

__all__ = ["report_page"]


def report_page(
    surveys: Sequence[Survey], diffs: Sequence[ModelDiff | None] = (), bench: Bench | None = None
) -> str:
    """The page about some models.

    The same models give the same page, byte for byte.

    Args:
        surveys: what was found in the models, at least one.
        diffs: what differs between the first and each of the others; None where one is damaged.
        bench: how long they take, where that was measured.
    """
    names = _names(surveys)
    models = [PageModel(name, survey) for name, survey in zip(names, surveys, strict=True)]
    style, script = _resource("page.css"), _resource("page.js")
    body = [
        el("a", "Skip to the report", href="#main", class_="skip"),
        symbols(),
        _header(models, diffs, bench),
        el(
            "main",
            compare_section(models) if len(models) > 1 else None,
            [
                changes_section(diff, (names[0], name), number)
                for number, (diff, name) in enumerate(zip(diffs, names[1:], strict=False), 1)
                if diff is not None
            ],
            bench_section(bench) if bench is not None else None,
            [
                _article(model, number, alone=len(models) == 1)
                for number, model in enumerate(models)
            ],
            id="main",
            tabindex=-1,
        ),
        el(
            "footer",
            el(
                "p",
                f"Made by tflite-sparse {__version__}. What the runtime does is predicted by its"
                " rules, not measured, unless it says so.",
            ),
        ),
        el("script", Markup(script_json(page_data(models))), type="application/json", id="data"),
        el("script", Markup(script)),
    ]
    head = [
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{', '.join(names)}: sparsity report"),
        el("style", Markup(style)),
    ]
    return "<!DOCTYPE html>\n" + el("html", el("head", head), el("body", body), lang="en") + "\n"


def _resource(name: str) -> str:
    return resources.files("tflite_sparse.report.html").joinpath(name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing may be fetched, and nothing runs but the script that the page was written with."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)};"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


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


def _header(
    models: Sequence[PageModel], diffs: Sequence[ModelDiff | None], bench: Bench | None
) -> Markup:
    names = [model.name for model in models]
    if len(models) == 1:
        (model,) = models
        links = [("Verdict", "#m0-verdict")]
        links += [("Graph", "#m0-graph")] if model.seen else []
        links += [("Weights", "#m0-weights")] if model.inspection.weights else []
        links += [("Sizes", "#m0-sizes"), ("File", "#m0-file")]
    else:
        changed = [f"#changes{n}" for n, diff in enumerate(diffs, 1) if diff is not None]
        links = [("Side by side", "#compare"), *(("What changed", link) for link in changed[:1])]
        links += [(name, f"#m{number}") for number, name in enumerate(names)]
    if bench is not None:
        links.insert(1, ("Measured", "#bench"))
    return el(
        "header",
        el("p", "Sparsity report", class_="eyebrow"),
        el("h1", " and ".join(names) if len(names) < 3 else f"{len(names)} models"),  # noqa: PLR2004
        el("nav", [el("a", text, href=target) for text, target in links], aria_label="Sections"),
    )


def _article(model: PageModel, number: int, *, alone: bool) -> Markup:
    return el(
        "article",
        el("h2", model.name, id=f"m{number}-title", class_="sr" if alone else None),
        join(
            verdict_section(model, number),
            graph_section(model, number) if model.seen else None,
            weights_section(model, number) if model.inspection.weights else None,
            sizes_section(model, number),
            file_section(model, number),
        ),
        id=f"m{number}",
        aria_labelledby=f"m{number}-title",
    )
