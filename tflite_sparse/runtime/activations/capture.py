"""Runs a model and hands out what its inner tensors hold, or sums of that.

LiteRT keeps all tensors for that and runs with XNNPACK: they hold the same as on the reference
kernels to the rounding of sums (tests/end_to_end/runtimes/test_activations.py), but for constants
that are unpacked, which XNNPACK does for itself. What a fused activation is applied to is never
seen. Inputs go to the worker some at a time, so that memory does not grow with their number.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tflite_sparse.errors import RuntimeFailureError
from tflite_sparse.runtime.litert.process import Worker, model_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.runtime.observations import Outputs
    from tflite_sparse.storage.moments.moments import Moments
    from tflite_sparse.storage.moments.reads import FilterRead

__all__ = ["activations", "filter_moments"]

TIMEOUT = 600.0
"""Seconds after which a run over some of the inputs is given up."""

_MOST_MOMENTS = 256 * 2**20
_MOST_INPUTS = 32 * 2**20
_MOST_AT_ONCE = 32

Item = TypeVar("Item")


def activations(
    model: str | os.PathLike[str] | bytes,
    tensors: Sequence[int],
    inputs: Iterable[Outputs],
    *,
    threads: int = 1,
    timeout: float = TIMEOUT,
) -> Iterator[dict[int, NDArray[Any]]]:
    """The values of some tensors of the main subgraph, for one set of inputs after the other.

    Args:
        model: a path, or the bytes of a model.
        tensors: their indices.
        inputs: sets of inputs by name or position, see `runtime.litert.driver.run`.
        threads: how many threads.
        timeout: seconds after which a run over some of the sets is given up.

    Raises:
        RuntimeUnavailableError: LiteRT is not installed.
        RuntimeFailureError: the model does not run.
    """
    with Worker() as worker, model_file(model) as path:
        for feeds in _portions(inputs):
            yield from _asked(worker, "values", path, feeds, list(tensors), threads, timeout)


def filter_moments(
    model: str | os.PathLike[str] | bytes,
    reads: Iterable[FilterRead],
    inputs: Iterable[Outputs],
    *,
    threads: int = 1,
    timeout: float = TIMEOUT,
) -> dict[FilterRead, Moments]:
    """Moments of what filters of the main subgraph read, over all sets of inputs.

    Where those of all filters take too much memory at a time, the model runs several times.

    Args:
        model: a path, or the bytes of a model.
        reads: how the filters read; each counts once.
        inputs: sets of inputs, as for `activations`; gone through as often as the model runs.
        threads: how many threads.
        timeout: seconds after which a run over some of the sets is given up.

    Returns:
        The moments; of a filter that alone takes more than 256 MiB there are none.

    Raises:
        RuntimeUnavailableError: LiteRT is not installed.
        RuntimeFailureError: the model does not run, or filters read what is no finite number, to
            which nothing can be fitted.
    """
    sums: dict[FilterRead, Moments] = {}
    with Worker() as worker, model_file(model) as path:
        for batch in _batches(reads):
            for feeds in _portions(inputs):
                answer = _asked(worker, "moments", path, feeds, batch, threads, timeout)
                for read, moments in zip(batch, answer, strict=True):
                    sums[read] = sums[read] + moments if read in sums else moments
    for read, moments in sums.items():
        if not np.isfinite(moments.second).all():
            raise RuntimeFailureError(
                f"on the data, tensor {read.tensor} gets values that are not finite",
                hint="look for NaN and infinity in the data",
            )
    return sums


def _asked(
    worker: Worker,
    task: str,
    path: str,
    feeds: list[Outputs],
    watched: list[Item],
    threads: int,
    timeout: float,
) -> list[Any]:
    status, detail, answer = worker.perform(
        task, timeout=timeout, model=path, feeds=feeds, watched=watched, threads=threads
    )
    if status != "ok":
        raise RuntimeFailureError(f"LiteRT does not run the model: {status}, {detail}")
    return list(answer)


def _portions(inputs: Iterable[Outputs]) -> Iterator[list[Outputs]]:
    """Sets of inputs, as many at a time as take little memory."""
    portion: list[Outputs] = []
    nbytes = 0
    for feeds in inputs:
        portion.append(feeds)
        nbytes += sum(value.nbytes for value in feeds.values())
        if nbytes >= _MOST_INPUTS or len(portion) >= _MOST_AT_ONCE:
            yield portion
            portion, nbytes = [], 0
    if portion:
        yield portion


def _batches(reads: Iterable[FilterRead]) -> Iterator[list[FilterRead]]:
    """The filters, as many at a time as their moments leave memory for."""
    batch: list[FilterRead] = []
    fitting = (read for read in sorted(set(reads), key=_order) if read.nbytes <= _MOST_MOMENTS)
    for read in chain(fitting, (None,)):
        if batch and (read is None or read.nbytes + sum(r.nbytes for r in batch) > _MOST_MOMENTS):
            yield batch
            batch = []
        if read is not None:
            batch.append(read)


def _order(read: FilterRead) -> tuple[int, int]:
    return read.tensor, read.columns
