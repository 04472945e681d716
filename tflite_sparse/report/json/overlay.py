"""Data for the nodes of Model Explorer, in its own format: what a file of `overlay` holds."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tflite_sparse.inspection.dispositions import DispositionKind
from tflite_sparse.records import Record, Share

__all__ = [
    "FateData",
    "FateNode",
    "GraphData",
    "SavingData",
    "SavingNode",
    "ZeroData",
    "ZeroNode",
]

# The second bound is the share of zeros that a cluster must exceed to run sparse.
_ZERO_STEPS = ((33.3, "#f1f3f4"), (66.7, "#fdd663"), (100.0, "#81c995"))
_SAVING_STEPS = ((0.0, "#f1f3f4"), (1.0, "#1e8e3e"))


class FateNode(Record, frozen=True, rename="camel"):
    """What becomes of an operator.

    Attributes:
        value: it in a word.
        bg_color: the colour that the operator is drawn in.
    """

    value: DispositionKind
    bg_color: str


class FateData(Record, frozen=True, rename="camel"):
    """What becomes of the operators of a graph.

    Attributes:
        name: what the data set is called.
        results: index of each operator -> what becomes of it.
        hide_in_aggregated_stats_table: set, as words have neither sums nor averages.
        show_expanded_summary_on_group_node: whether groups of operators tell how many have each.
        show_label_count_columns_in_children_stats_table: the same in tables.
    """

    name: str
    results: dict[str, FateNode]
    hide_in_aggregated_stats_table: bool = True
    show_expanded_summary_on_group_node: bool = True
    show_label_count_columns_in_children_stats_table: bool = True


class ZeroNode(Record, frozen=True):
    """The zeros in the weights of an operator.

    Attributes:
        value: their share in per cent; one that is not whole never shows as one that is.
    """

    value: Annotated[float, msgspec.Meta(ge=0, le=100)]


class Threshold(Record, frozen=True, rename="camel"):
    """The colour of operators up to a value.

    Attributes:
        value: the value.
        bg_color: the colour.
    """

    value: float
    bg_color: str


class ZeroData(Record, frozen=True, rename="camel"):
    """The zeros in the weights of a graph.

    Attributes:
        name: what the data set is called.
        results: index of each operator with weights -> its zeros.
        thresholds: the colours.
        hide_aggregated_stats: sums that mean nothing.
    """

    name: str
    results: dict[str, ZeroNode]
    thresholds: tuple[Threshold, ...] = tuple(Threshold(*step) for step in _ZERO_STEPS)
    hide_aggregated_stats: tuple[str, ...] = ("sum",)


class SavingNode(Record, frozen=True):
    """What sparse storage saves of the weights of an operator.

    Attributes:
        value: it in bytes; negative where sparse storage costs.
    """

    value: int


class GradientStop(Record, frozen=True, rename="camel"):
    """A colour of a gradient.

    Attributes:
        stop: where it stands, from the smallest value to the largest.
        bg_color: the colour.
    """

    stop: Share
    bg_color: str


class SavingData(Record, frozen=True):
    """What sparse storage saves of the weights of a graph.

    Attributes:
        name: what the data set is called.
        results: index of each operator with weights -> what is saved.
        gradient: the colours.
    """

    name: str
    results: dict[str, SavingNode]
    gradient: tuple[GradientStop, ...] = tuple(GradientStop(*step) for step in _SAVING_STEPS)


GraphData = FateData | ZeroData | SavingData
"""What a file holds of a graph."""
