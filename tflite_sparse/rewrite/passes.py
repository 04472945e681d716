"""What a pass is, and the registries that list them.

A pass changes a subject: a whole model (`model_pass.ModelPass`), or a part of one that a larger
pass hands to it. It says what it needs, does its work, and checks what it promises:

    class DropDoubleReshapes(ModelPass):
        name = RewriteKind.DROP_DOUBLE_RESHAPES
        summary = "Let a RESHAPE read what the RESHAPE before it reads."

        def apply(self, model: Model) -> Rewrite:
            removed = sum(map(_drop_in, model.subgraphs))
            changes = (OperatorChange("RESHAPE", removed=removed),) if removed else ()
            return Rewrite(model, self.name, operators=changes)

    result = DropDoubleReshapes().run(model)

Options of a pass are arguments of its `__init__`. A pass keeps nothing between two runs: what it
did is in the result.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from tflite_sparse.errors import UsageError
from tflite_sparse.words.near import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Pass", "Registry"]

Subject = TypeVar("Subject")
Result = TypeVar("Result")


class Pass(ABC, Generic[Subject, Result]):
    """A change of a certain kind: `run` is `requires`, `apply` and `ensures`, in this order.

    Attributes:
        name: what options, results and documents call it.
        summary: what it does, in one line, for help and documentation.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    def run(self, subject: Subject) -> Result:
        """Applies the pass where its requirements hold, and checks what it promises.

        Args:
            subject: what it changes.

        Returns:
            What was done, as data.
        """
        self.requires(subject)
        result = self.apply(subject)
        self.ensures(subject, result)
        return result

    def requires(self, subject: Subject) -> None:
        """Raises an error where the pass cannot work on a subject, which is then as it was."""
        del subject

    @abstractmethod
    def apply(self, subject: Subject) -> Result:
        """Does the work; the requirements hold."""

    def ensures(self, subject: Subject, result: Result) -> None:
        """Raises an error where the result is not what the pass promises, which is a bug."""
        del subject, result


class _Named(Protocol):
    """What can be registered: a pass, or a class of passes that differ in their options."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...


Entry = TypeVar("Entry", bound=_Named)


class Registry(Generic[Entry]):
    """Passes in the order in which they are listed, each under a name of its own."""

    def __init__(self, *entries: Entry) -> None:
        """Registers some passes.

        Raises:
            ValueError: two of them have the same name.
        """
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            if entry.name in self._entries:
                raise ValueError(f"two passes are called {entry.name!r}")
            self._entries[entry.name] = entry

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> Entry:
        """The pass of a name.

        Raises:
            UsageError: there is none; the hint lists those that there are.
        """
        if name not in self._entries:
            raise UsageError(
                f"there is no pass {name!r}",
                hint=f"{did_you_mean(name, self._entries)}passes: {', '.join(self._entries)}",
            )
        return self._entries[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(self._entries)

    @property
    def summaries(self) -> dict[str, str]:
        """What each pass does, by name."""
        return {name: entry.summary for name, entry in self._entries.items()}
