"""What an inspection says about more zeros than a model has."""

from __future__ import annotations

from tflite_sparse.records import Amount, Count, Record, Share

__all__ = ["IfPruned"]


class IfPruned(Record, frozen=True):
    """What a share of zeros in the filters of convolutions would win, wider ones where it pays.

    Attributes:
        zeros: the share, 0 to 1.
        target: the target of the estimate of time; null where nobody has measured any.
        times: how many times as fast as dense; null likewise.
        size: bytes of the file with these filters stored sparse, about.
        layers: number of filters to prune.
        as_it_is: whether the graph would run sparse as it stands; otherwise `times` is what
            `optimize` comes to at most.
        worked_out: whether the graph was rewritten to find out, and `times` is no upper bound.
        filters: names of the filters to prune, in the order in which the model reads them.
        counted: whether `times` is how many times fewer instructions it takes, which are no time.
    """

    zeros: Share
    target: str | None
    times: Amount | None
    size: Count
    layers: Count
    as_it_is: bool
    worked_out: bool = False
    filters: tuple[str, ...] = ()
    counted: bool = False

    @property
    def at_most(self) -> bool:
        """Whether the gain is an upper bound."""
        return not self.as_it_is and not self.worked_out
