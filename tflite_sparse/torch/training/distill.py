"""Trains a model with zeros to be like the dense one."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from msgspec import convert, to_builtins
from msgspec.structs import replace

from tflite_sparse.errors import UsageError
from tflite_sparse.torch.build import from_tflite
from tflite_sparse.torch.training import checkpoint
from tflite_sparse.torch.training.checks import check_labels, check_loss
from tflite_sparse.torch.training.loss import Student, watched
from tflite_sparse.torch.training.masks import Masks, chosen_filters, zeros_of
from tflite_sparse.torch.training.options import (
    DROP_FROM_START,
    Distilled,
    DistillOptions,
    Evaluation,
    Progress,
)
from tflite_sparse.torch.training.processes import Processes
from tflite_sparse.torch.training.rates import (
    COST,
    LearningRate,
    find_rate,
    rate_share,
    trial_batches,
)
from tflite_sparse.torch.training.samples import Batch, Batches, moved
from tflite_sparse.torch.training.spread import spreads
from tflite_sparse.torch.training.statistics import restore_statistics
from tflite_sparse.torch.training.weights import copied, put, to_train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from torch import Tensor

    from tflite_sparse.model import Model
    from tflite_sparse.torch.training.samples import Samples

__all__ = ["distill"]

_TIMED = 3  # batches that tell how long one takes
_CALIBRATION = 256  # samples for restoring statistics, at most


def distill(
    model: Model,
    samples: Samples,
    options: DistillOptions | None = None,
    *,
    start: Model | None = None,
    labels: Sequence[int] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Distilled:
    """Sets weights of a model to zero and trains the others until it is like the dense one again.

    Nothing but inputs is needed: the dense model says what is wanted, in its outputs and in values
    inside it. The result is stored dense, as the model is; see `sparsify`. Where `torchrun` has
    started several processes, they share each batch, and all have the same result.

    Args:
        model: the dense model; it is not changed.
        samples: inputs of the main subgraph: an array, a list, or a dataset of PyTorch. A sample is
            the input as an array of its shape, with or without a batch of 1 in front, or a tuple
            with one for each input.
        options: how to train.
        start: the same model with the weights to begin with, such as one that was pruned with
            calibration; the dense one where there is none. It should not be fitted to the samples
            that are held out, or nothing will seem as near as it is; `divide` says which these are.
        labels: the class of each sample, to train on beside what the dense model says.
        progress: is called after each batch, in the first process.

    Raises:
        UsageError: an operator has no counterpart in PyTorch, a sample or an option makes no sense,
            or training diverged.
        FileError: the checkpoint cannot be read or written.
        RewriteError: a weight cannot be stored.
    """
    options = options or DistillOptions()
    options.check()
    if options.drop is None and start is not None:
        options = replace(options, drop=DROP_FROM_START)
    return _Training(model, start or model, samples, labels, options).run(progress)


class _Training:
    def __init__(
        self,
        model: Model,
        start: Model,
        samples: Samples,
        labels: Sequence[int] | None,
        options: DistillOptions,
    ) -> None:
        self.model = model
        self.options = options
        self.processes = Processes(options.device)
        device = self.processes.device
        self.there = partial(moved, device=device)
        self.part = self.processes.rank, self.processes.count
        torch.manual_seed(options.seed)
        self.dense = from_tflite(model).to(device).eval().requires_grad_(requires_grad=False)
        self.module = to_train(start).to(device)
        if self.module.stored != self.dense.stored:
            raise UsageError("the start is another model than the dense one")
        self.filters = chosen_filters(model, self.module, options)
        self.processes.check_batch(options.batch)
        self.batches = Batches(samples, labels, self.module, options)
        check_labels(labels, model, self.dense)
        where = watched(self.dense, [*self.filters], labelled=labels is not None)
        spread = spreads(self.dense, where.values, self._calibration)
        self.student = Student(self.module, where, options.features, spread)
        self.digests = [checkpoint.digest(m.weights) for m in (self.dense, self.module)]
        state = None
        if options.checkpoint is not None:
            state = checkpoint.load(options.checkpoint, self._training, device)
        steps = self._steps() if state is None else int(state["steps"])
        self.options = replace(options, steps=steps)
        self.masks = Masks(
            self.module.weights, self.filters, self.options.schedule(), options.block
        )
        self.wrapped = self.processes.wrap(self.student)
        self.optimizer = self._fresh()
        self.evaluations: list[Evaluation] = []
        self.best: tuple[Evaluation, dict[str, Tensor]] | None = None
        self.done = 0
        if state is not None:
            self._restore(state)
        elif options.learning_rate is not None:
            self.rate = LearningRate(options.learning_rate, "given")
        else:
            self.rate = self._found()

    def run(self, progress: Callable[[Progress], None] | None) -> Distilled:
        """Trains, and gives the result."""
        options = self.options
        first = self.done
        if not self.evaluations:
            self._evaluate(0)
            check_loss(self.evaluations[0].loss, 0)
        began = time.monotonic()
        for step in range(first, options.steps):
            if self._is_exhausted():
                break
            loss = self._train(step)
            check_loss(loss, step + 1)
            done = step + 1
            if self.masks.is_due(done):
                self.masks.change(done)
            if done % options.evaluate == 0 or done == options.steps:
                self._evaluate(done)
                self._store(done)
            if progress is not None and self.processes.rank == 0:
                left = (time.monotonic() - began) / (done - first) * (options.steps - done)
                progress(Progress(done, options.steps, loss, left, self.evaluations[-1]))
        return self._result()

    def _steps(self) -> int:
        """How many batches to train on, the same in every process."""
        options = self.options
        if options.epochs is not None:
            return max(math.ceil(options.epochs * self.batches.count / options.batch), 1)
        if options.minutes is None:
            return options.steps
        began = time.monotonic()
        self._measured()
        judged = time.monotonic() - began
        seconds = []
        for step in range(_TIMED):
            began = time.monotonic()
            inputs, labels = self.there(self.batches.training(step, options.batch, *self.part))
            self.student(inputs, self._wanted(inputs), labels)[0].backward()
            self.module.zero_grad(set_to_none=True)
            seconds.append(time.monotonic() - began)
        each = self.processes.largest(min(seconds) + judged / options.evaluate)
        left = 60 * options.minutes - self.processes.largest(2 * judged)
        if options.learning_rate is None:
            left /= 1 + COST
        return max(int(left / each), 1)

    def _train(self, step: int) -> float:
        """One batch."""
        batch = self.batches.training(step, self.options.batch, *self.part)
        return self._learn(batch, self.rate.rate * rate_share(step, self.options.steps))

    def _learn(self, batch: Batch, rate: float) -> float:
        """Learns from a batch; the loss on it, after which nothing is learnt if it is no number."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        inputs, labels = self.there(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss, _ = self.wrapped(inputs, self._wanted(inputs), labels)
        loss.backward()
        value = float(self.processes.mean(loss.detach()))
        if math.isfinite(value):
            self.optimizer.step()
            self.masks.apply()
        return value

    def _found(self) -> LearningRate:
        """The learning rate that the net bears, the same in every process."""
        batches, size = trial_batches(self.options.steps), self.options.batch
        if not batches:
            return find_rate(None)
        judging = self.batches.judging(size)
        weights, masks = copied(self.module.weights), self.masks.state()
        if self.masks.complete:
            self.masks.change(self.masks.complete // 2)
        start = copied(self.module.weights)
        before = self._measured(judging)[0]

        def loss_after(rate: float) -> float:
            put(self.module.weights, start)
            self.optimizer = self._fresh()
            for step in range(batches):
                batch = self.batches.training(step, size, *self.part)
                if not math.isfinite(self._learn(batch, rate * rate_share(step, batches))):
                    return math.inf
            # Where nothing is to be learnt, nothing comes nearer.
            loss = self._measured(judging)[0] / before if before else math.inf
            return self.processes.largest(loss if math.isfinite(loss) else math.inf)

        found = find_rate(loss_after)
        self.masks.restore(masks)
        put(self.module.weights, weights)
        self.optimizer = self._fresh()
        return found

    def _fresh(self) -> torch.optim.Adam:
        return torch.optim.Adam(self.module.parameters())

    @torch.no_grad()
    def _wanted(self, inputs: Sequence[Tensor]) -> dict[int, Tensor]:
        return self.dense.run(inputs, self.student.where.all)

    @torch.no_grad()
    def _measured(self, batches: Iterable[Batch] | None = None) -> tuple[float, float | None]:
        """Loss and agreement on what is held out, or on others; the same in every process."""
        total = agreed = 0.0
        count = 0
        classes = False
        if batches is None:
            batches = self.batches.evaluation(self.options.batch)
        for batch in batches:
            inputs, labels = self.there(batch)
            loss, agreeing = self.student(inputs, self._wanted(inputs), labels)
            size = inputs[0].shape[0]
            total += float(loss) * size
            count += size
            if agreeing is not None:
                classes = True
                agreed += float(agreeing) * size
        return total / count, agreed / count if classes else None

    def _evaluate(self, step: int) -> None:
        loss, agreement = self._measured()
        evaluation = Evaluation(step, self.masks.zeros, loss, agreement)
        self.evaluations.append(evaluation)
        complete = step >= self.masks.complete
        if complete and (self.best is None or loss < self.best[0].loss):
            self.best = evaluation, copied(self.module.weights)

    def _is_exhausted(self) -> bool:
        """Whether evaluations have brought no gain for long."""
        if self.best is None:
            return False
        later = [e for e in self.evaluations if e.step > self.best[0].step]
        return len(later) >= self.options.patience

    def _result(self) -> Distilled:
        assert self.best is not None  # noqa: S101 - the last step is evaluated with all zeros
        evaluation, weights = self.best
        put(self.module.weights, weights)
        restored = False
        if self.options.restore:
            restore_statistics(self.dense, self.module, [*self.filters], self._calibration)
            restored = self._measured()[0] < evaluation.loss
            if not restored:
                put(self.module.weights, weights)
        result = self.model.copy()
        self.module.write_back(result)
        self.processes.wait()
        return Distilled(
            result,
            tuple(self.evaluations),
            evaluation,
            restored,
            zeros_of(self.model, self.module, self.filters),
            self.options.steps,
            len(self.batches.held_out),
            self.rate,
        )

    def _calibration(self) -> Iterator[tuple[Tensor, ...]]:
        for step in range(max(_CALIBRATION // self.options.batch, 1)):
            yield self.there(self.batches.plain(step, self.options.batch))[0]

    # The state

    @property
    def _training(self) -> dict[str, Any]:
        """What tells one training from another."""
        options = self.options.to_dict()
        options.pop("checkpoint"), options.pop("device")
        if self.options.minutes is not None or self.options.epochs is not None:
            options.pop("steps")
        held = self.batches.held_out
        model, start = self.digests
        return {"options": options, "model": model, "start": start, "held out": held.tolist()}

    def _store(self, done: int) -> None:
        path = self.options.checkpoint
        if path is None or self.processes.rank:
            return
        best = None
        if self.best is not None:
            best = [self.evaluations.index(self.best[0]), self.best[1]]
        state = {
            "training": self._training,
            "steps": self.options.steps,
            "rate": to_builtins(self.rate),
            "done": done,
            "module": copied(self.module.weights),
            "optimizer": self.optimizer.state_dict(),
            "masks": self.masks.state(),
            "evaluations": [[e.step, e.zeros, e.loss, e.agreement] for e in self.evaluations],
            "best": best,
        }
        checkpoint.save(path, state)

    def _restore(self, state: dict[str, Any]) -> None:
        """Takes up the state of a checkpoint."""
        self.rate = convert(state["rate"], LearningRate)
        put(self.module.weights, state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.masks.restore(state["masks"])
        self.evaluations = [Evaluation(*fields) for fields in state["evaluations"]]
        if state["best"] is not None:
            self.best = self.evaluations[state["best"][0]], state["best"][1]
        self.done = int(state["done"])
