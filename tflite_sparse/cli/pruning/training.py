"""Options that say how a pruned model is trained."""

from __future__ import annotations

import functools
import inspect
import os
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_type_hints

import typer

from tflite_sparse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.torch.training.options import DistillOptions

__all__ = [
    "NOT_ASKED",
    "MaskWay",
    "TrainingAsked",
    "has_companions",
    "is_follower",
    "takes_training",
    "training_options",
]

_AUTO = "auto"
_KIND = inspect.Parameter.POSITIONAL_OR_KEYWORD


class MaskWay(str, Enum):
    """What becomes of zeros while the other weights are trained."""

    FIXED = "fixed"
    MAGNITUDE = "magnitude"
    RIGL = "rigl"


class TrainingAsked(NamedTuple):
    """What a user says of training, None for what is left to the program: an option for each.

    Attributes:
        masks: what becomes of zeros.
        epochs: how often to go through the inputs.
        steps: on how many batches to train.
        minutes: for about how long.
        train_batch: inputs in a batch.
        learning_rate: the largest learning rate, or "auto".
        augment: whether parts of pictures are trained on.
        patience: evaluations without gain after which training stops.
        labels: the file with the classes.
        checkpoint: the file with the state.
        device: what to train on.
    """

    masks: Annotated[
        MaskWay | None,
        typer.Option(
            help="With --method train: zeros stay where they are, come one by one by magnitude, or"
            " move to where gradients say (RigL).  [default: fixed]"
        ),
    ] = None
    epochs: Annotated[
        float | None,
        typer.Option(metavar="N", help="Train for N passes over the inputs."),
    ] = None
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Train on N batches.  [default: 1000]")
    ] = None
    minutes: Annotated[
        float | None, typer.Option(metavar="N", help="Train for about N minutes.")
    ] = None
    train_batch: Annotated[
        int | None,
        typer.Option(metavar="N", help="Inputs in a batch, over all processes.  [default: 32]"),
    ] = None
    learning_rate: Annotated[
        str | None,
        typer.Option(
            metavar="X",
            help="Largest learning rate, which rises and falls by a cosine; auto tries"
            " some and takes the largest that comes about as near as any.  [default: auto]",
        ),
    ] = None
    augment: Annotated[
        bool | None,
        typer.Option(
            "--augment/--no-augment",
            help="Train on parts and mirror images of pictures, others each time."
            "  [default: no-augment]",
        ),
    ] = None
    patience: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Stop after N evaluations without a gain; there is one every 100 batches."
            "  [default: 10]",
        ),
    ] = None
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The class of each input of --data, in their order, to train on too: an .npy file,"
            " or text with one number a line.",
        ),
    ] = None
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Keep the state of the training there, and go on from it where it is.",
        ),
    ] = None
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Train on cpu, cuda or cuda:1.  [default: a GPU where there is one]",
        ),
    ] = None


NOT_ASKED = TrainingAsked()
"""Of whoever says nothing of training."""


def takes_training(command: Callable[..., int]) -> Callable[..., int]:
    """Gives a command the options of training in the place of its parameter `training`.

    Args:
        command: a function with such a parameter, a `TrainingAsked`.
    """
    own = inspect.signature(command, eval_str=True)
    kinds = get_type_hints(TrainingAsked, include_extras=True)
    options = [
        inspect.Parameter(name, _KIND, default=None, annotation=kinds[name])
        for name in TrainingAsked._fields
    ]
    parameters = [
        taken
        for parameter in own.parameters.values()
        for taken in (options if parameter.name == "training" else [parameter])
    ]

    @functools.wraps(command)
    def taking(**given: Any) -> int:
        asked = TrainingAsked(*(given.pop(name) for name in TrainingAsked._fields))
        return command(**given, training=asked)

    # What typer makes options of.
    taking.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return taking


def training_options(given: TrainingAsked, *, trains: bool) -> DistillOptions | None:
    """How to train, None where nobody asks for it.

    Args:
        given: what the user says.
        trains: whether --method train was given.

    Raises:
        UsageError: an option is for training alone, or they contradict each other; or several
            processes were started for something else.
    """
    from tflite_sparse.torch.training.options import DistillOptions

    asked = {name: value for name, value in given._asdict().items() if value is not None}
    if not trains:
        _refuse_processes()
        if asked:
            option = next(iter(asked)).replace("_", "-")
            raise UsageError(f"--{option} is for --method train", hint="add it, or leave this out")
        return None
    lengths = [name for name in ("epochs", "steps", "minutes") if name in asked]
    if len(lengths) > 1:
        raise UsageError(
            f"--{lengths[0]} and --{lengths[1]} both say how long to train",
            hint="leave one of them out",
        )
    asked.pop("labels", None)
    if "train_batch" in asked:
        asked["batch"] = asked.pop("train_batch")
    if given.masks is not None:
        asked["masks"] = given.masks.value
    if given.learning_rate is not None:
        asked["learning_rate"] = _rate(given.learning_rate)
    options = DistillOptions(**asked)
    options.check()
    return options


def _rate(text: str) -> float | None:
    """A learning rate; None for "auto".

    Raises:
        UsageError: it is neither that nor a number.
    """
    if text == _AUTO:
        return None
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no learning rate", hint="--learning-rate 1e-4, or auto"
        ) from None


def is_follower() -> bool:
    """Whether a launcher has started several processes, and this is not the first, which writes."""
    return has_companions() and os.environ.get("RANK", "0") != "0"


def has_companions() -> bool:
    """Whether `torchrun`, or a launcher like it, has started other processes beside this one."""
    return os.environ.get("WORLD_SIZE", "1") != "1"


def _refuse_processes() -> None:
    """Refuses to do in several processes what one does.

    Raises:
        UsageError: `torchrun` has started several.
    """
    if has_companions():
        raise UsageError(
            "several processes are for training alone",
            hint="add --method train, or start it without torchrun",
        )
