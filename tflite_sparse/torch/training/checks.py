"""What a training refuses, found out before anything long is done for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError, shown_shape
from tflite_sparse.torch.build import from_tflite
from tflite_sparse.torch.training.checkpoint import check_place
from tflite_sparse.torch.training.processes import Processes
from tflite_sparse.torch.training.samples import Batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.torch.module import TfliteModule
    from tflite_sparse.torch.training.options import DistillOptions
    from tflite_sparse.torch.training.samples import Samples

__all__ = ["check_distill", "check_labels", "check_loss"]

_RANK_OF_CLASSES = 2


def check_distill(
    model: Model,
    samples: Samples,
    options: DistillOptions,
    *,
    labels: Sequence[int] | None = None,
) -> None:
    """Finds out what `distill` would refuse, before anything long is done for it.

    Args:
        model: the dense model.
        samples: as for `distill`.
        options: how to train.
        labels: the class of each sample.

    Raises:
        UsageError: an operator has no counterpart in PyTorch, or a sample, a label or an option
            makes no sense.
        FileError: a state of the training cannot be written where it is to be.
    """
    options.check()
    if options.checkpoint is not None:
        check_place(options.checkpoint)
    processes = Processes(options.device)
    module = from_tflite(model)
    batches = Batches(samples, labels, module, options)
    processes.check_batch(options.batch)
    batches.training(0, options.batch, processes.rank, processes.count)
    check_labels(labels, model, module)
    if options.batch > 1 and module.mixes_batch is not None:
        raise UsageError(
            f"{module.mixes_batch} moves values from sample to sample, so that the model takes no"
            f" batch of {options.batch}",
            hint="train with a batch of 1",
        )


def check_labels(labels: Sequence[int] | None, model: Model, module: TfliteModule) -> None:
    """Checks that labels are classes of the first output.

    Args:
        labels: the class of each sample; None for no labels.
        model: the model.
        module: the model as a module.

    Raises:
        UsageError: the first output has no classes, or not so many.
    """
    if labels is None:
        return
    output = model.subgraphs[module.subgraph].tensors[module.outputs[0]]
    classes = output.shape[-1] if output.shape else 0
    if math.prod(output.shape[1:]) != classes or len(output.shape) < _RANK_OF_CLASSES:
        raise UsageError(
            f"labels are classes, and the first output of shape {shown_shape(output.shape)} has"
            " none",
            hint="train without labels",
        )
    for number, label in enumerate(labels):
        if int(label) != label or not 0 <= label < classes:
            raise UsageError(
                f"label {number} is {label}, the model has {classes} classes",
                hint=f"number them from 0 to {classes - 1}",
            )


def check_loss(loss: float, batches: int) -> None:
    """Refuses a loss with which nothing can be learnt.

    Args:
        loss: it.
        batches: how many were trained on before.

    Raises:
        UsageError: it is not finite.
    """
    if math.isfinite(loss):
        return
    if batches:
        raise UsageError(f"training diverged at batch {batches}", hint="use a lower learning rate")
    raise UsageError(
        "the model's outputs are no finite numbers on the samples, or too large to square",
        hint="look for NaN and infinity in the data, and at what its outputs hold",
    )
