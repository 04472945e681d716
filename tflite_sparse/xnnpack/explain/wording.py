"""How a plan names operators and tensors in its messages: as the model itself names them.

A file may call them anything; here names are made safe to show, once for all that is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.words.names import layer_path, readable
from tflite_sparse.xnnpack.plan_types import Reason

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.xnnpack.graph import Value

__all__ = ["reason", "tensor_title", "title", "value_title"]

_LONGEST = 60


def _short(name: str) -> str:
    # Converters join the names of everything they merged by semicolons; the first is the layer.
    first = name.split(";", 1)[0]
    first = first if len(first) <= _LONGEST else layer_path(first)
    return readable(first if len(first) <= _LONGEST else "…" + first[-_LONGEST:])


def title(operator: Operator) -> str:
    """An operator in a sentence: the name of its output and its kind, such as "conv1 (CONV_2D)"."""
    kind = readable(operator.custom_code or operator.name)
    name = operator.outputs[0].name if operator.outputs else ""
    return f"{_short(name)} ({kind})" if name else f"{kind} #{operator.index}"


def tensor_title(tensor: Tensor) -> str:
    """A tensor in a sentence: its name, or its index where it has none."""
    return _short(tensor.name) or f"tensor {tensor.index}"


def value_title(value: Value) -> str:
    """A value in a sentence; one that was inserted has no name."""
    return "its input" if value.tensor is None else tensor_title(value.tensor)


def reason(
    code: str,
    operator: Operator,
    sentence: str,
    *,
    operand: str = "",
    found: object = "",
    wanted: object = "",
) -> Reason:
    """A reason about an operator; the sentence goes on after the operator's title."""
    return Reason(
        rule=code,
        operator=operator.index,
        operand=operand,
        found=readable(str(found)),
        wanted=readable(str(wanted)),
        message=f"{title(operator)} {readable(sentence)}",
    )
