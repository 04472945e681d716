"""What goes wrong with values that leave a partition: whoever gets them believes in the model."""

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
    from tflite_sparse.xnnpack.stages.layout.memory_layout import Lying

__all__ = ["handed_out"]


def handed_out(value: Value, producer: Node, lying: Lying) -> Iterator[Failure]:
    """What goes wrong with a value that leaves a partition.

    Args:
        value: the value.
        producer: the node that makes it.
        lying: how it lies in memory.
    """
    operator = producer.operator
    if not lying.is_plain:
        said = f"hands out {value_title(value)}, which lies in NCHW"
        yield _failure(Outcome.WRONG_NUMBERS, "layout-nchw-read", operator, said, lying)
    elif lying.shape != lying.true:
        yield from _refused_by_squeeze(value, lying)
        if math.prod(lying.shape) > math.prod(lying.true):
            said = (
                f"writes {value_title(value)} as {dims_text(lying.shape)} into memory for "
                f"{dims_text(lying.true)}"
            )
            yield _failure(Outcome.PROCESS_ABORT, "layout-overflow", operator, said, lying)
        said = f"hands out {value_title(value)} as {lying.difference}"
        yield _failure(Outcome.WRONG_NUMBERS, "layout-output", operator, said, lying)


def _refused_by_squeeze(value: Value, lying: Lying) -> Iterator[Failure]:
    # TFLite's SQUEEZE looks at the shape and refuses any other size than 1.
    tensor = value.tensor
    for use in () if tensor is None else tensor.subgraph.consumers(tensor):
        stated = use.operator.option("squeeze_dims")
        dims = () if stated is None else tuple(int(d) for d in stated)
        if use.operator.name != "SQUEEZE" or len(lying.shape) != len(lying.true):
            continue
        if any(lying.shape[d] != 1 for d in dims):
            said = f"gets {value_title(value)} as {lying.difference}"
            yield _failure(Outcome.LOAD_FAILURE, "layout-shape", use.operator, said, lying)


def _failure(
    outcome: Outcome, code: str, operator: Operator, sentence: str, lying: Lying
) -> Failure:
    why = reason(code, operator, sentence, operand="output", found=lying.shape, wanted=lying.true)
    return Failure(outcome, why)
