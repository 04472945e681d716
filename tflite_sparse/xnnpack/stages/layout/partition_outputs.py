"""What goes wrong with values that leave a partition: their readers rely on the model's shapes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.explain.wording import reason, value_title
from tflite_sparse.xnnpack.plan_types import Failure, Outcome
from tflite_sparse.xnnpack.stages.layout.memory_layout import dims_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tflite_sparse.model import Operator
    from tflite_sparse.xnnpack.graph import Node, Value
    from tflite_sparse.xnnpack.stages.layout.memory_layout import MemoryLayout

__all__ = ["output_failures"]


def output_failures(
    value: Value, producer: Node, layout: MemoryLayout, inside: Collection[int]
) -> Iterator[Failure]:
    """What goes wrong with a value that leaves a partition.

    Args:
        value: the value.
        producer: the node that makes it.
        layout: its memory layout.
        inside: indices of the operators in the partition.
    """
    operator = producer.operator
    if not layout.is_plain:
        sentence = f"hands out {value_title(value)}, which lies in NCHW"
        yield _failure(Outcome.WRONG_NUMBERS, "layout-nchw-read", operator, sentence, layout)
    elif layout.shape != layout.model_shape:
        yield from _refused_by_squeeze(value, layout)
        if math.prod(layout.shape) > math.prod(layout.model_shape):
            sentence = (
                f"writes {value_title(value)} as {dims_text(layout.shape)} into memory for "
                f"{dims_text(layout.model_shape)}"
            )
            yield _failure(Outcome.PROCESS_ABORT, "layout-overflow", operator, sentence, layout)
        if _only_shown(value, inside) and math.prod(layout.shape) == math.prod(layout.model_shape):
            sentence = (
                f"gives the output {value_title(value)} the shape {dims_text(layout.shape)} for"
                f" {dims_text(layout.model_shape)}"
            )
            code = "layout-output-shape"
            yield _failure(Outcome.OUTPUT_SHAPE, code, operator, sentence, layout)
            return
        sentence = f"hands out {value_title(value)} as {layout.difference}"
        yield _failure(Outcome.WRONG_NUMBERS, "layout-output", operator, sentence, layout)


def _only_shown(value: Value, inside: Collection[int]) -> bool:
    """Whether nothing outside the partition reads a value but the caller of the model."""
    tensor = value.tensor
    if tensor is None:
        return False
    graph = tensor.subgraph
    entry = graph.index == 0 or any(s.subgraph is graph for s in graph.model.signatures)
    readers = graph.consumers(tensor)
    return entry and all(use.operator.index in inside for use in readers)


def _refused_by_squeeze(value: Value, layout: MemoryLayout) -> Iterator[Failure]:
    # TFLite's SQUEEZE looks at the shape and refuses any other size than 1.
    tensor = value.tensor
    for use in () if tensor is None else tensor.subgraph.consumers(tensor):
        stated = use.operator.option("squeeze_dims")
        dims = () if stated is None else tuple(int(d) for d in stated)
        if use.operator.name != "SQUEEZE" or len(layout.shape) != len(layout.model_shape):
            continue
        if any(layout.shape[d] != 1 for d in dims):
            sentence = f"gets {value_title(value)} as {layout.difference}"
            yield _failure(Outcome.LOAD_FAILURE, "layout-shape", use.operator, sentence, layout)


def _failure(
    outcome: Outcome, code: str, operator: Operator, sentence: str, layout: MemoryLayout
) -> Failure:
    why = reason(
        code, operator, sentence, operand="output", found=layout.shape, wanted=layout.model_shape
    )
    return Failure(outcome, why)
