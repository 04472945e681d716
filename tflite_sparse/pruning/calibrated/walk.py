"""Walks down the graph twice at a time: through the dense model, and through the pruned one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.pruning.calibrated.cut import live_tensors, part_of
from tflite_sparse.pruning.calibrated.solve import Sums
from tflite_sparse.runtime.activations.stream import Stored, run_stream
from tflite_sparse.runtime.litert.process import Worker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from numpy.typing import NDArray
    from typing_extensions import Self

    from tflite_sparse.model import Model
    from tflite_sparse.runtime.observations import Outputs
    from tflite_sparse.storage.moments.reads import FilterRead

__all__ = ["Walk"]

_POSITIONS = 65536
_FEWEST = 16
_AT_ONCE = 8192
_MOST_VALUES = 2**24

Side = dict[int, Stored]


class Walk:
    """The tensors that lead over a cut, in files, for all inputs, of both models.

    Each operator runs once for each model.

    Args:
        model: the dense model.
        inputs: sets of inputs by position.
        seed: of the positions that are drawn of large maps.
    """

    def __init__(self, model: Model, inputs: Sequence[Outputs], seed: int = 0) -> None:
        self._model = model
        self._folder = tempfile.TemporaryDirectory(prefix="tflite-sparse-")
        self._worker = Worker()
        self._count = len(inputs)
        self._seed = seed
        self._position = 0
        self._files = 0
        self.dense: Side = {
            tensor.index: Stored.write(self._path(), (feeds[str(i)] for feeds in inputs))
            for i, tensor in enumerate(model.main.inputs)
        }
        self.pruned: Side = dict(self.dense)

    def __enter__(self) -> Self:
        self._worker.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._worker.__exit__(kind, error, trace)
        self._folder.cleanup()

    def to(self, position: int, pruned: Model) -> None:
        """Runs both models up to an operator.

        Args:
            position: its index.
            pruned: the pruned model, as far as it is known.
        """
        if position <= self._position:
            return
        live = [tensor.index for tensor in live_tensors(self._model.main, position)]
        alike = self.dense == self.pruned and self._position == 0
        dense = self._run(self._model, self.dense, position, live)
        other = dense if alike else self._run(pruned, self.pruned, position, live)
        old = {*self.dense.values(), *self.pruned.values()}
        for gone in old - {*dense.values(), *other.values()}:
            gone.path.unlink(missing_ok=True)
        self.dense, self.pruned, self._position = dense, other, position

    def _run(self, model: Model, side: Side, position: int, live: Sequence[int]) -> Side:
        fresh = [index for index in live if index not in side]
        kept = {index: side[index] for index in live if index in side}
        if not fresh:
            return kept
        part, read = part_of(model, self._position, position, fresh)
        paths = [self._path() for _ in fresh]
        results = run_stream(self._worker, part, [side[index] for index in read], paths)
        return kept | dict(zip(fresh, results, strict=True))

    def _path(self) -> Path:
        self._files += 1
        return Path(self._folder.name) / f"{self._files}.bin"

    def sums(self, read: FilterRead, rows: NDArray[np.float32]) -> Sums:
        """What a filter reads in the pruned model and computes in the dense one.

        Args:
            read: how it reads.
            rows: its dense values, shape (rows, columns).
        """
        most = max(_FEWEST, -(-_POSITIONS // self._count))
        at_once = min(_AT_ONCE, _MOST_VALUES // read.columns)
        total: Sums | None = None
        waiting = 0
        batch: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        pairs = zip(self.dense[read.tensor].each(), self.pruned[read.tensor].each(), strict=True)
        for number, (dense, pruned) in enumerate(pairs):
            batch.append(_drawn(read, dense, pruned, most, (self._seed, number)))
            waiting += len(batch[-1][0])
            if waiting < at_once and number + 1 < self._count:
                continue
            there, here = (np.concatenate(part) for part in zip(*batch, strict=True))
            part = Sums.of(here, there @ rows.T)
            total = part if total is None else total.plus(part)
            batch, waiting = [], 0
        assert total is not None  # noqa: S101 - there is an input
        return total


def _drawn(
    read: FilterRead,
    dense: NDArray[np.float32],
    pruned: NDArray[np.float32],
    most: int,
    seed: tuple[int, int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What both read at the same positions, shape (positions, columns)."""
    values = [_positions(read, value) for value in (dense, pruned)]
    count = len(values[0])
    if count <= most:
        return values[0], values[1]
    chosen = np.random.default_rng(seed).choice(count, most, replace=False, shuffle=False)
    return values[0][chosen], values[1][chosen]


def _positions(read: FilterRead, value: NDArray[np.float32]) -> NDArray[np.float32]:
    if read.kernel == (1, 1) and read.stride == (1, 1):
        return value.reshape(-1, read.columns)
    return np.asarray(read.values(value)[0])
