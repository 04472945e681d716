"""What the passes inside `adapt` have in common, by what they work on.

A pass works on a subgraph as a whole, before it is known which of its operators will run in the
sparse layout; on a region, that is the operators that will; or on the model, when all regions are
done. In a region each operator is then brought into its form (`forms.table.FORMS`), which names
the pass that it belongs to.
"""

from __future__ import annotations

from abc import abstractmethod
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias, TypeVar

from tflite_sparse.errors import RewriteError
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.passes import Pass

if TYPE_CHECKING:
    from tflite_sparse.rewrite.adapt.adaptation import Step
    from tflite_sparse.rewrite.adapt.passes.names import PassName
    from tflite_sparse.rewrite.adapt.regions.region import Region

__all__ = ["AdaptPass", "AnyPass", "Applied", "FinalPass", "Order", "RegionPass", "SubgraphPass"]

Subject = TypeVar("Subject")


class Applied(NamedTuple):
    """A change that was made.

    Attributes:
        what: what was done.
        why: what it is for.
        by: the pass that it is due to, where that is another one than the one that made it.
    """

    what: str
    why: str
    by: AnyPass | None = None


class AdaptPass(Pass[Subject, "tuple[Step, ...]"]):
    """A pass inside `adapt`; its result is the steps that it made.

    Attributes:
        detail: what it does in full, for the documentation.
        cost: what it costs.
        exact: whether the numbers stay the same bit for bit, in words.
        repairs: whether it only mends what the runtime would refuse or get wrong.
    """

    name: ClassVar[PassName]
    detail: ClassVar[str]
    cost: ClassVar[str]
    exact: ClassVar[str]
    repairs: ClassVar[bool] = False

    def check(self, holds: bool, promise: str) -> None:
        """Checks a promise.

        Args:
            holds: whether it holds.
            promise: what was promised.

        Raises:
            RewriteError: it does not hold.
        """
        if not holds:
            raise RewriteError(f"pass {self.name} broke its promise that {promise}; this is a bug")


AnyPass: TypeAlias = AdaptPass[Any]
"""Any of them, whatever it works on."""


class SubgraphPass(AdaptPass[Editor]):
    """A pass over a subgraph as a whole. It promises that what the caller sees stays."""

    @abstractmethod
    def change(self, editor: Editor) -> None:
        """Does the work; the editor notes the steps."""

    def apply(self, subject: Editor) -> tuple[Step, ...]:
        """Does the work; the steps."""
        first = len(subject.steps)
        self.change(subject)
        return tuple(subject.steps[first:])

    def ensures(self, subject: Editor, result: tuple[Step, ...]) -> None:
        """Holds the interface of the subgraph against what it was.

        Raises:
            RewriteError: it is another one now.
        """
        del result
        self.check(subject.keeps_interface(), "what the caller sees stays")


class Order(IntEnum):
    """When a pass works on a region, as some build on what others did."""

    LEAVE = 1
    """Values get out."""
    ENTER = 2
    """Values get in."""
    LAYOUT = 3
    """Maps that come in are reversed."""
    BEGIN = 4
    """The convolution that brings the image in gets its form."""


class RegionPass(AdaptPass["Region"]):
    """A pass over a region. It promises that what the caller sees stays.

    Attributes:
        order: when it works.
    """

    order: ClassVar[Order]

    def is_wanted(self, region: Region) -> bool:
        """Whether it is to work on a region."""
        return region.context.allows(self)

    @abstractmethod
    def change(self, region: Region) -> None:
        """Does the work; the region's editor notes the steps."""

    def apply(self, subject: Region) -> tuple[Step, ...]:
        """Does the work; the steps."""
        steps = subject.context.editor.steps
        first = len(steps)
        self.change(subject)
        return tuple(steps[first:])

    def ensures(self, subject: Region, result: tuple[Step, ...]) -> None:
        """Holds the interface of the subgraph against what it was.

        Raises:
            RewriteError: it is another one now.
        """
        del result
        self.check(subject.context.editor.keeps_interface(), "what the caller sees stays")


class FinalPass(AdaptPass[Model]):
    """A pass over the model, after all its regions are done."""
