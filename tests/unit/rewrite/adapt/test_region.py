"""What a region is made of that is grown from several maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.nets.small_nets import build_subgraph, head, pointwise
from tflite_sparse.rewrite.adapt.context import Context
from tflite_sparse.rewrite.adapt.editor import Editor
from tflite_sparse.rewrite.adapt.passes.registry import PASSES
from tflite_sparse.rewrite.adapt.regions.region import grow
from tflite_sparse.rewrite.adapt.window import AS_IT_IS

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value

SHAPE = (1, 20, 20, 24)


def _two_maps(g: GraphBuilder) -> Value:
    first = pointwise(g, g.input(SHAPE), 24, storage="dense")
    return head(g, g.binary("ADD", first, g.input(SHAPE)))


def test_a_map_that_the_region_computes_is_not_brought_in_once_more() -> None:
    subgraph = build_subgraph(_two_maps)
    read, beside = subgraph.inputs
    computed = subgraph.operators[0].outputs[0]
    context = Context(Editor(subgraph), AS_IT_IS, frozenset(PASSES))
    region = grow(context, None, [computed, beside, read])
    assert region.entries == [beside, read]
    assert subgraph.operators[0] in region.members
    assert list(region.values()).count(computed) == 1


def test_a_map_that_is_computed_outside_is_brought_in() -> None:
    subgraph = build_subgraph(_two_maps)
    computed, beside = subgraph.operators[0].outputs[0], subgraph.inputs[1]
    context = Context(Editor(subgraph), AS_IT_IS, frozenset(PASSES))
    region = grow(context, None, [computed, beside])
    assert region.entries == [computed, beside]
    assert subgraph.operators[0] not in region.members
