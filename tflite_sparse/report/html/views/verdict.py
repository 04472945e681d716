"""What becomes of a model, in sentences and in numbers, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.next_step import NextStep, next_step, on_any_machine
from tflite_sparse.inspection.open_batch import open_batch
from tflite_sparse.report.html.svg.bars import share_bar
from tflite_sparse.report.html.svg.element import Svg
from tflite_sparse.report.html.views.devices import Device, devices
from tflite_sparse.report.html.views.outcomes import OUTCOMES
from tflite_sparse.report.input_shapes import batch_words, sizes_words
from tflite_sparse.report.verdict import older_verdicts, verdicts
from tflite_sparse.words.numbers import count_of, millions, percent, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.report.html.subject import PageModel
    from tflite_sparse.report.verdict import VerdictWords

__all__ = ["Sentence", "Tile", "VerdictView", "verdict_view"]


class Sentence(msgspec.Struct, frozen=True):
    """What becomes of the model on some targets.

    Attributes:
        sign: a character before it.
        colour: class of its colour.
        headline: its first words.
        text: how it goes on.
        points: what goes wrong, or what stands in the way.
        summary: what the points are, where they are shown when asked for; None where at once.
    """

    sign: str
    colour: str
    headline: str
    text: str
    points: tuple[str, ...]
    summary: str | None


class Tile(msgspec.Struct, frozen=True):
    """A number about the model.

    Attributes:
        name: what it counts.
        value: the number.
        note: what is to be added; "" for nothing.
        picture: the number as a picture; None for none.
    """

    name: str
    value: str
    note: str
    picture: Svg | None = None


class VerdictView(msgspec.Struct, frozen=True):
    """The top of a model.

    Attributes:
        sentences: what becomes of it, on targets that are alike, and where older releases of the
            runtime do worse.
        damages: place of each damage of the file with what is wrong there.
        next_step: the one thing to do next.
        tiles: the numbers.
        sizes: for which sizes all this is said; "" where the file leaves none open.
        devices: the targets, what they stand for, and what is estimated for each.
    """

    sentences: tuple[Sentence, ...]
    damages: tuple[tuple[str, str], ...]
    next_step: NextStep
    tiles: tuple[Tile, ...]
    sizes: str
    devices: tuple[Device, ...]


def verdict_view(model: PageModel) -> VerdictView:
    """The verdict per target, the numbers behind it, and the next step."""
    inspection = model.inspection
    told = [*verdicts(inspection.runtime), *older_verdicts(inspection.older)]
    return VerdictView(
        tuple(map(_sentence, told)),
        tuple((str(problem.place), problem.message) for problem in inspection.problems),
        next_step(on_any_machine(inspection)),
        tuple(_tiles(model)),
        _sizes_said(inspection),
        devices(model),
    )


def _sizes_said(inspection: Inspection) -> str:
    planned = sizes_words(inspection.input_shapes, "planned")
    said = "; ".join(filter(None, (planned, batch_words(open_batch(inspection)))))
    return f"{said[:1].upper()}{said[1:]}"


def _sentence(words: VerdictWords) -> Sentence:
    sign, colour = OUTCOMES[words.outcome]
    # What goes wrong is shown at once; what is in the way, when it is asked for.
    summary = f"{count_of(len(words.points), 'thing')} to change, the main cause first"
    return Sentence(
        sign,
        colour,
        words.headline,
        words.text,
        words.points,
        None if words.outcome.is_failure else summary,
    )


def _tiles(model: PageModel) -> Iterator[Tile]:
    inspection = model.inspection
    totals = inspection.totals
    if model.seen:
        view = model.seen[0].view
        yield Tile(
            "multiply-adds run sparse",
            percent(view.sparse_macs, view.macs),
            f"of {millions(view.macs)}, on {view.targets[0].name}",
            share_bar(view.sparse_macs / view.macs if view.macs else 0.0),
        )
    gains = [t.estimate for seen in model.seen for t in seen.view.targets if t.estimate]
    if gains and gains[0].gain > 1:
        yield Tile(
            "estimated gain",
            f"{gains[0].gain:.1f} times",
            "as fast as the same graph run dense, on wasm",
        )
    if totals.pointwise_weights:
        share = percent(totals.pointwise_zeros, totals.pointwise_weights)
        yield Tile("zeros in 1x1 filters", share, "more than 66.7 % are needed")
    elif not totals.wide_zeros:
        yield Tile("zeros in all weights", percent(totals.zeros, totals.weights), "")
    if totals.wide_zeros:
        share = percent(totals.wide_zeros, totals.wide_weights)
        yield Tile("zeros in wider filters", share, "optimize makes 1x1 convolutions of them")
    yield Tile("file", size(totals.bytes_now), " · ".join(_sizes(inspection)) or "as it is")
    if totals.gzip_now is not None:
        then = totals.gzip_sparse
        more = f"{size(then)} if sparse" if then is not None and then != totals.gzip_now else ""
        yield Tile("after gzip", size(totals.gzip_now), more)


def _sizes(inspection: Inspection) -> Iterator[str]:
    totals = inspection.totals
    if totals.bytes_dense != totals.bytes_now:
        yield f"{size(totals.bytes_dense)} if dense"
    if totals.bytes_sparse != totals.bytes_now:
        yield f"{size(totals.bytes_sparse)} if sparse"
