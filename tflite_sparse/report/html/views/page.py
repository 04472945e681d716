"""The page as a whole: its heading, its links, and the sections of each model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.html.views.bench import BenchView, bench_view
from tflite_sparse.report.html.views.changes import ChangesView, changes_view
from tflite_sparse.report.html.views.compare import CompareView, compare_view
from tflite_sparse.report.html.views.file import FileFact, file_view
from tflite_sparse.report.html.views.graph import GraphView, graph_view
from tflite_sparse.report.html.views.pruned import PrunedView, pruned_view
from tflite_sparse.report.html.views.sizes import SizesView, sizes_view
from tflite_sparse.report.html.views.verdict import VerdictView, verdict_view
from tflite_sparse.report.html.views.weights import WeightsView, weights_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.comparison.diff_types import ModelDiff
    from tflite_sparse.report.html.pruned import Pruned
    from tflite_sparse.report.html.subject import PageModel
    from tflite_sparse.runtime.bench import Bench

__all__ = ["ModelView", "PageView", "page_view"]

_MOST_NAMED = 2


class ModelView(msgspec.Struct, frozen=True):
    """A model.

    Attributes:
        name: what the page calls it.
        number: its position on the page.
        verdict: what becomes of it.
        graph: its graph; None where it is damaged.
        weights: its weights; None where it has none.
        pruned: what more zeros would win; None where they would win nothing.
        sizes: where its bytes are.
        file: what the file says about itself.
    """

    name: str
    number: int
    verdict: VerdictView
    graph: GraphView | None
    weights: WeightsView | None
    pruned: PrunedView | None
    sizes: SizesView
    file: tuple[FileFact, ...]


class PageView(msgspec.Struct, frozen=True):
    """The page.

    Attributes:
        title: its title.
        heading: its heading.
        links: text and target of each link to a section.
        compare: the models side by side; None for a single one.
        changes: what changed from the first model to each of the others.
        bench: how long the models take; None where that was not measured.
        models: the models.
    """

    title: str
    heading: str
    links: tuple[tuple[str, str], ...]
    compare: CompareView | None
    changes: tuple[ChangesView, ...]
    bench: BenchView | None
    models: tuple[ModelView, ...]


def page_view(
    models: Sequence[PageModel],
    diffs: Sequence[ModelDiff | None],
    bench: Bench | None,
    pruned: Sequence[Pruned | None] = (),
    *,
    index: str | None = None,
) -> PageView:
    """The page about some models.

    Args:
        models: the models, at least one.
        diffs: what differs between the first and each of the others; None where one is damaged.
        bench: how long they take, where that was measured.
        pruned: what each would be with more zeros; None where that wins nothing.
        index: address of the page that leads to this one; None for none.
    """
    names = [model.name for model in models]
    changes = tuple(
        changes_view(diff, (names[0], name), number)
        for number, (diff, name) in enumerate(zip(diffs, names[1:], strict=False), 1)
        if diff is not None
    )
    outlooks = [*pruned, *[None] * (len(models) - len(pruned))]
    links = (
        _links_within(models[0], outlooks[0])
        if len(models) == 1
        else _links_between(names, changes)
    )
    if bench is not None:
        links.insert(1, ("Measured", "#bench"))
    if index is not None:
        links.insert(0, ("All models", index))
    return PageView(
        title=f"{', '.join(names)}: sparsity report",
        heading=" and ".join(names) if len(names) <= _MOST_NAMED else f"{len(names)} models",
        links=tuple(links),
        compare=compare_view(models) if len(models) > 1 else None,
        changes=changes,
        bench=None if bench is None else bench_view(bench),
        models=tuple(
            _model(model, number, outlook)
            for number, (model, outlook) in enumerate(zip(models, outlooks, strict=True))
        ),
    )


def _links_within(model: PageModel, outlook: Pruned | None) -> list[tuple[str, str]]:
    links = [("Verdict", "#m0-verdict")]
    links += [("If pruned", "#m0-pruned")] if outlook else []
    links += [("Graph", "#m0-graph")] if model.seen else []
    links += [("Weights", "#m0-weights")] if model.inspection.weights else []
    return [*links, ("Sizes", "#m0-sizes"), ("File", "#m0-file")]


def _links_between(names: Sequence[str], changes: Sequence[ChangesView]) -> list[tuple[str, str]]:
    return [
        ("Side by side", "#compare"),
        *(("What changed", f"#changes{each.number}") for each in changes[:1]),
        *((name, f"#m{number}") for number, name in enumerate(names)),
    ]


def _model(model: PageModel, number: int, outlook: Pruned | None) -> ModelView:
    return ModelView(
        name=model.name,
        number=number,
        verdict=verdict_view(model),
        graph=graph_view(model) if model.seen else None,
        weights=weights_view(model) if model.inspection.weights else None,
        pruned=pruned_view(model, outlook) if outlook is not None and model.seen else None,
        sizes=sizes_view(model),
        file=file_view(model),
    )
