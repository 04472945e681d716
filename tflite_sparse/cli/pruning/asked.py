"""What `prune` and `optimize --prune` have in common: inputs, quality, and what is refused."""

from __future__ import annotations

from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tflite_sparse.cli.errors import report_note
from tflite_sparse.cli.pruning.training import is_follower
from tflite_sparse.errors import UsageError
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.pruning.measures import Quality
    from tflite_sparse.pruning.options import PruneOptions
    from tflite_sparse.pruning.result import PrunedModel, Pruning
    from tflite_sparse.runtime.activations.calibrate import Split
    from tflite_sparse.runtime.data.images import ImageOptions
    from tflite_sparse.runtime.observations import Outputs

__all__ = [
    "GivenData",
    "Pruned",
    "image_options",
    "parse_layers",
    "parse_numbers",
    "prune_with",
    "pruned_file",
    "recipe_options",
    "too_far",
]


class Pruned(NamedTuple):
    """A model that was pruned, to be rewritten.

    Attributes:
        path: where it lies.
        pruning: what was done.
        refused: why it is not good enough to go on with; None where it is.
        held_out: inputs that nothing was fitted to, by position; () without data.
    """

    path: str
    pruning: Pruning
    refused: str | None = None
    held_out: Sequence[Outputs] = ()


class GivenData(NamedTuple):
    """Where inputs come from, and how they become those of a model.

    Attributes:
        source: what --data says; None for no data.
        images: how images become inputs.
        input_shapes: shapes that were asked for, by the name of the input.
        batch: the first dimension that was asked for.
        labels: the file with the class of each input; None for none.
    """

    source: str | None
    images: ImageOptions
    input_shapes: Mapping[str, Sequence[int]] | None = None
    batch: int | None = None
    labels: str | None = None


def image_options(mean: str | None, std: str | None, layout: str | None) -> ImageOptions:
    """How images become inputs, as --mean, --std and --layout say.

    Raises:
        UsageError: they are no numbers, or divide by 0.
    """
    from tflite_sparse.runtime.data.images import ImageOptions

    return ImageOptions(parse_numbers(mean, "--mean"), parse_numbers(std, "--std"), layout)


def parse_layers(texts: Sequence[str] | None) -> tuple[tuple[str, float], ...]:
    """Shares of zeros by the name of a filter: "conv_1*=0.9".

    Raises:
        UsageError: one says something else.
    """
    from tflite_sparse.words.units import parse_share

    pairs = []
    for text in texts or ():
        pattern, equals, share = text.rpartition("=")
        if not equals or not pattern:
            raise UsageError(f"{text!r} is no share of a filter", hint="write PATTERN=0.9")
        pairs.append((pattern, parse_share(share)))
    return tuple(pairs)


def parse_numbers(text: str | None, option: str) -> tuple[float, ...] | None:
    """Numbers with commas between them, one a channel: "123.7,116.3,103.5".

    Raises:
        UsageError: they are none.
    """
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(map(isfinite, numbers)):
        raise UsageError(f"{option} {text!r}: no numbers", hint="write 127.5 or 124,116,104")
    return numbers


def recipe_options(
    path: str | None, by_hand: Mapping[str, object], seed: int
) -> PruneOptions | None:
    """What a recipe asks for; None without one.

    Args:
        path: the file; None for none.
        by_hand: options that say what a recipe says, and what the user gave for each; None for
            nothing.
        seed: of what is drawn.

    Raises:
        UsageError: one of those was given.
        FileError: the file is no recipe.
    """
    if path is None:
        return None
    from msgspec.structs import replace

    from tflite_sparse.pruning.recipe import read_recipe

    given = next((option for option, value in by_hand.items() if value), None)
    if given is not None:
        raise UsageError(f"--recipe says what {given} would", hint="leave one of them out")
    return replace(read_recipe(path).options(), seed=seed)


