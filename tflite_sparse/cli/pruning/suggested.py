"""The next step: of `optimize` for a model with too few zeros, and of `prune` for its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.inspection.next_step import PRUNED, NextStep
from tflite_sparse.inspection.open_batch import batch_to_fix
from tflite_sparse.words.names import readable
from tflite_sparse.words.shell import file_word, shell_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.text import Text

    from tflite_sparse.cli.rewriting import Rewritten
    from tflite_sparse.model.sizes.sized import InputShapes

__all__ = ["after_pruning", "with_next"]

_FOR_BLOCKS = "arm64"


def with_next(
    rewritten: Rewritten, path: str, data: str | None, options: Mapping[str, Sequence[str]]
) -> Rewritten:
    """What came of a model, with the command that prunes it where zeros are all that it lacks.

    Args:
        rewritten: what came of it.
        path: the model that was read.
        data: what --data says; None for nothing.
        options: what the command at hand was given that the next one needs too, by option.
    """
    result = rewritten.result
    adaptation = None if result is None else result.adaptation
    if result is None or adaptation is None or not adaptation.lacks_zeros:
        return rewritten
    report = rewritten.report
    words = _words(options)
    if not result.fixed:
        words += _fixing(result.input_shapes, [view.target for view in adaptation.outlook])

    def lines(width: int) -> Iterable[Text | str]:
        from rich.text import Text

        from tflite_sparse.report.text.inspection import step_lines

        return [*report.lines(width), Text(), *step_lines(_step(path, data, words), width)]

    return rewritten._replace(report=report._replace(lines=lines))


def after_pruning(
    written: str,
    block: int,
    options: Mapping[str, Sequence[str]],
    sizes: InputShapes,
    targets: Sequence[str],
) -> NextStep:
    """What makes a pruned file small and fast.

    Args:
        written: the file.
        block: output channels that became zero together.
        options: what `prune` was given that `optimize` needs too, by option.
        sizes: the sizes that the file is looked at with where nobody asks for any.
        targets: names of the targets that it was pruned for.
    """
    why = "The zeros are stored dense: this stores them sparse and proves that nothing changes."
    if block > 1 and not options.get("--target"):
        options, targets = {**options, "--target": (_FOR_BLOCKS,)}, (_FOR_BLOCKS,)
        why += f" Blocks stay together for {_FOR_BLOCKS} alone."
    why += " With --values int8 the file gets smaller still, at a small loss that is printed."
    words = _words(options)
    if not (options.get("--batch") or options.get("--input-shape")):
        words += _fixing(sizes, targets)
    words = ["tflite-sparse", "optimize", file_word(written), *words]
    command = " ".join([*words, "-o", file_word(written, "fast")])
    return NextStep("Make it small and fast", why, command)


def _fixing(sizes: InputShapes | None, targets: Sequence[str]) -> list[str]:
    """The option that fixes a batch which is left open, where pages are to run the model."""
    batch = batch_to_fix(sizes, targets)
    return [] if batch is None else [batch.fixing]


def _words(options: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{option} {shell_word(each)}" for option, given in options.items() for each in given]


def _step(path: str, data: str | None, options: Sequence[str]) -> NextStep:
    source = "FOLDER" if data is None else shell_word(readable(data))
    model = file_word(path)
    words = ["tflite-sparse", "optimize", model, f"--prune {PRUNED:g}", f"--data {source}"]
    return NextStep(
        "Prune it",
        "It has too few zeros to run sparse. This sets weights to zero and fits the others to"
        " inputs of yours, images or arrays; without --data the result shows size and speed alone."
        f" What a share of zeros would bring, 'tflite-sparse sweep {model}' tells.",
        " ".join([*words, *options, "-o", file_word(path, "pruned")]),
    )
