"""How a pruned model is trained, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, get_args

from tflite_sparse.errors import UsageError
from tflite_sparse.masking.schedule import MaskKind, Schedule
from tflite_sparse.records import Record
from tflite_sparse.torch.training.rates import LearningRate

if TYPE_CHECKING:
    from tflite_sparse.model import Model

__all__ = ["DistillOptions", "Distilled", "Evaluation", "MaskKind", "Progress"]

DROP, DROP_FROM_START = 0.3, 0.03
_MOST_ZEROS = 1.0
_BLOCKS = (1, 2, 4)


class DistillOptions(Record, frozen=True):
    """How to train.

    Attributes:
        zeros: share of zeros that every filter chosen is to have.
        zeros_of: other shares for single filters, by the name of their tensor, or by its number as
            "#12"; filters that would not be chosen are chosen by that.
        masks: "fixed", the zeros that the start has, or those of least magnitude in it;
            "magnitude", more and more of least magnitude; "rigl", which begins as "fixed" does and
            moves zeros: weights of least magnitude are dropped, and those of largest gradient grow.
        block: output channels side by side that have their zeros together: 1, 2 or 4.
        steps: how many batches to train on.
        epochs: in its place, how often to go through the samples; None for what `steps` says.
        minutes: in its place, about how long to train; None likewise. The speed of a few batches
            tells how many that are.
        batch: samples in a batch, over all processes.
        learning_rate: the largest learning rate of Adam; it rises over the first 20th of the steps
            and falls to zero by a cosine. None for the largest of 0.001, 0.0003 and 0.0001 with
            which the loss on what is held out is, after a short training, within 7 % of the
            least of the three; where even that is more than 7 % above the beginning, 0.00003. The
            short trainings take a 20th of the steps; where that is less than 3 each, it is 0.0001.
        ramp: share of the steps after which "magnitude" has made all zeros.
        every: steps between changes of the masks.
        drop: share of the weights that RigL moves at first; it falls to none by a cosine until
            three quarters of the steps. None for 0.3, as published, or for 0.03 where there is a
            start: zeros that were fitted to data are worth more than what many moves can bring in
            a short training.
        features: weight of the distance of inner values in the loss, beside that of the outputs.
        held_out: share of the samples that are never trained on, to evaluate.
        evaluate: steps between evaluations.
        patience: evaluations without gain, with all zeros there, after which training stops.
        restore: whether means and variances of channels are restored at the end, where that brings
            the outputs nearer.
        augment: whether parts and mirror images of pictures are trained on, others each time. What
            is held out stays as it is.
        seed: makes the order of the samples, and the parts of them.
        checkpoint: a file that holds the state of the training, written with each evaluation and
            gone on from where it is there.
        device: such as "cuda"; None for the one that is there.
    """

    zeros: float = 0.8
    zeros_of: dict[str, float] = {}  # noqa: RUF012 - a default that msgspec copies
    masks: MaskKind = "fixed"
    block: int = 1
    steps: int = 1000
    epochs: float | None = None
    minutes: float | None = None
    batch: int = 32
    learning_rate: float | None = None
    ramp: float = 0.5
    every: int = 25
    drop: float | None = None
    features: float = 1.0
    held_out: float = 0.1
    evaluate: int = 100
    patience: int = 10
    restore: bool = True
    augment: bool = False
    seed: int = 0
    checkpoint: str | None = None
    device: str | None = None

    def schedule(self) -> Schedule:
        """How masks change."""
        drop = DROP if self.drop is None else self.drop
        return Schedule(self.masks, self.steps, ramp=self.ramp, every=self.every, drop=drop)

    def check(self) -> None:
        """Checks that the numbers make sense.

        Raises:
            UsageError: one does not.
        """
        for name, share in (("zeros", self.zeros), *self.zeros_of.items()):
            if not 0 <= share < _MOST_ZEROS:
                raise UsageError(f"a share of zeros is from 0 to below 1, {name} is {share}")
        for name in ("steps", "batch", "every", "evaluate", "patience"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is 1 or more, was {getattr(self, name)}")
        for name in ("ramp", "drop", "held_out"):
            if not 0 <= (getattr(self, name) or 0.0) < 1:
                raise UsageError(f"{name} is from 0 to below 1, was {getattr(self, name)}")
        self._check_length()
        kinds = get_args(MaskKind)
        if self.masks not in kinds:
            raise UsageError(f"masks is one of {', '.join(kinds)}, was {self.masks!r}")
        if self.block not in _BLOCKS:
            raise UsageError(f"block is 1, 2 or 4, was {self.block}")
        rate = 1.0 if self.learning_rate is None else self.learning_rate
        if not (0 < rate < float("inf") and 0 <= self.features < float("inf")):
            raise UsageError("the learning rate is above 0 and the weight of features not below it")

    def _check_length(self) -> None:
        if self.epochs is not None and self.minutes is not None:
            raise UsageError("either epochs or minutes say how long to train")
        for name, amount in (("epochs", self.epochs), ("minutes", self.minutes)):
            if amount is not None and not 0 < amount < float("inf"):
                raise UsageError(f"{name} are more than 0, were {amount:g}")


class Evaluation(Record, frozen=True):
    """How near the model is to the dense one on what was held out.

    Attributes:
        step: after how many batches.
        zeros: share of zeros in the filters chosen.
        loss: distance of the outputs, with that of the inner values.
        agreement: share of the samples with the same most likely class; None for what is no
            classifier.
    """

    step: int
    zeros: float
    loss: float
    agreement: float | None


class Distilled(NamedTuple):
    """What came of a training.

    Attributes:
        model: the trained model; the one that was given is as it was.
        evaluations: all of them; the first is before training.
        best: the one that the model has the weights of; without what was restored.
        restored: whether restoring means and variances brought it nearer, and was kept.
        zeros: name of each filter -> share of its weights that are zero; of filters that share a
            name, "#" and the number of the tensor.
        planned: how many batches there would have been if nothing had stopped it early.
        held_out: number of samples that were not trained on.
        learning_rate: the largest one, and how it was found.
    """

    model: Model
    evaluations: tuple[Evaluation, ...]
    best: Evaluation
    restored: bool
    zeros: dict[str, float]
    planned: int = 0
    held_out: int = 0
    learning_rate: LearningRate = LearningRate(0.0, "given")


class Progress(NamedTuple):
    """How far a training is.

    Attributes:
        step: batches done.
        steps: batches in all, where nothing stops it early.
        loss: of the last batch.
        seconds_left: until all are done, at the speed so far.
        evaluation: the last one.
    """

    step: int
    steps: int
    loss: float
    seconds_left: float
    evaluation: Evaluation | None
