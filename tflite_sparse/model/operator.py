"""Operators and their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.errors import Place
from tflite_sparse.flatbuffer.schema import schema

if TYPE_CHECKING:
    from tflite_sparse.flatbuffer.table import Table
    from tflite_sparse.model.subgraph import Subgraph
    from tflite_sparse.model.tensor import Tensor

__all__ = ["Operator", "builtin_code", "operator_name"]


def builtin_code(code: Table) -> int:
    """The builtin operator of an OperatorCode table.

    Old files have only the one-byte field; new ones put a placeholder there for codes above 127.
    The larger of the two is the one that counts, as in the runtime's GetBuiltinCode.
    """
    return int(max(code["builtin_code"], code["deprecated_builtin_code"]))


def operator_name(code: int) -> str:
    """The name of a builtin operator code, such as "CONV_2D"."""
    name = schema().enums["BuiltinOperator"].names.get(code)
    return name or _newer_name(code)


def _newer_name(code: int) -> str:
    # The tflite package may be newer than this one and know the operator by then.
    from tflite.utils import BUILTIN_OPCODE2NAME

    return str(BUILTIN_OPCODE2NAME.get(code, f"BUILTIN_{code}"))


class Operator:
    """An operator of a subgraph.

    Attributes:
        table: the Operator table.
        code: the OperatorCode table.
        subgraph: the subgraph that it belongs to.
        index: position among the subgraph's operators, which is the order of execution.
        inputs: the tensors it reads; None for an optional operand that is left out.
        outputs: the tensors it writes.
        intermediates: tensors that only quantization tools use.
    """

    __slots__ = (
        "code",
        "index",
        "inputs",
        "intermediates",
        "name",
        "opcode",
        "outputs",
        "subgraph",
        "table",
    )

    def __init__(
        self,
        table: Table,
        code: Table,
        subgraph: Subgraph,
        index: int,
        inputs: tuple[Tensor | None, ...],
        outputs: tuple[Tensor, ...],
        intermediates: tuple[Tensor, ...] = (),
    ) -> None:
        self.table = table
        self.code = code
        self.subgraph = subgraph
        self.index = index
        self.inputs = inputs
        self.outputs = outputs
        self.intermediates = intermediates
        self.opcode = builtin_code(code)
        self.name = operator_name(self.opcode)

    def __repr__(self) -> str:
        return f"<{self.label}>"

    @property
    def label(self) -> str:
        """What people call it: name and index, such as "CONV_2D #4"."""
        return f"{self.custom_code or self.name} #{self.index}"

    @property
    def version(self) -> int:
        """The operator's version."""
        return int(self.code["version"])

    @property
    def custom_code(self) -> str | None:
        """The name of a custom operator, None for a builtin one."""
        return self.code["custom_code"] if self.name == "CUSTOM" else None

    @property
    def place(self) -> Place:
        """Where the operator is, for errors."""
        model = self.subgraph.model
        return Place(
            file=model.name,
            subgraph=str(self.subgraph.index) if len(model.subgraphs) > 1 else None,
            operator=self.label,
        )

    @property
    def options(self) -> Table | None:
        """The option table, from either of the two unions that hold one."""
        first = self.table["builtin_options"]
        return self.table["builtin_options_2"] if first is None else first  # type: ignore[no-any-return]

    def option(self, name: str, default: Any = None) -> Any:
        """One option by name; enum values by their name, such as "SAME".

        Args:
            name: name of the field in the operator's option table.
            default: what to return where the operator has no option table or no such field.
        """
        options = self.options
        if options is None or name not in options.definition.by_name:
            return default
        return options.enum(name) if options.definition.by_name[name].enum else options[name]
