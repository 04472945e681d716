"""The fuse stage: padding, activations and variants of nodes are fused before layouts are chosen.

Source: XNNPACK src/subgraph.c, xnn_subgraph_fusion and xnn_subgraph_optimize_common_subgraphs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.xnnpack.graph import Graph, Node, Value

__all__ = ["fuse", "inline_quantization"]

_GONE = "gone"
_CLAMPING = frozenset(
    {"average_pool", "convolution", "deconvolution", "depthwise", "fully_connected", "max_pool"}
)
_PRODUCTS = ("fully_connected", "matrix_product")
_PADDED_TYPES = ("f32", "qs8", "qu8")
_UNBOUNDED = (-math.inf, math.inf)


def fuse(graph: Graph) -> None:
    """Fuses and rewrites a graph in place, as long as anything changes."""
    for value in graph.values:
        _fuse_pad(graph, value)
        _fuse_copy(graph, value)
    _sweep(graph)
    for value in graph.values:
        value.fixed_shape = value.is_static
    while True:
        changed = False
        for node in graph.nodes:
            _spread_fixed_shape(node)
            for rewrite in _rewrites(graph, node):
                changed |= node.kind != _GONE and rewrite(graph, node)
        if not changed:
            return
        _sweep(graph)


def inline_quantization(graph: Graph) -> None:
    """Lets matrix products quantize their activation themselves, after layouts are chosen.

    Source: src/subgraph.c, xnn_subgraph_optimize_packed_lhs.
    """
    for node in graph.nodes:
        source = node.inputs[0]
        convert = source.producer
        if node.kind not in _PRODUCTS or source.type != "qd8" or convert is None:
            continue
        if convert.function == "convert" and source.readers == [node]:
            convert.kind = _GONE
    graph.nodes = [node for node in graph.nodes if node.kind != _GONE]


def _sweep(graph: Graph) -> None:
    graph.nodes = [node for node in graph.nodes if node.kind != _GONE]
    graph.link()


def _fuse_pad(graph: Graph, value: Value) -> None:
    pad = value.producer
    if pad is None or pad.kind != "pad" or value.consumers != 1 or not value.readers:
        return
    reader = value.readers[0]
    if reader.kind not in ("convolution", "depthwise") or reader.inputs[0] is not value:
        return
    pads = pad.numbers
    # Pairs before and after, one a dimension: batch, height, width, channels.
    spatial = len(pads) == 8 and not any(pads[:2] + pads[6:])  # noqa: PLR2004
    window = reader.window
    if not spatial or value.type not in _PADDED_TYPES or window is None or window.same:
        return
    reader.window = window.padded((pads[2], pads[5], pads[3], pads[4]))
    source = pad.inputs[0]
    reader.inputs[0] = source
    source.readers = [reader if node is pad else node for node in source.readers]
    value.readers.clear()
    value.producer = None
    graph.absorb(pad, reader, "fuse-pad")
    pad.kind = _GONE


def _fuse_copy(graph: Graph, value: Value) -> None:
    before = value.producer
    if before is None or value.consumers != 1 or not value.readers or value.is_input:
        return
    reader = value.readers[0]
    # Variables are read and assigned more than once: what is skipped must not see another state.
    if reader.kind == "copy" and _untouched(graph, reader.outputs[0], before, reader):
        before.outputs = [reader.outputs[0] if v is value else v for v in before.outputs]
        reader.outputs[0].producer = before
        graph.absorb(reader, before, "fuse-copy")
        reader.kind = _GONE
    elif before.kind == "copy" and _untouched(graph, before.inputs[0], before, reader):
        source = before.inputs[0]
        reader.inputs = [source if v is value else v for v in reader.inputs]
        source.readers = [reader if node is before else node for node in source.readers]
        graph.absorb(before, reader, "fuse-copy")
        before.kind = _GONE


def _untouched(graph: Graph, value: Value, after: Node, before: Node) -> bool:
    """Whether no node between two others reads or writes a value."""
    between = (node for node in graph.nodes if after.number < node.number < before.number)
    return not any(value in node.inputs or value in node.outputs for node in between)


def _spread_fixed_shape(node: Node) -> None:
    computed = node.kind in ("unary", "binary") and all(v.fixed_shape for v in node.inputs)
    whole = node.kind == "reshape" and 0 not in node.numbers
    if computed or whole:
        node.outputs[0].fixed_shape = True


def _square(graph: Graph, node: Node) -> bool:
    if node.function != "multiply" or node.inputs[0] is not node.inputs[1]:
        return False
    node.kind, node.function = "unary", "square"
    node.inputs = node.inputs[:1]
    graph.step(node.operator, "rewrite-square")
    return True


def _clamp_by_scalar(graph: Graph, node: Node) -> bool:
    if node.kind != "binary" or node.function not in ("minimum", "maximum"):
        return False
    source, bound = node.inputs
    if not _is_scalar(bound):
        source, bound = bound, source
    if not _is_scalar(bound) or len(bound.shape) > len(source.shape):
        return False
    limit = _scalar(bound)
    node.clamp = (-math.inf, limit) if node.function == "minimum" else (limit, math.inf)
    node.kind, node.function, node.inputs = "unary", "clamp", [source]
    graph.step(node.operator, "rewrite-clamp")
    return True


def _is_scalar(value: Value) -> bool:
    return value.is_static and value.size == 1


def _scalar(value: Value) -> float:
    # Imported here: the values of constants are read for this rewrite alone.
    from tflite_sparse.model.sparse import decoded

    data = None if value.source is None else decoded(value.source)
    return math.nan if data is None else float(np.ravel(data)[0])


def _merge_clamp(graph: Graph, node: Node) -> bool:
    source = node.inputs[0]
    before = source.producer
    if not node.is_clamp or source.consumers > 1 or before is None:
        return False
    if before.kind not in _CLAMPING and not before.is_clamp:
        return False
    low, high = (min(max(bound, node.clamp[0]), node.clamp[1]) for bound in before.clamp)
    before.clamp = (low, high)
    before.outputs[0] = node.outputs[0]
    graph.absorb(node, before, "fuse-clamp")
    node.kind = _GONE
    return True


def _elide_clamp(graph: Graph, node: Node) -> bool:
    if not node.is_clamp or node.clamp != _UNBOUNDED:
        return False
    source, result = node.inputs[0], node.outputs[0]
    if _short_circuit(source, result):
        graph.absorb(node, source.producer or result.producer, "elide-clamp")
        node.kind = _GONE
    else:
        node.kind, node.function = "copy", ""
    return True


def _short_circuit(source: Value, result: Value) -> bool:
    """Makes the readers of one value read the other; false where neither can go."""
    if not result.is_output:
        for reader in result.readers:
            reader.inputs = [source if v is result else v for v in reader.inputs]
        return True
    producer = source.producer
    if source.is_output or producer is None:
        return False
    producer.outputs = [result if v is source else v for v in producer.outputs]
    for reader in source.readers:
        reader.inputs = [result if v is source else v for v in reader.inputs]
    return True


def _reduce_squared(graph: Graph, node: Node) -> bool:
    source = node.inputs[0]
    before = source.producer
    if node.function not in ("mean", "sum") or not source.is_float or before is None:
        return False
    if before.kind != "unary" or before.function != "square":
        return False
    node.function += "_squared"
    node.inputs = [before.inputs[0]]
    graph.step(node.operator, "rewrite-reduce-squared")
    return True


def _merge_reshape(graph: Graph, node: Node) -> bool:
    source = node.inputs[0]
    before = source.producer
    if 0 in node.numbers or before is None or before.kind != "reshape" or source.consumers != 1:
        return False
    node.inputs = [before.inputs[0]]
    graph.absorb(before, node, "merge-reshape")
    before.kind = _GONE
    return True


def _elide_reshape(graph: Graph, node: Node) -> bool:
    source, result = node.inputs[0], node.outputs[0]
    if 0 in node.numbers or not source.fixed_shape or source.consumers > 1 or result.is_output:
        return False
    if source.is_static:
        source.shape = node.numbers
    elif source.shape != node.numbers:
        return False
    _short_circuit(source, result)
    graph.absorb(node, source.producer, "merge-reshape")
    node.kind = _GONE
    return True


def _drop_transpose(graph: Graph, node: Node) -> bool:
    weights = node.inputs[1]
    turn = weights.producer
    if turn is None or turn.kind != "transpose" or weights.consumers != 1:
        return False
    rank = len(turn.numbers)
    if turn.numbers != (*range(rank - 2), rank - 1, rank - 2):
        return False
    node.inputs[1] = turn.inputs[0]
    graph.absorb(turn, node, "drop-transpose")
    turn.kind = _GONE
    return True


def _rewrites(graph: Graph, node: Node) -> tuple[Callable[[Graph, Node], bool], ...]:
    """What a release may do with a node."""
    if not graph.runtime.rewrites_subgraphs:
        return (_merge_clamp,) if node.kind == "unary" else ()
    if node.kind == "binary" and not graph.runtime.rewrites_limits:
        return (_square,)
    return _REWRITES.get(node.kind, ())


_REWRITES: dict[str, tuple[Callable[[Graph, Node], bool], ...]] = {
    "binary": (_square, _clamp_by_scalar),
    "unary": (_merge_clamp, _elide_clamp),
    "reduce": (_reduce_squared,),
    "reshape": (_merge_reshape, _elide_reshape),
    "fully_connected": (_drop_transpose,),
    "matrix_product": (_drop_transpose,),
}
