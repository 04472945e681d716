"""Base classes of the passes inside `adapt`, by what they work on.

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
    """Describes a change that was made.

    Attributes:
        what: what was done.
        why: what it is for.
        by: the pass that made the change necessary, if it is not the one that made it.
    """

    what: str
    why: str
    by: AnyPass | None = None


class AdaptPass(Pass[Subject, "tuple[Step, ...]"]):
    """A pass inside `adapt`; its result is the list of its steps.

    Attributes:
        detail: what it does in full, for the documentation.
        cost: what it costs, for the documentation.
        exact: whether the numbers stay the same bit for bit, for the documentation.
        repairs: whether it only repairs what the runtime would refuse or get wrong.
    """

    name: ClassVar[PassName]
    detail: ClassVar[str]
    cost: ClassVar[str]
    exact: ClassVar[str]
    repairs: ClassVar[bool] = False

    def check(self, holds: bool, promise: str) -> None:
        """Raises an error if a promise was broken.

        Args:
            holds: whether the promise was kept.
            promise: what was promised.

        Raises:
            RewriteError: it was broken.
        """
        if not holds:
            raise RewriteError(f"pass {self.name} broke its promise that {promise}; this is a bug")


AnyPass: TypeAlias = AdaptPass[Any]
"""Any of them, whatever it works on."""


class SubgraphPass(AdaptPass[Editor]):
    """A pass over a subgraph as a whole. It promises that what the caller sees stays."""

    @abstractmethod
    def change(self, editor: Editor) -> None:
        """Makes the changes through the editor, which records them as steps."""

    def apply(self, subject: Editor) -> tuple[Step, ...]:
        """Makes the changes; returns the steps."""
        first = len(subject.steps)
        self.change(subject)
        return tuple(subject.steps[first:])

    def ensures(self, subject: Editor, result: tuple[Step, ...]) -> None:
        """Checks that the inputs and outputs of the subgraph are what they were.

        Raises:
            RewriteError: they are not.
        """
        del result
        self.check(subject.keeps_interface(), "what the caller sees stays")


class Order(IntEnum):
    """The order in which passes run on a region; later ones rely on earlier ones."""

    LEAVE = 1
    """Values get out."""
    ENTER = 2
    """Values get in."""
    LAYOUT = 3
    """Maps that come in are reversed."""
    BEGIN = 4
    """The convolution that brings the image in gets its form."""
    WIDE = 5
    """Convolutions wider than 1x1 become sums of 1x1 convolutions."""


class RegionPass(AdaptPass["Region"]):
    """A pass over a region. It promises that what the caller sees stays.

    Attributes:
        order: when it runs.
    """

    order: ClassVar[Order]

    def is_wanted(self, region: Region) -> bool:
        """Whether it has to run on a region."""
        return region.context.allows(self)

    @abstractmethod
    def change(self, region: Region) -> None:
        """Makes the changes through the region's editor, which records them as steps."""

    def apply(self, subject: Region) -> tuple[Step, ...]:
        """Makes the changes; returns the steps."""
        steps = subject.context.editor.steps
        first = len(steps)
        self.change(subject)
        return tuple(steps[first:])

    def ensures(self, subject: Region, result: tuple[Step, ...]) -> None:
        """Checks that the inputs and outputs of the subgraph are what they were.

        Raises:
            RewriteError: they are not.
        """
        del result
        self.check(subject.context.editor.keeps_interface(), "what the caller sees stays")


class FinalPass(AdaptPass[Model]):
    """A pass over the model, after all its regions are done."""
