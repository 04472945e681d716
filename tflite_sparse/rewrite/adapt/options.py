"""Options of `adapt`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError
from tflite_sparse.records import Record
from tflite_sparse.rewrite.adapt.passes import registry
from tflite_sparse.rewrite.adapt.passes.names import FORMER_NAMES

if TYPE_CHECKING:
    from tflite_sparse.rewrite.adapt.passes.adapt_pass import AnyPass

__all__ = ["AdaptOptions"]


class AdaptOptions(Record, frozen=True):
    """What to adapt.

    Attributes:
        targets: names of the targets that the model must run right on; empty for the usual ones.
        only: names of the passes that may be used; empty for all.
        without: names of passes that may not be used.
        min_gain: how many times faster the model must be by the estimate; with 0 it is adapted
            wherever that makes more of it sparse.
        max_arena: bytes that the activations of the result may take at once, or as many as in the
            model as it is where that is more; None for any.
    """

    targets: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    min_gain: float = 1.03
    max_arena: int | None = None

    def __post_init__(self) -> None:
        _passes(*self.only, *self.without)
        if not self.passes:
            raise UsageError("no pass is left to be used", hint="leave out --only or --without")
        if self.min_gain < 0:
            raise UsageError("a gain is 0 or more")
        if self.max_arena is not None and self.max_arena < 0:
            raise UsageError("a number of bytes is 0 or more")

    @property
    def passes(self) -> frozenset[AnyPass]:
        """The passes that may be used."""
        usable = _passes(*self.only) if self.only else frozenset(registry.PASSES)
        return usable - _passes(*self.without)


def _passes(*names: str) -> frozenset[AnyPass]:
    """The passes of some names, former ones included.

    Raises:
        UsageError: there is no such pass.
    """
    return frozenset(registry.PASSES[FORMER_NAMES.get(name, name)] for name in names)
