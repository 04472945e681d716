"""What pruning did as text: the zeros of each filter, and what comes of speed and quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.names import SHORT_OPERATORS, common_prefix, shorten
from tflite_sparse.report.quality import MARGIN, held_out_words, margin_words, rough_words
from tflite_sparse.report.text.headings import Lines, heading, labelled
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import count_of, percent
from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.pruning.measures import OutputQuality, Quality
    from tflite_sparse.pruning.result import PrunedFilter, Pruning, Speed, Training
    from tflite_sparse.rewrite.changes import Left

__all__ = ["prune_lines", "pruned_lines"]


def prune_lines(
    pruning: Pruning, path: str, target: str | None, refused: str | None, width: int, *, top: int
) -> Lines:
    """The lines of a pruned model.

    Args:
        pruning: what was done.
        path: the model that was read.
        target: where the result was written, None where it was not.
        refused: why it was not; None where nothing stood in the way.
        width: the room for a line in characters.
        top: how many filters and weights to show; 0 for all.
    """
    lines = pruned_lines(pruning, path, width, top=top)
    if refused is not None:
        return lines[:-1] + labelled("Refused", [refused], width, style="bold red")
    done = ("Written", target) if target else ("Dry run", "nothing written")
    return lines[:-1] + labelled(done[0], [done[1]], width)


def pruned_lines(pruning: Pruning, path: str, width: int, *, top: int) -> Lines:
    """The lines of what was pruned, an empty one last.

    Args:
        pruning: what was done.
        path: the model that was read.
        width: the room for a line in characters.
        top: how many filters and weights to show; 0 for all.
    """
    from rich.text import Text

    note = f"{percent(pruning.zeros, pruning.elements)} zeros, {pruning.method}"
    lines: Lines = [heading(path, note, width), Text(), *_filters(pruning, width, top)]
    lines += [Text(), *_speed(pruning.speed, len(pruning.filters), width)]
    if pruning.training is not None:
        lines += [Text(), *_training(pruning.training, width)]
    if pruning.quality is not None:
        before = None if pruning.training is None else pruning.training.before
        lines += [Text(), *_quality(pruning.quality, before, width)]
    if pruning.images is not None:
        from tflite_sparse.report.prepared_images import images_words

        lines += labelled("Images", images_words(pruning.images), width)
    if pruning.left:
        lines += [Text(), *_left(pruning.left, width, top)]
    for words in pruning.notes:
        lines += labelled("Note", [words], width, style="yellow")
    return [*lines, Text()]


def _filters(pruning: Pruning, width: int, top: int) -> Lines:
    filters = pruning.filters
    shown = filters[: top or None]
    title = f"{count_of(len(filters), 'filter')} pruned, {pruning.allocation}"
    if pruning.block > 1:
        title += f", in blocks of {pruning.block} output channels"
    if len(shown) < len(filters):
        title += f", {len(shown)} shown"
    fitted = pruning.calibrated_on
    note = f"fitted to {count_of(fitted, 'input')}" if fitted else ""
    prefix = len(common_prefix([f.weight.name for f in filters]))
    columns = [
        Column("filter", gives_way=True),
        Column("read by"),
        Column("values", right=True),
        Column("zeros", right=True, style="bold"),
        Column("error" if fitted and pruning.training is None else "", right=True),
    ]
    rows = [_row(f, prefix) for f in shown]
    return [heading(title, note, width, path=False), *table(columns, rows, width)]


def _row(pruned: PrunedFilter, prefix: int) -> list[str]:
    first = pruned.weight.operators[0] if pruned.weight.operators else ""
    kind, _, number = first.partition(" #")
    return [
        pruned.weight.name[prefix:] or pruned.weight.name,
        f"{SHORT_OPERATORS.get(kind, kind)} #{number.split()[0] if number else ''}",
        f"{pruned.elements:,}",
        percent(pruned.zeros, pruned.elements),
        "" if pruned.error is None else f"{100 * pruned.error:.1f} %",
    ]


def _speed(speeds: Sequence[Speed], filters: int, width: int) -> Lines:
    columns = [
        Column("once optimized"),
        Column("run sparse", right=True),
        Column("estimated ms", right=True),
        Column("", right=True, style="bold"),
    ]
    rows = []
    for view in speeds:
        times = gain = ""
        if view.dense_ms is not None and view.ms is not None:
            times = f"{view.dense_ms:.3g} to {view.ms:.3g}"
            gain = f"{view.dense_ms / view.ms:.2f} times" if view.ms else ""
        rows.append([view.target, f"{view.sparse} of {filters}", times, gain])
    return list(table(columns, rows, width))


def _training(training: Training, width: int) -> Lines:
    title = f"Trained on {count_of(training.steps, 'batch', 'batches')} of {training.batch}"
    if training.steps < training.planned:
        title += f", of {training.planned:,} planned"
    where = f" in {training.processes} processes" if training.processes > 1 else ""
    columns = [
        Column("after batches", right=True),
        Column("zeros", right=True),
        Column("loss", right=True),
        Column("agrees", right=True),
        Column("", gives_way=True),
    ]
    kept = " restored and kept" if training.restored else " kept"
    evaluations = training.evaluations
    shown = {evaluations[0].step, training.best.step, evaluations[-1].step}
    rows = [
        [
            f"{one.step:,}",
            f"{100 * one.zeros:.1f} %",
            f"{one.loss:.3g}",
            "" if one.agreement is None else f"{100 * one.agreement:.1f} %",
            kept.strip() if one.step == training.best.step else "",
        ]
        for one in evaluations
        if one.step in shown
    ]
    parts = "parts of pictures, " if training.augmented else ""
    note = f"{training.masks} masks, {parts}{training.device}{where}"
    lines = [heading(title, note, width, path=False), *table(columns, rows, width)]
    return lines + labelled("Adam", [_rate(training)], width)


def _rate(training: Training) -> str:
    learning = training.learning_rate
    words = f"learning rate {learning.rate:g}"
    if learning.rate in [one.rate for one in learning.tried]:
        return words + ", the largest tried that comes about as near as any"
    if learning.source == "tried":
        return words + ": each larger one that was tried undoes what is there"
    return words if learning.source == "given" else words + "; too few batches to try others"


def _quality(quality: Quality, before: Quality | None, width: int) -> Lines:
    title = f"Beside the dense model, on {held_out_words(quality)}"
    columns = [
        Column("output", gives_way=True),
        Column("top-1 agrees", right=True, style="bold"),
        Column("top-5 overlap", right=True),
        Column("KL", right=True),
        Column("SNR", right=True),
        Column("cosine", right=True),
    ]
    rows = []
    for number, output in enumerate(quality.outputs):
        if before is not None:
            rows.append([f"{output.name}, calibrated", *_measures(before.outputs[number])[1:]])
            rows.append([f"{output.name}, trained", *_measures(output)[1:]])
        else:
            rows.append(_measures(output))
    note = "" if quality.margin is None else f"± {MARGIN}"
    lines = [heading(title, note, width, path=False), *table(columns, rows, width)]
    for name, value in quality.after.items():
        dense = quality.before.get(name)
        words = f"{value:.4g}" if dense is None else f"{dense:.4g} dense, {value:.4g} pruned"
        if before is not None and name in before.after:
            words += f", {before.after[name]:.4g} before training"
        lines += labelled(name, [words], width)
    rough = rough_words(quality)
    lines += labelled("Note", [rough], width, style="yellow") if rough else []
    if quality.warning is not None:
        lines += labelled("Warning", [quality.warning], width, style="yellow")
    return lines


def _measures(output: OutputQuality) -> list[str]:
    return [
        output.name,
        "" if output.top1 is None else _agreement(output.top1, output.top1_margin),
        "" if output.top5 is None else f"{100 * output.top5:.1f} %",
        "" if output.kl is None else f"{output.kl:.3g}",
        "equal" if output.snr is None else f"{output.snr:.1f} dB",
        f"{output.cosine:.4f}",
    ]


def _agreement(share: float, margin: float | None) -> str:
    return f"{100 * share:.1f} % {margin_words(margin)}".rstrip()


def _left(left: Sequence[Left], width: int, top: int) -> Lines:
    from rich.text import Text

    reasons: dict[str, list[Left]] = {}
    for entry in left:
        reasons.setdefault(entry.reason, []).append(entry)
    groups = sorted(reasons.items(), key=lambda item: -sum(e.elements for e in item[1]))
    shown = groups[: top or None]
    title = (
        f"{count_of(len(left), 'weight')} left as they are" if len(left) > 1 else "1 weight left"
    )
    lines = [heading(title, "", width, path=False)]
    for reason, entries in shown:
        many = f"{len(entries)} weights"
        who = many if len(entries) > 1 else shorten(entries[0].weight.name, max(width - 24, 24))
        values = f"{sum(e.elements for e in entries):,} values"
        # The reason is what it is told for: it is never cut.
        rows = wrapped(f"{who}, {values}: {reason}", width, first="  ", rest="    ")
        lines += [Text(row) for row in rows]
    return lines
