"""What pruning did, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from tflite_sparse.model import Model
from tflite_sparse.pruning.measures import Quality
from tflite_sparse.pruning.options import Allocation, Method
from tflite_sparse.records import Amount, Count, Record, Share
from tflite_sparse.rewrite.changes import Left
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.runtime.data.images import Preparation
from tflite_sparse.storage.weight_id import WeightId
from tflite_sparse.torch.training.options import Evaluation
from tflite_sparse.torch.training.rates import LearningRate

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["PrunedFilter", "PrunedModel", "Pruning", "Speed", "Training"]


class PrunedFilter(Record, frozen=True):
    """A filter with zeros.

    Attributes:
        weight: which one.
        elements: number of its values.
        zeros: how many of them are zero now.
        zeros_before: how many were before.
        cluster: filters with the same number go sparse together or not at all.
        error: power of the differences of what the filter computes as a share of the variance of
            what it computed, on the inputs that it was fitted to; null without data.
        note: what else there is to know, or null.
    """

    flat: ClassVar[tuple[str, ...]] = ("weight",)

    weight: WeightId
    elements: Count
    zeros: Count
    zeros_before: Count
    cluster: Count
    error: Amount | None = None
    note: str | None = None


class Speed(Record, frozen=True):
    """What `optimize` will make of the pruned model on a target.

    Attributes:
        target: the target.
        sparse: how many of the pruned filters run sparse.
        dense_ms: estimated time with dense weights, in milliseconds; null where nobody measured.
        ms: estimated time once its weights are stored sparse.
    """

    target: str
    sparse: Count
    dense_ms: Amount | None
    ms: Amount | None


class Training(Record, frozen=True):
    """How a pruned model was trained, and what that brought.

    Attributes:
        masks: how zeros were held or moved: "fixed", "magnitude" or "rigl".
        steps: number of batches that were trained on.
        planned: how many there would have been if nothing had stopped it early.
        batch: samples in a batch, over all processes.
        samples: number of samples that were trained on, each as often as it came.
        held_out: number of samples among those given that only said how far the training was.
        labelled: whether labels took part.
        augmented: whether parts and mirror images of pictures were trained on.
        processes: how many processes trained together.
        device: of the first one.
        evaluations: how near the model was to the dense one as it went; the first is before.
        best: the one whose weights the model has.
        restored: whether means and variances of channels were restored at the end, which is only
            kept where it brings the outputs nearer.
        learning_rate: the largest one, and how it was found.
        before: the quality before training, on the inputs of `Pruning.quality`; null where nobody
            judged it, or where training began with the dense model.
    """

    masks: str
    steps: Count
    planned: Count
    batch: Count
    samples: Count
    held_out: Count
    labelled: bool
    augmented: bool
    processes: Count
    device: str
    evaluations: tuple[Evaluation, ...]
    best: Evaluation
    restored: bool
    learning_rate: LearningRate
    before: Quality | None = None


class Pruning(Record, frozen=True):
    """What was done, without the model.

    Attributes:
        method: how values were chosen.
        allocation: how zeros were spread.
        block: neighbouring output channels that became zero together.
        zeros: zeros in the pruned filters.
        elements: number of values in them.
        filters: the pruned filters, in the order in which the model reads them.
        left: other weights, and why each stays as it is.
        speed: what comes of it, by target.
        calibrated_on: number of inputs that values were fitted to; 0 without data and for
            those of least magnitude.
        quality: how near the model comes to the dense one on inputs held out; null without data.
        notes: what else there is to know, one sentence each.
        training: how it was trained; null where it was not.
        images: how images became inputs; null without images.
    """

    method: Method
    allocation: Allocation
    block: Count
    zeros: Count
    elements: Count
    filters: tuple[PrunedFilter, ...]
    left: tuple[Left, ...]
    speed: tuple[Speed, ...]
    calibrated_on: Count
    quality: Quality | None
    notes: tuple[str, ...]
    training: Training | None = None
    images: Preparation | None = None

    @property
    def share(self) -> Share:
        """Share of zeros in the pruned filters."""
        return self.zeros / self.elements if self.elements else 0.0


class PrunedModel(msgspec.Struct, frozen=True, eq=False):
    """A pruned model, and what was done.

    Attributes:
        model: the model, stored dense.
        report: what was done.
        expected: what the changed tensors must hold when it is written, for `save`.
        start: the pruned model before training; None where it was not trained, or began dense.
    """

    model: Model
    report: Pruning
    expected: tuple[Expected, ...] = ()
    start: Model | None = None

    def judged(self, quality: Quality, before: Quality | None = None) -> Self:
        """The same with what is known of its quality.

        Args:
            quality: of the model.
            before: of what it was before training.
        """
        report = msgspec.structs.replace(self.report, quality=quality)
        if report.training is not None:
            training = msgspec.structs.replace(report.training, before=before)
            report = msgspec.structs.replace(report, training=training)
        return msgspec.structs.replace(self, report=report)
