"""What a sweep found, as data."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from tflite_sparse.errors import UsageError
from tflite_sparse.model.sizes.sized import InputShapes
from tflite_sparse.pruning.measures import Quality
from tflite_sparse.pruning.options import Allocation, Method
from tflite_sparse.pruning.recipe import Recipe, RecipeLayer
from tflite_sparse.records import Amount, Count, Record, Share
from tflite_sparse.runtime.benched import Here
from tflite_sparse.runtime.data.images import Preparation
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.xnnpack.plan_types import Outcome

__all__ = [
    "BY_SIZE_ALONE",
    "MeasuredTime",
    "Measurement",
    "PointLayer",
    "PredictedTime",
    "Rival",
    "RivalKind",
    "StoredSize",
    "Sweep",
    "SweepPoint",
    "Threshold",
]


BY_SIZE_ALONE = (
    "zeros were placed by magnitude: size and speed are what they would be, quality is unknown"
)
"""Said of a sweep whose zeros nothing was fitted to."""


class StoredSize(Record, frozen=True):
    """Size of a file with its weights in certain numbers.

    Attributes:
        values: the numbers.
        bytes: size of the file.
        gzip: the same after gzip at level 6.
    """

    values: StoredValues
    bytes: Count
    gzip: Count


class PredictedTime(Record, frozen=True):
    """What the runtime will do with a file on a target.

    Attributes:
        target: the target.
        outcome: what comes of running it.
        pointwise: number of 1x1 convolutions that could run sparse.
        sparse: how many of them do.
        dense_ms: estimated time of the model that was swept, as it is, on dense kernels, in
            milliseconds; null where nobody measured the target.
        ms: estimated time of this file; null likewise.
        gain: how many times as fast it is as the model that was swept; null likewise.
        dense_instructions: estimated instructions of a run of the model that was swept, as it is,
            on dense kernels of a Cortex-A76; null on other targets than 64-bit Arm. They are no
            time.
        instructions: those of this file; null likewise.
        fewer: how many times fewer these are; null likewise.
    """

    derived: ClassVar[tuple[str, ...]] = ("fewer",)

    target: str
    outcome: Outcome
    pointwise: Count
    sparse: Count
    dense_ms: Amount | None
    ms: Amount | None
    gain: Amount | None
    dense_instructions: Amount | None = None
    instructions: Amount | None = None

    @property
    def fewer(self) -> float | None:
        """How many times fewer instructions it takes than the model that was swept."""
        if not self.dense_instructions or not self.instructions:
            return None
        return self.dense_instructions / self.instructions


class MeasuredTime(Record, frozen=True):
    """What running a file showed.

    Attributes:
        ms: the time in milliseconds that a tenth of its runs did not pass, scaled by how fast the
            dense model ran beside it, so that the dense one's time over it is the gain; null where
            it did not run, or where instructions were counted.
        instructions: instructions of a run; null where times were taken.
        gain: how many times as fast as the model that was swept, or by how many times fewer
            instructions; null where one of them did not run.
        detail: what went wrong; "" for nothing.
    """

    ms: Amount | None
    instructions: Count | None
    gain: Amount | None
    detail: str


class PointLayer(Record, frozen=True):
    """A filter that was pruned.

    Attributes:
        name: its name.
        elements: number of its values.
        zeros: how many of them are zero.
        sparse: the targets on which a sparse kernel multiplies by it.
        operators: labels of the operators that read it in the dense model, such as "CONV_2D #4".
    """

    name: str
    elements: Count
    zeros: Count
    sparse: tuple[str, ...]
    operators: tuple[str, ...] = ()


class SweepPoint(Record, frozen=True):
    """The model with a share of zeros, adapted and stored sparse where that pays.

    Attributes:
        asked: the share of zeros that was asked for; null for the model as it is.
        zeros: zeros in the filters that are pruned.
        elements: number of values in them.
        share: share of zeros in them.
        adapted: whether the graph was changed.
        reason: why it was not; null where it was.
        sizes: of its file, by the numbers in which weights are stored.
        times: what is predicted, by target.
        layers: the filters, in the order in which the model reads them.
        measured: what running it showed; null where nobody asked.
        quality: how near it comes to the dense model on inputs held out; null without data.
    """

    derived: ClassVar[tuple[str, ...]] = ("share",)

    asked: Share | None
    zeros: Count
    elements: Count
    adapted: bool
    reason: str | None
    sizes: tuple[StoredSize, ...]
    times: tuple[PredictedTime, ...]
    layers: tuple[PointLayer, ...]
    measured: MeasuredTime | None = None
    quality: Quality | None = None

    @property
    def share(self) -> Share:
        """Share of zeros in the filters that are pruned."""
        return self.zeros / self.elements if self.elements else 0.0

    def size(self, values: StoredValues) -> StoredSize:
        """Its size with weights in certain numbers."""
        return next(size for size in self.sizes if size.values is values)

    def time(self, target: str) -> PredictedTime:
        """What is predicted for a target."""
        return next(time for time in self.times if time.target == target)


class RivalKind(str, Enum):
    """Another way to make a model small or fast, or a file of the user's own."""

    DENSE_FP32 = "dense-fp32"
    DENSE_FP16 = "dense-fp16"
    WEIGHTS_INT8 = "weights-int8"
    FULL_INT8 = "full-int8"
    FILE = "file"

    def __str__(self) -> str:
        return self.value


