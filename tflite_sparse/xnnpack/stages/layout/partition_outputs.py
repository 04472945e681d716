"""What goes wrong with values that leave a partition: their readers rely on the model's shapes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.explain.wording import reason, value_title
from tflite_sparse.xnnpack.plan_types import Failure, Outcome
from tflite_sparse.xnnpack.stages.layout.memory_layout import dims_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Operator
    from tflite_sparse.xnnpack.graph import Node, Value
    from tflite_sparse.xnnpack.stages.layout.memory_layout import MemoryLayout

__all__ = ["output_failures"]


def output_failures(value: Value, producer: Node, layout: MemoryLayout) -> Iterator[Failure]:
    """What goes wrong with a value that leaves a partition.

    Args:
        value: the value.
        producer: the node that makes it.
        layout: its memory layout.
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
        sentence = f"hands out {value_title(value)} as {layout.difference}"
        yield _failure(Outcome.WRONG_NUMBERS, "layout-output", operator, sentence, layout)


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
