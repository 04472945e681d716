"""What a rule finds, and where."""

from __future__ import annotations

import enum
import functools
import hashlib
from typing import TYPE_CHECKING, Any

from tflite_sparse.records import Record
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Subgraph, Tensor

__all__ = ["Finding", "Hit", "Severity", "Spot"]


@functools.total_ordering
class Severity(enum.Enum):
    """How bad a finding is; what is worse is greater."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def label(self) -> str:
        """The name in lower case, as users write it."""
        return self.value

    def __lt__(self, other: Severity) -> bool:
        worst_first = list(Severity)
        return worst_first.index(self) > worst_first.index(other)


class Spot(Record, frozen=True):
    """A place in a model, by names: it survives the renumbering that a rewrite brings.

    Attributes:
        subgraph: name of the subgraph, or its index as text where it has none.
        operator: kind of the operator, such as "CONV_2D".
        output: name of the operator's first output.
        tensor: name of the tensor.
        index: index of the operator, or of the tensor where there is none; for people only.
    """

    subgraph: str | None = None
    operator: str | None = None
    output: str | None = None
    tensor: str | None = None
    index: int | None = None

    @classmethod
    def of_operator(cls, operator: Operator, tensor: Tensor | None = None) -> Spot:
        """The place of an operator, or of a tensor that it reads."""
        return cls(
            _subgraph_name(operator.subgraph),
            operator.custom_code or operator.name,
            readable(operator.outputs[0].name) if operator.outputs else None,
            None if tensor is None else readable(tensor.name),
            operator.index,
        )

    @classmethod
    def of_tensor(cls, tensor: Tensor) -> Spot:
        """The place of a tensor."""
        return cls(
            _subgraph_name(tensor.subgraph), tensor=readable(tensor.name), index=tensor.index
        )

    @property
    def identity(self) -> tuple[str, ...]:
        """What stays the same when indices change."""
        return tuple(
            part or "" for part in (self.subgraph, self.operator, self.output, self.tensor)
        )

    @property
    def qualified(self) -> str:
        """All names from the outside in, such as "main/CONV_2D/block1/filter"."""
        return "/".join(part for part in self.identity if part)

    def __str__(self) -> str:
        if self.operator is not None:
            number = "" if self.index is None else f" #{self.index}"
            text = f"{self.operator}{number} {self.output or ''}".rstrip()
            return f"{text} ({self.tensor})" if self.tensor else text
        return self.tensor or ""


def _subgraph_name(subgraph: Subgraph) -> str:
    return readable(subgraph.name) or str(subgraph.index)


class Hit(Record, frozen=True):
    """What the function of a rule yields.

    Attributes:
        message: what is wrong, with numbers, in one line.
        spot: where; None for the model as a whole.
        data: the numbers in the message, for programs.
        fix: what to do about it, where that is not what the rule says.
        severity: how bad it is, where that is not what the rule says.
        command: the command that does it, where that is not the rule's; "" for none. With a fix of
            its own a hit has no command unless it says one. As in `Rule`, MODEL is the file.
    """

    message: str
    spot: Spot | None = None
    data: dict[str, Any] | None = None
    fix: str | None = None
    severity: Severity | None = None
    command: str | None = None


class Finding(Record, frozen=True):
    """A rule's verdict on a place of a model.

    Attributes:
        code: code of the rule, such as "TFS301".
        rule: its name, such as "entry-ineligible".
        severity: how bad it is, by the rule or by the configuration.
        message: what is wrong.
        path: the model's file, as the user named it.
        spot: where in the model; None for the whole.
        fix: what to do about it.
        data: the numbers in the message.
        command: the command that does it, ready to paste; "" where there is none.
        occurrence: number among the findings of the same rule at the same place.
    """

    code: str
    rule: str
    severity: Severity
    message: str
    path: str
    spot: Spot | None
    fix: str
    data: dict[str, Any]
    command: str = ""
    occurrence: int = 0

    @property
    def advice(self) -> str:
        """What to do, with the command that does it."""
        return f"{self.fix} Command: {self.command}" if self.command else self.fix

    @property
    def identity(self) -> tuple[str, ...]:
        """Rule and place, and of a budget, which one and where; without what changes."""
        place = self.spot.identity if self.spot else ()
        named = ("budget", "target") if "budget" in self.data else ()
        limit = [str(self.data[name]) for name in named if name in self.data]
        return (self.code, *place, *limit)

    @property
    def fingerprint(self) -> str:
        """A digest of rule and place: the same after operators and tensors were renumbered."""
        parts = (*self.identity, str(self.occurrence))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Findings of a file in order: by place in the graph, then by rule."""
        index = -1 if self.spot is None or self.spot.index is None else self.spot.index
        return (
            self.path,
            (self.spot.subgraph or "") if self.spot else "",
            index,
            self.code,
            self.spot.identity if self.spot else (),
            self.occurrence,
            self.message,
        )
