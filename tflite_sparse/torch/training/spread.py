"""How outputs are spread in the dense model, which tells what an error in them counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tflite_sparse.torch.module import TfliteModule

__all__ = ["Spread", "error", "spreads"]

_SAMPLES = 64
_OF_ALL, _OF_SQUARE, _TINY = 0.1, 1e-4, 1e-12
"""Parts of the mean variance and of the mean square that every variance is at least."""

_RAREST = 100.0
"""No place counts more than one that is ten standard deviations off."""

_FEWEST_AXES = 3  # samples, places, numbers of each place

Inputs = tuple[Tensor, ...]


class Spread(NamedTuple):
    """How an output is spread over samples and places.

    What is constant in an output is easily learnt and tells nothing, so that errors are measured in
    standard deviations. A detector finds by the few places that are unlike all others, which a
    plain sum over places drowns: a place counts by how unlike the others it is.

    Attributes:
        mean: of each number along the last axis.
        variance: of each.
        counted_by: the output that tells what each place counts: of those with the same places the
            one whose values lie furthest out; None where there are no places.
        typical: what a place counts on average.
    """

    mean: Tensor
    variance: Tensor
    counted_by: int | None = None
    typical: float = 1.0

    def rarity(self, values: Tensor) -> Tensor:
        """How far each place is off the mean, in variances, averaged over its numbers."""
        return ((values - self.mean).square() / self.variance).mean(-1).clamp_max(_RAREST)


def error(number: int, got: Tensor, wanted: dict[int, Tensor], all_of: dict[int, Spread]) -> Tensor:
    """The mean square of the error of an output, in its variance.

    Args:
        number: of the output.
        got: what the model has for it.
        wanted: what the dense model has, for this and the other outputs.
        all_of: how the outputs are spread.
    """
    spread = all_of[number]
    squares = (got - wanted[number]).square() / spread.variance
    if spread.counted_by is None:
        return squares.mean()
    rarity = all_of[spread.counted_by].rarity(wanted[spread.counted_by])
    return (squares.mean(-1) * (1 + rarity.square())).mean() / spread.typical


@torch.no_grad()
def spreads(
    dense: TfliteModule, outputs: Sequence[int], batches: Callable[[], Iterable[Inputs]]
) -> dict[int, Spread]:
    """Measures how outputs are spread.

    Args:
        dense: the model.
        outputs: their numbers.
        batches: gives the same inputs with each call; the first 64 count.
    """
    found: dict[int, Spread] = {}
    if not outputs:
        return found
    sums: dict[int, list[Tensor]] = {number: [] for number in outputs}
    for values in _values(dense, outputs, batches):
        for number, value in values.items():
            rows = value.reshape(-1, value.shape[-1] if value.ndim > 1 else 1).double()
            sums[number].append(torch.stack([torch.ones_like(rows), rows, rows.square()]).sum(1))
    for number, parts in sums.items():
        count, total, square = torch.stack(parts).sum(0)
        mean, square = total / count, square / count
        variance = (square - mean.square()).clamp_min(0)
        least = _OF_ALL * variance.mean() + _OF_SQUARE * square.mean() + _TINY
        found[number] = Spread(mean.float(), (variance + least).float())
    return _counted(dense, found, batches)


def _counted(
    dense: TfliteModule, found: dict[int, Spread], batches: Callable[[], Iterable[Inputs]]
) -> dict[int, Spread]:
    """The same with what places count."""
    places: dict[int, tuple[int, ...]] = {}
    squares: dict[int, list[float]] = {number: [] for number in found}
    for values in _values(dense, [*found], batches):
        for number, value in values.items():
            if value.ndim >= _FEWEST_AXES and value[0, ..., 0].numel() > 1:
                places[number] = tuple(value.shape[1:-1])
                squares[number].append(float(found[number].rarity(value).square().mean()))
    far_out = {number: sum(squares[number]) / len(squares[number]) for number in places}
    for number, where in places.items():
        of_these = [other for other in places if places[other] == where]
        counted_by = max(of_these, key=lambda other: far_out[other])
        found[number] = found[number]._replace(
            counted_by=counted_by, typical=1 + far_out[counted_by]
        )
    return found


def _values(
    dense: TfliteModule, outputs: Sequence[int], batches: Callable[[], Iterable[Inputs]]
) -> Iterator[dict[int, Tensor]]:
    seen = 0
    for inputs in batches():
        if seen >= _SAMPLES:
            return
        seen += inputs[0].shape[0]
        yield dense.run(inputs, outputs)
