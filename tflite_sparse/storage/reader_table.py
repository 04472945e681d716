"""Which operators can read a weight that a DENSIFY has unpacked: a table of what was run.

Every entry was run on LiteRT 2.3.0 with XNNPACK and without it, and the outputs were the same as
with the dense weight, bit for bit (tests/end_to_end/rewrites/test_rewrite_operands.py). What is not
in the table was not run, or failed:

- int8 filters of dynamically quantized CONV_2D and TRANSPOSE_CONV, and of every FULLY_CONNECTED:
  the delegate looks for the filter in the file and refuses to load the model;
- int8 operands of dynamically quantized BATCH_MATMUL: wrong numbers;
- fp16 and int8 constants behind DENSIFY and DEQUANTIZE whose reader XNNPACK does not take: the
  delegate unpacks them for itself alone, and the reader computes with nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tflite_sparse.model import Use

__all__ = ["CASES", "Case", "needs_delegate", "operand_refusal"]

FLOAT = "FLOAT32"
INT8 = "INT8"
ANY = ""


class Case(msgspec.Struct, frozen=True):
    """A way of reading a weight.

    Attributes:
        stored: element type of the constant.
        activation: element type of the operator's other operand; `ANY` where it plays no part.
        dequantized: whether a DEQUANTIZE stands between.
        operands: kind of operator -> the operands that may be such a weight; () for all.
    """

    stored: str
    activation: str
    dequantized: bool
    operands: dict[str, tuple[int, ...]]


_FILTERS = {"CONV_2D": (1,), "DEPTHWISE_CONV_2D": (1,), "TRANSPOSE_CONV": (1,)}
_LSTM = {"UNIDIRECTIONAL_SEQUENCE_LSTM": tuple(range(1, 9))}

CASES = (
    Case(
        FLOAT,
        ANY,
        dequantized=False,
        operands={
            **_FILTERS,
            **_LSTM,
            "FULLY_CONNECTED": (1,),
            "BATCH_MATMUL": (0, 1),
            "CONV_3D": (1,),
            "CONV_3D_TRANSPOSE": (1,),
            "GATHER": (0,),
            "EMBEDDING_LOOKUP": (1,),
            "SVDF": (1,),
            "UNIDIRECTIONAL_SEQUENCE_RNN": (1, 2),
            "ADD": (0, 1),
            "MUL": (0, 1),
            "PRELU": (1,),
            "CONCATENATION": (),
        },
    ),
    Case(
        "FLOAT16",
        ANY,
        dequantized=True,
        operands={**_FILTERS, "FULLY_CONNECTED": (1,), "BATCH_MATMUL": (0, 1)},
    ),
    Case(
        INT8,
        INT8,
        dequantized=False,
        operands={**_FILTERS, "BATCH_MATMUL": (1,)},
    ),
    Case(
        INT8,
        FLOAT,
        dequantized=False,
        operands={"DEPTHWISE_CONV_2D": (1,), **_LSTM},
    ),
    Case(INT8, ANY, dequantized=False, operands={"GATHER": (0,), "EMBEDDING_LOOKUP": (1,)}),
    Case(INT8, ANY, dequantized=True, operands={**_FILTERS, "FULLY_CONNECTED": (1,)}),
)
"""Everything that was run and is right."""

_FAILS = "the runtime refuses to load an int8 {name} filter behind DENSIFY"
_KNOWN_FAILURES = {
    ("CONV_2D", FLOAT): _FAILS,
    ("TRANSPOSE_CONV", FLOAT): _FAILS,
    ("FULLY_CONNECTED", FLOAT): _FAILS,
    ("FULLY_CONNECTED", INT8): _FAILS,
    ("BATCH_MATMUL", FLOAT): "the runtime computes wrong numbers from int8 {name} operands"
    " behind DENSIFY",
}


def operand_refusal(use: Use) -> str | None:
    """Why a weight must not be stored sparse because of one of its readers, or None.

    Args:
        use: where the weight is read.
    """
    operator = use.operator
    name = operator.custom_code or operator.name
    stored = use.constant.type
    dequantized = use.dequantize is not None
    activation = _activation(use)
    for case in CASES:
        operands = case.operands.get(operator.name)
        if (
            (case.stored, case.dequantized) == (stored, dequantized)
            and case.activation in {ANY, activation}
            and operands is not None
            and (not operands or use.operand in operands)
        ):
            return None
    if stored == INT8 and not dequantized and (operator.name, activation) in _KNOWN_FAILURES:
        return _KNOWN_FAILURES[operator.name, activation].format(name=name)
    return f"whether {name} can read operand {use.operand} behind DENSIFY is not proved"


def needs_delegate(use: Use) -> bool:
    """Whether the runtime is right only if XNNPACK takes the reader."""
    return use.dequantize is not None


def _activation(use: Use) -> str:
    """Element type of the first operand that is not the weight and not a list of sizes."""
    for index, tensor in enumerate(use.operator.inputs):
        if tensor is not None and index != use.operand and not tensor.is_constant:
            return tensor.type
    return ANY
