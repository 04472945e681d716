"""Runs the dense and the pruned model on inputs held out, and compares what they return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.errors import RuntimeFailureError, UsageError, told
from tflite_sparse.pruning.measures import Quality, quality
from tflite_sparse.runtime.litert.driver import Job, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["judge", "measure"]

_AT_ONCE = 64
_TIMEOUT = 600.0
_METRIC = (
    "it is called as metric(outputs, inputs), once for the dense model and once for the pruned one,"
    " with a dict for each input"
)


def judge(
    dense: Model,
    pruned: Model,
    inputs: Sequence[Outputs],
    metric: Callable[..., Any] | None = None,
) -> Quality:
    """How near a pruned model comes to the dense one.

    Args:
        dense: the dense model.
        pruned: the pruned model.
        inputs: sets of inputs by position, to which nothing was fitted.
        metric: the user's own: is called with the outputs of a model, by name, one dict an input,
            and the inputs; gives a number, or numbers by name.

    Raises:
        RuntimeUnavailableError: LiteRT is not installed.
        RuntimeFailureError: a model does not run.
        UsageError: the metric gives no numbers.
    """
    outputs = _outputs([dense, pruned], inputs)
    outputs[1] = _named_alike(*outputs)
    measured = quality(*outputs)
    if metric is None:
        return measured
    before, after = (_numbers(metric, values, inputs) for values in outputs)
    return msgspec.structs.replace(measured, before=before, after=after)


def measure(
    model: Model, inputs: Sequence[Outputs], metric: Callable[..., Any]
) -> dict[str, float]:
    """What a user's own metric says of a model.

    Args:
        model: the model.
        inputs: sets of inputs by position.
        metric: see `judge`.

    Raises:
        RuntimeUnavailableError: LiteRT is not installed.
        RuntimeFailureError: the model does not run.
        UsageError: the metric fails, or gives no numbers.
    """
    (outputs,) = _outputs([model], inputs)
    return _numbers(metric, outputs, inputs)


def _outputs(models: Sequence[Model], inputs: Sequence[Outputs]) -> list[list[Outputs]]:
    """What models return, one dict an input."""
    contents = [model.copy().to_bytes() for model in models]
    outputs: list[list[Outputs]] = [[] for _ in contents]
    for start in range(0, len(inputs), _AT_ONCE):
        feeds = inputs[start : start + _AT_ONCE]
        results = run_jobs([Job(content, feeds) for content in contents], timeout=_TIMEOUT)
        for collected, result in zip(outputs, results, strict=True):
            if not result.ok:
                raise RuntimeFailureError(
                    f"LiteRT does not run the model: {result.status}, {result.detail}"
                )
            collected.extend(result.trials)
    return outputs


def _named_alike(dense: list[Outputs], pruned: list[Outputs]) -> list[Outputs]:
    """Outputs by the names of the dense model; another converter may have named them anew.

    Where the names are the same they count, whatever their order; else the order does.

    Raises:
        RuntimeFailureError: they are others.
    """
    names = list(dense[0]) if dense else []
    pruned = [
        {name: run[name] for name in names} if set(run) == set(names) else run for run in pruned
    ]
    shapes = [
        [value.shape for value in runs[0].values()] if runs else [] for runs in (dense, pruned)
    ]
    if shapes[0] != shapes[1]:
        raise RuntimeFailureError(f"its outputs are {shapes[1]}, not {shapes[0]}")
    return [
        run if list(run) == names else dict(zip(names, run.values(), strict=True)) for run in pruned
    ]


def _numbers(
    metric: Callable[..., Any], outputs: Sequence[Outputs], inputs: Sequence[Outputs]
) -> dict[str, float]:
    try:
        measured = metric(outputs, inputs)
    except (Exception, SystemExit) as error:
        # It is the user's, and may fail in any way.
        raise UsageError(f"the metric fails: {told(error)}", hint=_METRIC) from error
    try:
        if hasattr(measured, "items"):
            return {str(name): float(value) for name, value in measured.items()}
        return {getattr(metric, "__name__", "metric"): float(measured)}
    except (TypeError, ValueError):
        raise UsageError(
            f"the metric gives {type(measured).__name__}, not a number or numbers by name",
            hint=_METRIC,
        ) from None