class Rival(Record, frozen=True):
    """A model that sparse ones are held against.

    Attributes:
        kind: what it is.
        name: what people call it.
        path: the file, where the user named it; null for one that was made.
        bytes: size of the file; null where it could not be made.
        gzip: the same after gzip at level 6.
        times: what is predicted, by target; times are null for quantized arithmetic, which has no
            estimate.
        measured: what running it showed; null where nobody asked.
        quality: how near it comes to the dense model; null without data.
        note: why it is missing, or what else there is to know; null for nothing.
    """

    kind: RivalKind
    name: str
    path: str | None
    bytes: Count | None
    gzip: Count | None
    times: tuple[PredictedTime, ...] = ()
    measured: MeasuredTime | None = None
    quality: Quality | None = None
    note: str | None = None


class Threshold(Record, frozen=True):
    """From which share of zeros on something holds on a target, by the prediction.

    Attributes:
        target: the target.
        sparse_from: the share from which all pruned filters run sparse that ever do; null where
            they never do up to the largest share that was looked at.
        faster_from: the share from which it is faster than as it is; null where it never is, or
            where there is no estimate.
        twice_from: the share from which it is twice as fast; null likewise.
        fewer_from: the share from which it takes fewer instructions than as it is; null where it
            never does, or on other targets than 64-bit Arm.
        half_from: the share from which it takes half of them; null likewise.
    """

    target: str
    sparse_from: Share | None
    faster_from: Share | None
    twice_from: Share | None
    fewer_from: Share | None = None
    half_from: Share | None = None


class Measurement(Record, frozen=True):
    """How files were run.

    Attributes:
        where: "native", "web" or "emulated".
        runtime: what ran them, with its version.
        processor: the processor.
        runs: counted runs of each file.
    """

    where: Here
    runtime: str
    processor: str
    runs: Count


class Sweep(Record, frozen=True):
    """A model over the share of its zeros, beside its rivals.

    Attributes:
        path: the file as the user named it; null for a model in memory.
        sha256: digest of its bytes.
        bytes: size of the file.
        gzip: the same after gzip at level 6.
        method: how the values were chosen that became zero.
        allocation: how zeros were spread over filters.
        block: neighbouring output channels that became zero together.
        values: the numbers in which weights are stored in what was predicted, measured and judged.
        targets: the targets.
        fitted: number of inputs that values were fitted to; 0 without data.
        held_out: number of inputs by which quality was judged; 0 without data.
        least_zeros: the share of zeros from which the runtime's rule of two thirds holds in all
            clusters.
        points: the model by its share of zeros: as it is, then in rising order.
        rivals: other ways to make it small or fast.
        thresholds: from which share on it pays, by target.
        measurement: how files were run; null where nobody asked.
        notes: what else there is to know, one sentence each.
        input_shapes: the sizes that inputs were given which leave some open; null where nobody
            asked for any.
        images: how images became inputs; null without images.
    """

    path: str | None
    sha256: str
    bytes: Count
    gzip: Count
    method: Method
    allocation: Allocation
    block: Count
    values: StoredValues
    targets: tuple[str, ...]
    fitted: Count
    held_out: Count
    least_zeros: Share
    points: tuple[SweepPoint, ...]
    rivals: tuple[Rival, ...]
    thresholds: tuple[Threshold, ...]
    measurement: Measurement | None
    notes: tuple[str, ...]
    input_shapes: InputShapes | None = None
    images: Preparation | None = None

    @property
    def dense(self) -> SweepPoint:
        """The model as it is."""
        return self.points[0]

    @property
    def doubts(self) -> tuple[str, ...]:
        """What makes one doubt that the inputs tell the quality, each once."""
        found = (p.quality.warning for p in self.points if p.quality is not None)
        return tuple(dict.fromkeys(warning for warning in found if warning is not None))

    def recipe(self, share: float) -> Recipe:
        """How a share of zeros comes about, for `prune --recipe` and for masks in training.

        Args:
            share: one of the shares that were asked for.

        Raises:
            UsageError: it was not, or the model has more zeros as it is.
        """
        point = next((each for each in self.points if each.asked == share), None)
        if point is None:
            shares = ", ".join(f"{each.asked:g}" for each in self.points if each.asked is not None)
            raise UsageError(
                f"{share:g} is no share that was looked at", hint=f"these are: {shares}"
            )
        layers = tuple(RecipeLayer(e.name, e.elements, e.zeros, e.operators) for e in point.layers)
        return Recipe(
            Recipe.version(),
            self.sha256,
            point.share,
            self.method,
            self.allocation,
            self.block,
            self.values,
            self.targets,
            layers,
        )
