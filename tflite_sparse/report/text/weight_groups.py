"""The weights of a model summed up by block, so that hundreds of them fit onto a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.names import common_prefix
from tflite_sparse.report.text.headings import heading
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import count_of, kib, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.inspection.graph_edges import GraphOperator
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.weights.weight_types import WeightFacts
    from tflite_sparse.report.text.headings import Lines

__all__ = ["block_names", "group_table"]

# block_3_expand, layer4.1.conv2, stage2_unit1: the number ends the name of the block.
_BLOCK = re.compile(
    r"(?:[a-z]*(?:block|layer|stage|unit|cell|bottleneck|group|module|encoder|decoder)s?)[_./]?\d+",
    re.IGNORECASE,
)
_MAP = 4
# Names tell blocks where there are at most so many as half the weights.
_FEWER = 2


class _Sum(msgspec.Struct):
    """What is added up over a block; bytes of the file, as stored and at the smallest."""

    weights: int = 0
    elements: int = 0
    zeros: int = 0
    now: int = 0
    dense: int = 0
    smallest: int = 0
    kinds: dict[str, int] = msgspec.field(default_factory=dict)

    def add(self, weight: WeightFacts) -> None:
        self.weights += 1
        self.elements += weight.elements
        self.zeros += weight.zeros or 0
        self.now += weight.bytes_now
        self.dense += weight.bytes_dense or weight.bytes_now
        self.smallest += weight.bytes_now - weight.saving


def group_table(
    inspection: Inspection, operators: Sequence[GraphOperator], width: int, *, top: int = 0
) -> Lines:
    """A line a block: its weights, zeros and sizes, in the order of execution.

    Args:
        inspection: what to show the weights of.
        operators: the operators, for the maps that they make.
        width: the room for a line.
        top: how many blocks to show, the largest ones; 0 for all.
    """
    from rich.text import Text

    sums: dict[str, _Sum] = {}
    for weight, name in zip(
        inspection.weights, block_names(inspection.weights, operators), strict=True
    ):
        sums.setdefault(name, _Sum()).add(weight)
    if not sums:
        return []
    whole = sum(group.now for group in sums.values())
    largest = sorted(sums, key=lambda name: -sums[name].now)
    shown = set(largest[:top] if top else largest)
    columns = [
        Column("block", gives_way=True),
        Column("weights", right=True),
        Column("zeros", right=True, style="bold"),
        Column("share", right=True),
        Column("dense", right=True),
        Column("now", right=True),
        Column("sparse", right=True),
    ]
    rows = [
        [
            name,
            str(group.weights),
            percent(group.zeros, group.elements),
            percent(group.now, whole),
            kib(group.dense),
            kib(group.now),
            kib(group.smallest),
        ]
        for name, group in sums.items()
        if name in shown
    ]
    title = f"{count_of(len(inspection.weights), 'weight')} in {count_of(len(sums), 'block')}"
    lines = [heading(title, "KiB", width, path=False), *table(columns, rows, width)]
    if len(shown) < len(sums):
        rest = count_of(len(sums) - len(shown), "smaller block")
        lines.append(Text(f"  and {rest}", "dim"))
    return lines


def block_names(weights: Sequence[WeightFacts], operators: Sequence[GraphOperator]) -> list[str]:
    """The block that each weight belongs to.

    Where the names of the weights tell blocks, these; elsewhere the size of the maps that the
    operator makes, which is the same throughout a stage of a convolutional network.

    Args:
        weights: the weights.
        operators: the operators, for the maps that they make.
    """
    by_name = _scopes([weight.name.split(";")[0] for weight in weights])
    if 1 < len(set(by_name)) <= max(1, len(weights) // _FEWER):
        return by_name
    graph = {(o.subgraph, o.index): o for o in operators}
    return [_map_of(weight, graph) for weight in weights]


def _scopes(names: Sequence[str]) -> list[str]:
    prefix = common_prefix([name for name in names if "/" in name])
    layers = []
    for name in names:
        rest = name.removeprefix(prefix)
        match = _BLOCK.match(rest)
        layers.append(match.group() if match else rest.partition("/")[0])
    return layers


def _map_of(weight: WeightFacts, graph: Mapping[tuple[int, int], GraphOperator]) -> str:
    for use in weight.uses:
        outputs = graph[use.subgraph, use.operator].outputs
        shape = outputs[0].shape if outputs else ()
        if len(shape) == _MAP:
            return f"{shape[1]}x{shape[2]} maps"
    return "no maps"