def prune_with(
    model: Model,
    options: PruneOptions,
    data: GivenData,
    metric: str | None,
    min_agreement: float = 0,
) -> tuple[PrunedModel, Sequence[Outputs]]:
    """Prunes a model; with data, says how near it comes to the dense one.

    Args:
        model: the dense model.
        options: how it is pruned.
        data: the inputs.
        metric: the user's own, "module:function"; None for none.
        min_agreement: the smallest agreement that `too_far` will allow; 0 asks for nothing.

    Returns:
        The pruned model, and the inputs that it was judged by; none without data.

    Raises:
        TfliteSparseError: see `prune` and `given_inputs`.
    """
    from msgspec.structs import replace

    from tflite_sparse.cli.progress import progress_bar
    from tflite_sparse.pruning.prune import prune
    from tflite_sparse.runtime.activations.calibrate import Split, fitted_part
    from tflite_sparse.runtime.data.given import given_inputs, preparation_of
    from tflite_sparse.runtime.data.labels import given_labels

    if data.source is None:
        _refuse_unknown(min_agreement, None)
        asked = {
            "--metric": metric is not None,
            "--mean, --std and --layout": data.images.asked,
            "--labels": data.labels is not None,
        }
        for option, given in asked.items():
            if given:
                raise UsageError(f"{option} asks for --data", hint="--data FOLDER gives inputs")
        with progress_bar("pruning"):
            return prune(model, options), ()
    inputs = given_inputs(
        data.source, model, data.images, batch=data.batch, input_shapes=data.input_shapes
    )
    split = Split.of(inputs)
    if split.held_out is split.fitted:
        count = count_of(len(split.fitted), "input")
        raise UsageError(
            f"{data.source} has {count}, and one of four is held out",
            hint="give 4 at least; a few hundred make sense",
        )
    own = _tried(model, split, metric, min_agreement)
    labels = None if data.labels is None else given_labels(data.labels, len(inputs))
    with _kept(options), progress_bar("pruning", ticks=False) as update:
        pruned = prune(
            model,
            options,
            split.fitted,
            labels=None if labels is None else fitted_part(labels),
            progress=lambda words, i, n: update(
                i, n, words if words.startswith("training") else None
            ),
        )
    report = replace(pruned.report, images=preparation_of(inputs))
    pruned = replace(pruned, report=report)
    if not is_follower():
        with progress_bar("judging"):
            pruned = _judged(model, pruned, split, own)
    return pruned, split.held_out


@contextmanager
def _kept(options: PruneOptions) -> Iterator[None]:
    """Says of a training with a checkpoint that it goes on from there, and can be gone on with."""
    path = None if options.training is None else options.training.checkpoint
    if path is None or is_follower():
        yield
        return
    if Path(path).is_file():
        report_note(
            f"{path} holds a training: where it is this one, it goes on from there once values are"
            " fitted again"
        )
    try:
        yield
    except KeyboardInterrupt:
        if Path(path).is_file():
            report_note(f"the same command goes on from {path}")
        else:
            report_note(f"{path} is not written yet: the first evaluation writes it")
        raise


@contextmanager
def pruned_file(
    model: str, options: PruneOptions, data: GivenData, min_agreement: float
) -> Iterator[Pruned]:
    """A pruned model in a file of its own, for what goes on with it.

    Args:
        model: path of the dense model.
        options: how it is pruned.
        data: the inputs.
        min_agreement: the smallest agreement that is allowed; 0 asks for nothing.
    """
    from tflite_sparse.files.output import scratch
    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.writing.save import save

    try:
        pruned, held_out = prune_with(Model.read(model), options, data, None, min_agreement)
    except UsageError as error:
        # What is --zeros of prune is --prune here.
        hint = error.hint and error.hint.replace("--zeros ", "--prune ")
        raise UsageError(error.message, place=error.place, hint=hint) from error
    refused = None if is_follower() else too_far(pruned, min_agreement)
    with scratch() as (file, path):
        save(pruned, file)
        file.flush()
        yield Pruned(str(path), pruned.report, refused, held_out)


def _tried(
    model: Model, split: Split, metric: str | None, min_agreement: float
) -> Callable[..., Any] | None:
    """The user's own metric; what cannot be measured of the dense model fails before the work."""
    from tflite_sparse.pruning.judge import judge, measure
    from tflite_sparse.runtime.data.given import function_of

    if min_agreement and not is_follower():
        _refuse_unknown(min_agreement, judge(model, model, split.held_out[:1]))
    if metric is None:
        return None
    own = function_of(metric)
    if not is_follower():
        measure(model, split.held_out, own)
    return own


def _judged(
    model: Model, pruned: PrunedModel, split: Split, own: Callable[..., Any] | None
) -> PrunedModel:
    from tflite_sparse.pruning.judge import judge

    before = None
    if pruned.start is not None:
        before = judge(model, pruned.start, split.held_out, own)
    return pruned.judged(judge(model, pruned.model, split.held_out, own), before)


def too_far(pruned: PrunedModel, least: float) -> str | None:
    """Why a pruned model is too far from the dense one; None where it is near enough.

    Args:
        pruned: it.
        least: the smallest agreement that is allowed; 0 asks for nothing.

    Raises:
        UsageError: nothing tells how near it is.
    """
    quality = pruned.report.quality
    _refuse_unknown(least, quality)
    agreement = None if quality is None else quality.agreement
    if quality is None or agreement is None or agreement >= least:
        return None
    return (
        f"it agrees with the dense model on {100 * agreement:.1f} % of the"
        f" {quality.inputs:,} inputs held out, which is less than {100 * least:g} %; --force writes"
        " it all the same"
    )


def _refuse_unknown(least: float, quality: Quality | None) -> None:
    """Refuses to ask for an agreement where none is measured."""
    if least and (quality is None or quality.agreement is None):
        raise UsageError(
            "--min-agreement is for classifiers, on data",
            hint="--data FOLDER gives inputs" if quality is None else "no output has classes",
        )
