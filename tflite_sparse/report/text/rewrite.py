"""A rewrite as text for people: what is stored otherwise now, what it saves, what was left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.input_shapes import sizes_words
from tflite_sparse.report.names import (
    SHORT_OPERATORS,
    common_prefix,
    constant_words,
    layer_part,
    shorten,
)
from tflite_sparse.report.text.adapt import adaptation_lines
from tflite_sparse.report.text.headings import Lines, heading, labelled
from tflite_sparse.report.text.pruning.quality import quality_lines
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import count_of, kib, percent, shape, size, type_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.pruning.measures import Quality
    from tflite_sparse.rewrite.changes import Left, Rewrite, WeightChange
    from tflite_sparse.rewrite.failing import Failing
    from tflite_sparse.rewrite.writing.sizes import Sizes
    from tflite_sparse.runtime.prove import Proof

__all__ = ["rewrite_lines"]

_DONE = {
    "adapt": "stored otherwise",
    "sparsify": "stored sparse",
    "optimize": "stored sparse",
    "compress": "stored anew",
    "densify": "stored dense",
}


def rewrite_lines(
    rewrite: Rewrite,
    sizes: Sizes,
    path: str,
    target: str | None,
    width: int,
    *,
    top: int = 20,
    proof: Proof | None = None,
    quality: Quality | None = None,
) -> Lines:
    """The lines of a rewrite.

    Args:
        rewrite: what was done.
        sizes: of the model before and after.
        path: the model that was read.
        target: where the result was written, None where it was not.
        width: the room for a line in characters.
        top: how many weights to show, those that change most first; 0 for all.
        proof: what running both models showed; None where nobody asked for it.
        quality: how near what was written comes to the dense model that was pruned; None where no
            data tell it.
    """
    from rich.text import Text

    lines: Lines = [heading(path, _change(sizes.before, sizes.after), width)]
    if rewrite.adaptation is not None:
        lines += adaptation_lines(rewrite.adaptation, width, top)
    sizes_said = sizes_words(rewrite.input_shapes, "fixed" if rewrite.fixed else "planned")
    if sizes_said:
        lines += labelled("Sizes", [sizes_said], width)
    if not rewrite.changed and rewrite.kind != "adapt":
        lines += labelled("Unchanged", [_nothing(rewrite)], width)
    elif rewrite.changed:
        if rewrite.weights:
            lines += [Text(), *_weights(rewrite, width, top)]
        lines += [Text(), *_totals(rewrite, sizes, width)]
    if rewrite.left:
        lines += [Text(), *_left(rewrite.left, width)]
    for note in rewrite.notes:
        lines += labelled("Note", [note], width)
    return lines + _ending(rewrite, target, proof, quality, width)


def _ending(
    rewrite: Rewrite, target: str | None, proof: Proof | None, quality: Quality | None, width: int
) -> Lines:
    """What was shown of the result, and where it is."""
    lines: Lines = []
    if proof is not None:
        lines += _proof(proof, width)
    if quality is not None and target is not None:
        lines += quality_lines(quality, width)
    if rewrite.changed:
        written = ("Written", target) if target else ("Dry run", "nothing written")
        lines += labelled(written[0], [written[1]], width)
    return lines


def failing_lines(wrong: Failing | None, repaired: Failing | None, width: int) -> Lines:
    """What the runtime gets wrong with the result, or got wrong before.

    Args:
        wrong: the former; None for nothing.
        repaired: the latter; None for nothing.
        width: the room for a line in characters.
    """
    if wrong is not None:
        return labelled("Broken", [f"it {wrong.words()}"], width, style="bold red")
    if repaired is not None:
        return labelled("Repaired", [f"it {repaired.words(past=True)}"], width, style="green")
    return []


def _proof(proof: Proof, width: int) -> Lines:
    label, style = ("Verified", "green") if proof.verified else ("Unverified", "yellow")
    lines = labelled(label, [proof.words], width, style=style)
    if proof.constant:
        lines += labelled("But", [constant_words(proof.constant)], width, style="yellow")
    return lines


def _nothing(rewrite: Rewrite) -> str:
    if rewrite.kind == "densify":
        return "no weight is stored sparse, or in numbers that were to be unpacked"
    done = sum(left.code == "sparse-already" for left in rewrite.left)
    if done:
        return f"{count_of(done, 'weight')} stored sparse already; no other is to be"
    return "no weight is to be stored sparse"


def _weights(rewrite: Rewrite, width: int, top: int) -> Lines:
    changes = sorted(rewrite.weights, key=lambda c: -abs(c.bytes_before - c.bytes_after))
    shown = changes[:top] if top else changes
    names = [_name(change) for change in shown]
    prefix = common_prefix(names)
    title = f"{count_of(len(changes), 'weight')} {_done(rewrite)}"
    if len(shown) < len(changes):
        title += f", {len(shown)} shown"
    # Beside the title and the type of the values.
    room = max(width - len(title) - len("  under , fp32"), 20)
    notes = [f"under {shorten(prefix, room)}"] if prefix else []
    types = {type_name(change.weight.type) for change in shown}
    if len(types) == 1:
        notes += types
    rounded = any(change.rounding is not None for change in shown)
    columns = [
        Column("#", right=True, style="dim"),
        Column("operator"),
        Column("weight", gives_way=True),
        Column("shape", right=True),
        *([Column("type")] if len(types) > 1 else []),
        Column("zeros", right=True, style="bold"),
        Column("encoding"),
        *([Column("values"), Column("SNR dB", right=True)] if rounded else []),
        Column("KiB", right=True),
        Column("now", right=True),
    ]
    rows = [
        [
            *_operator(change),
            name.removeprefix(prefix),
            shape(change.weight.shape),
            *([type_name(change.weight.type)] if len(types) > 1 else []),
            percent(change.zeros, change.elements),
            _short(change.before if change.after == "dense" else change.after),
            *(_rounding(change) if rounded else ()),
            kib(change.bytes_before),
            kib(change.bytes_after),
        ]
        for change, name in zip(shown, names, strict=True)
    ]
    return [heading(title, ", ".join(notes), width, path=False), *table(columns, rows, width)]


def _done(rewrite: Rewrite) -> str:
    """What was done to the weights that changed."""
    rounded = [change for change in rewrite.weights if change.rounding is not None]
    kinds = " and ".join(sorted({str(c.rounding.values) for c in rounded if c.rounding}))
    if not rounded:
        dense = sum(change.after == "dense" for change in rewrite.weights)
        if dense == len(rewrite.weights):
            return _DONE["densify"]
        done = _DONE.get(rewrite.kind, "stored otherwise")
        return f"{done}, {dense} of them dense" if dense and rewrite.kind != "densify" else done
    sparse = sum(change.after != "dense" for change in rewrite.weights)
    some = "" if len(rounded) == len(rewrite.weights) else f"{len(rounded)} of them "
    return f"stored anew, {some}as {kinds}, {sparse} sparse"


def _rounding(change: WeightChange) -> tuple[str, str]:
    """The numbers in which a weight is stored now, and how near they come to those before."""
    rounding = change.rounding
    if rounding is None:
        return type_name(change.weight.type), ""
    return str(rounding.values), "exact" if rounding.snr is None else f"{rounding.snr:.1f}"


def _name(change: WeightChange) -> str:
    operators = change.weight.operators
    return layer_part(change.weight.name, operators[0].split(" #")[0] if operators else "")


def _operator(change: WeightChange) -> tuple[str, str]:
    """Number and kind of the first operator that reads a weight."""
    operators = change.weight.operators
    if not operators:
        return "", "none"
    kind, _, number = operators[0].partition(" #")
    more = f" +{len(operators) - 1}" if len(operators) > 1 else ""
    return number, SHORT_OPERATORS.get(kind, kind) + more


def _short(encoding: str) -> str:
    return encoding.replace("CSR on dimension ", "CSR ").replace(", blocks ", " ")


def _totals(rewrite: Rewrite, sizes: Sizes, width: int) -> Lines:
    lines: Lines = []
    if rewrite.weights:
        change = _change(rewrite.bytes_before, rewrite.bytes_after)
        lines += labelled("Weights", [change], width)
    lines += labelled("Installed", [_change(sizes.before, sizes.after)], width)
    if sizes.gzip_before is not None and sizes.gzip_after is not None:
        lines += labelled("After gzip", [_change(sizes.gzip_before, sizes.gzip_after)], width)
    zeroed = sum(change.zeroed for change in rewrite.weights)
    if zeroed:
        elements = sum(change.elements for change in rewrite.weights)
        text = f"{zeroed:,} values ({percent(zeroed, elements)}), which loses what they were"
        lines += labelled("Set to zero", [text], width, style="yellow")
    lines += _lost(rewrite, width)
    changed = []
    for operator in rewrite.operators:
        changed += [f"{operator.added} {operator.name} added"] if operator.added else []
        changed += [f"{operator.removed} {operator.name} removed"] if operator.removed else []
        changed += [
            f"{number} {operator.name} from version {before} to {after}"
            for before, after, number in operator.versions
        ]
    lines += labelled("Operators", changed, width) if changed else []
    if rewrite.min_runtime_version is not None:
        version = rewrite.min_runtime_version
        text = f"min_runtime_version {version.before or 'none'} to {version.after}"
        text += ", which counts in releases of TensorFlow Lite"
        lines += labelled("Metadata", [text], width)
    return lines


def _lost(rewrite: Rewrite, width: int) -> Lines:
    """What storing weights in other numbers lost."""
    rounded = [change.rounding for change in rewrite.weights if change.rounding is not None]
    if not rounded:
        return []
    ratios = [rounding.snr for rounding in rounded if rounding.snr is not None]
    kinds = " and ".join(sorted({str(rounding.values) for rounding in rounded}))
    items = [f"{kinds}, which loses information"]
    if ratios:
        items.append(f"SNR of weights {min(ratios):.1f} to {max(ratios):.1f} dB")
    fits = [r for r in rounded if r.output_snr is not None and r.nearest_snr is not None]
    if fits:
        gains = [(r.output_snr or 0.0) - (r.nearest_snr or 0.0) for r in fits]
        items.append(
            f"fitted: what {count_of(len(fits), 'weight')} compute is nearer by"
            f" {sum(gains) / len(gains):.1f} dB on the data than rounded without"
        )
    raised, lost = (sum(getattr(r, name) for r in rounded) for name in ("raised", "lost"))
    items += [f"{raised:,} values kept from becoming zero"] if raised else []
    items += [f"{lost:,} values became zero"] if lost else []
    return labelled("Values", items, width, style="yellow")


def _left(left: Sequence[Left], width: int) -> Lines:
    groups: dict[str, list[Left]] = {}
    for entry in left:
        groups.setdefault(entry.reason, []).append(entry)
    title = f"{count_of(len(left), 'weight')} left as {'it is' if len(left) == 1 else 'they are'}"
    lines = [heading(title, "", width, path=False)]
    for reason, entries in sorted(groups.items(), key=lambda item: -_bytes(item[1])):
        items = [f"{reason} ({size(_bytes(entries))})"]
        if entries[0].code not in {"not-smaller", "sparse-already", "not-asked", "rank"}:
            items.append(f"such as {entries[0].weight.name or 'a weight without a name'}")
        lines += labelled(str(len(entries)), items, width)
    return lines


def _bytes(entries: Sequence[Left]) -> int:
    return sum(entry.bytes for entry in entries)


def _change(before: int, after: int) -> str:
    if before == after:
        return size(after)
    return f"{size(before)} to {size(after)} ({_signed(before, after)})"


def _signed(before: int, after: int) -> str:
    if not before:
        return "new"
    return f"{100 * (after - before) / before:+.1f} %"
