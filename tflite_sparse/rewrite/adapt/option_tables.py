"""The option tables of the operators that adapting makes or edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.flatbuffer.table import Table

if TYPE_CHECKING:
    from tflite_sparse.model import Operator

__all__ = ["edit_options", "give_options", "has_own_options"]

_TABLES = {
    "ADD": "AddOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "DEPTH_TO_SPACE": "DepthToSpaceOptions",
    "HARD_SWISH": "HardSwishOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "MEAN": "ReducerOptions",
    "MUL": "MulOptions",
    "PAD": "PadOptions",
    "RESHAPE": "ReshapeOptions",
    "REVERSE_V2": "ReverseV2Options",
    "SPACE_TO_DEPTH": "SpaceToDepthOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
}


def has_own_options(operator: Operator) -> bool:
    """Whether an operator whose options are edited here has none, or those of its kind."""
    table, kind = operator.options, _TABLES.get(operator.name)
    return table is None or kind is None or table.name == kind


def give_options(operator: Operator, kind: str, **options: Any) -> None:
    """Gives a new operator the options of its kind; enum values by name."""
    if kind in _TABLES:
        table = Table(_TABLES[kind])
        _fill(table, options)
        operator.table["builtin_options"] = table


def edit_options(operator: Operator, **options: Any) -> None:
    """Changes fields of an operator's options; enum values by name."""
    table = operator.options
    if table is None:
        table = Table(_TABLES[operator.name])
        operator.table["builtin_options"] = table
    _fill(table, options)


def _fill(table: Table, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if table.definition.by_name[name].enum and isinstance(value, str):
            table.set_enum(name, value)
        else:
            table[name] = value
