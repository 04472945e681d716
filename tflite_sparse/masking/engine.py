"""The zeros of filters while they are trained, in whatever library that is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tflite_sparse.masking.arrays import Arrays
    from tflite_sparse.masking.schedule import Schedule

__all__ = ["MaskEngine"]


class MaskEngine:
    """Decides which weights are zero.

    Args:
        weights: the filters by name, shape (outputs, ...); their zeros are where the masks begin.
        zeros: the share that each is to have in the end.
        schedule: how masks change.
        block: so many neighbouring outputs have their zeros together; a filter whose outputs are no
            multiple of that has them one by one.
        arrays: the library of the weights.

    Attributes:
        kept: name -> what is not zero, as booleans in the filter's shape.
        complete: the step from which all zeros are there.
    """

    def __init__(
        self,
        weights: Mapping[str, Any],
        zeros: Mapping[str, float],
        schedule: Schedule,
        block: int,
        arrays: Arrays,
    ) -> None:
        self._zeros = dict(zeros)
        self._schedule = schedule
        self._arrays = arrays
        self.kept = {name: weights[name] != 0 for name in zeros}
        self._blocks = {n: 1 if k.shape[0] % block else block for n, k in self.kept.items()}
        self._first = {name: 1 - _share(kept) for name, kept in self.kept.items()}
        gradual = schedule.kind == "magnitude" and any(
            self._first[name] < share for name, share in zeros.items()
        )
        self.complete = schedule.last if gradual else 0
        self.update(0, weights, {})

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Name -> how many zeros, of how many values."""
        sizes = {name: _size(mask) for name, mask in self.kept.items()}
        return {name: (sizes[name] - int(m.sum()), sizes[name]) for name, m in self.kept.items()}

    @property
    def zeros(self) -> float:
        """The share of zeros over all filters."""
        counts = self.counts.values()
        return sum(zeros for zeros, _ in counts) / sum(size for _, size in counts)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of the masks."""
        return {"kept": dict(self.kept), "first": self._first, "complete": self.complete}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a state."""
        self.kept, self._first = dict(state["kept"]), state["first"]
        self.complete = state["complete"]

    def is_due(self, step: int) -> bool:
        """Whether masks change after a step."""
        return self._schedule.is_due(step, self.complete)

    def update(self, step: int, weights: Mapping[str, Any], gradients: Mapping[str, Any]) -> None:
        """Changes the masks.

        Args:
            step: steps done.
            weights: the filters as they are now.
            gradients: those of the last batch, by which weights grow; where a filter has none that
                is finite, its zeros stay where they are.
        """
        arrays = self._arrays
        for name in self.kept:
            block, size = self._blocks[name], _size(self.kept[name])
            scores = arrays.summed(weights[name], block)
            kept = arrays.summed(self.kept[name], block) > 0
            share = self._schedule.share(step, self._first[name], self._zeros[name], self.complete)
            blocks = size // block
            fewer = arrays.largest(
                arrays.chosen(kept, scores, -1.0), blocks - round(share * blocks)
            )
            fewer = fewer & kept
            moved = int(self._schedule.moved(step) * int(fewer.sum()))
            gradient = gradients.get(name) if moved else None
            if gradient is not None and arrays.is_finite(gradient):
                fewer = self._moved(arrays.summed(gradient, block), scores, fewer, moved)
            self.kept[name] = arrays.spread(fewer, block)

    def _moved(self, gradients: Any, scores: Any, kept: Any, moved: int) -> Any:
        """Drops some of least magnitude, and lets as many of largest gradient grow."""
        arrays = self._arrays
        moved = min(moved, int((~kept).sum()))
        left = arrays.largest(arrays.chosen(kept, scores, -1.0), int(kept.sum()) - moved)
        return left | arrays.largest(arrays.chosen(~kept, gradients, -1.0), moved)


def _size(mask: Any) -> int:
    size = 1
    for length in mask.shape:
        size *= int(length)
    return size


def _share(mask: Any) -> float:
    return int(mask.sum()) / _size(mask)
