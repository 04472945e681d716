"""An estimate of how many instructions a run takes on 64-bit Arm, dense and as planned.

Nobody has measured times there, but LiteRT's build for 64-bit Arm runs under emulation, where
instructions are counted exactly. Every kernel takes a fixed number for each tile of what it
computes, so that few prices tell them all. Instructions are no time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.records import Amount, Record
from tflite_sparse.xnnpack.cost.instruction_prices import PRICES
from tflite_sparse.xnnpack.plan_types import Disposition, Outcome, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model import Operator, Subgraph
    from tflite_sparse.xnnpack.plan import Plan
    from tflite_sparse.xnnpack.plan_types import FilterPlan, OperatorPlan

__all__ = [
    "InstructionEstimate",
    "ProcessorEstimate",
    "amounts",
    "has_prices",
    "instruction_estimate",
    "instructions",
    "multiplied",
    "over_processors",
]


class ProcessorEstimate(Record, frozen=True):
    """The instructions of one run on a processor, estimated.

    Attributes:
        processor: the processor, such as "cortex-a76".
        dense: without the sparse path.
        planned: as the runtime runs it.
    """

    processor: str
    dense: Amount
    planned: Amount

    @property
    def fewer(self) -> float:
        """How many times fewer the second are."""
        return self.dense / self.planned if self.planned else 1.0


class InstructionEstimate(Record, frozen=True):
    """An estimate from emulation: instructions, which are not time.

    Attributes:
        least: how many times fewer instructions a run takes than dense, on the processor where
            that is least.
        most: the same where it is most.
        processors: what both rest on.
        counted: what the estimate is fitted to.
    """

    least: Amount
    most: Amount
    processors: tuple[ProcessorEstimate, ...]
    counted: str


_COUNTED = (
    "instructions of LiteRT 2.3.0 on emulated processors, operator by operator of MobileNetV1 at"
    " 0 to 90 % zeros, in single weights and in blocks of 2 and 4 output channels, and of other"
    " nets for kernels that it does not have; not time"
)
_TARGET = "arm64"
# Tiles of the f32 kernels (src/f32-gemm, src/f32-igemm: 6x8; src/f32-spmm: 32, 16, 8, 4, 2, 1).
_ROWS, _COLUMNS, _PIXELS = 6, 8, 32
# Tiles of those for few output channels (4x2), which take four inputs at a time.
_NARROW_ROWS, _NARROW_COLUMNS, _NARROW_INPUTS = 4, 2, 4
_VECTOR = 4
# Dense depthwise kernels take so many channels at a time, then four, then what is left.
_CHANNELS = 8
_SMALL_WINDOW = 9
_FLOATS = frozenset({"FLOAT32", "FLOAT16"})
_ELEMENTWISE = {
    "HARD_SWISH": "hard_swish",
    **dict.fromkeys(("ELU", "EXP", "GELU", "LOGISTIC", "SOFTMAX", "TANH"), "exponential"),
}
_TRANSPOSED_DATA = 2
_MULTIPLIES = frozenset({"CONV_2D", "FULLY_CONNECTED", "DEPTHWISE_CONV_2D"})
_MEDIAPIPE_TRANSPOSED = "Convolution2DTransposeBias"


def instruction_estimate(plan: Plan, subgraph: Subgraph) -> InstructionEstimate | None:
    """Estimates the instructions of a planned model.

    Args:
        plan: the plan of the subgraph.
        subgraph: the subgraph, for the sizes of its tensors.

    Returns:
        The estimate; None on other targets than 64-bit Arm with the newest runtime, and for a
        model that does not run right, multiplies integers, or claims shapes for which no number
        would do.
    """
    if plan.target.name != _TARGET or plan.verdict.elsewhere not in (Outcome.SPARSE, Outcome.DENSE):
        return None
    if not has_prices(subgraph):
        return None
    estimates = []
    for processor, prices in PRICES.items():
        try:
            dense, planned = instructions(plan, subgraph, prices)
        except OverflowError:
            return None
        if not planned or not math.isfinite(dense) or not math.isfinite(planned):
            return None
        estimates.append(ProcessorEstimate(processor, dense, planned))
    return over_processors(estimates)


def over_processors(found: Sequence[ProcessorEstimate]) -> InstructionEstimate:
    """The estimate that some processors make together.

    Args:
        found: those of the processors, at least one.
    """
    gains = [each.fewer for each in found]
    return InstructionEstimate(min(gains), max(gains), tuple(found), _COUNTED)


def has_prices(subgraph: Subgraph) -> bool:
    """Whether all operators have prices: those that multiply integers have none."""
    return not any(_is_quantized(operator) for operator in subgraph.operators)


def instructions(
    plan: Plan, subgraph: Subgraph, prices: Mapping[str, float]
) -> tuple[float, float]:
    """Instructions of the dense model on a processor, and as planned.

    Args:
        plan: the plan of the subgraph.
        subgraph: the subgraph.
        prices: those of the processor, from `PRICES`.

    Raises:
        OverflowError: it claims shapes for which no number would do.
    """
    filters = {counted.operator: counted for counted in plan.filters}
    dense = planned = 0.0
    for op in plan.operators:
        if op.disposition in (Disposition.TFLITE, Disposition.EXECUTED):
            operator = subgraph.operators[op.index]
            dense += _priced(_dense(op, operator), prices)
            planned += _priced(amounts(op, operator, filters.get(op.index)), prices)
    return dense, planned


def amounts(op: OperatorPlan, operator: Operator, counted: FilterPlan | None) -> dict[str, float]:
    """What an operator does that has a price, as it is planned.

    Args:
        op: its plan.
        operator: the operator.
        counted: the zeros of its filter; None where it has none that is counted.
    """
    if op.kernel is not None:
        kept = 1.0
        if counted is not None and counted.parameters:
            kept -= counted.zeros / counted.parameters
        work = _multiplied(op, operator, op.kernel, kept)
        return {**work, f"sparse_{op.kernel}_written": float(_elements(operator))}
    if op.nchw and op.name == "DEPTHWISE_CONV_2D":
        return _depthwise_sparse(op, operator)
    if op.nchw and op.macs and op.role is Role.ENTRY:
        return {"entry": float(op.macs)}
    return _dense(op, operator)


def multiplied(
    op: OperatorPlan, operator: Operator, width: int, prices: Mapping[str, float]
) -> float:
    """Instructions of the multiplications of a sparse convolution if no weight were zero.

    Args:
        op: its plan.
        operator: the convolution.
        width: output channels that its kernel computes together.
        prices: those of the processor.
    """
    return _priced(_multiplied(op, operator, width, 1.0), prices)


def _multiplied(op: OperatorPlan, operator: Operator, width: int, kept: float) -> dict[str, float]:
    """What a sparse kernel does by the share of its weights that are not zero."""
    pixels, _ = _pixels(operator)
    # A tile at a time, and the rest in tiles of half as many pixels each.
    tiles = pixels // _PIXELS + (pixels % _PIXELS).bit_count()
    values = kept * op.macs / max(pixels, 1) / width
    return {f"sparse_{width}": values * pixels, f"sparse_{width}_tile": values * tiles}


def _depthwise_sparse(op: OperatorPlan, operator: Operator) -> dict[str, float]:
    """Its kernels go along a row, four columns at a time, and differ by their strides."""
    *_, height, width, channels = operator.outputs[0].shape
    lines = channels * height
    vectors = lines * -(-width // _VECTOR)
    taps = op.macs / max(_elements(operator), 1)
    kind = "strided_sparse" if operator.option("stride_h", 1) > 1 else "depthwise_sparse"
    kind += _window(taps)
    return {kind: taps * vectors, f"{kind}_vector": float(vectors), f"{kind}_line": float(lines)}


def _dense(op: OperatorPlan, operator: Operator) -> dict[str, float]:
    elements = float(_elements(operator))
    if op.name == "DEPTHWISE_CONV_2D":
        return _depthwise(op, operator)
    if op.macs and (op.name == "TRANSPOSE_CONV" or operator.custom_code == _MEDIAPIPE_TRANSPOSED):
        # Tiles of a matrix product, which are computed as a whole.
        channels = operator.outputs[0].shape[-1] if operator.outputs else 1
        whole = -(-channels // _COLUMNS) * _COLUMNS / max(channels, 1)
        return {"transposed": op.macs * whole}
    if op.name in _MULTIPLIES and op.macs:
        return _product(op, operator)
    if op.name in ("MEAN", "SUM"):
        return {"averaged": float(math.prod(_read(operator)))}
    if op.name == "REVERSE_V2":
        # Along height and width, where the channels of a pixel are copied together.
        pixels, channels = _pixels(operator)
        work = {"reversed": elements, "reversed_pixel": float(pixels)}
        return work | ({"reversed_few": float(pixels)} if channels < _VECTOR else {})
    return {} if op.name == "RESHAPE" else {_ELEMENTWISE.get(op.name, "moved"): elements}


def _product(op: OperatorPlan, operator: Operator) -> dict[str, float]:
    """A product of matrices, in tiles."""
    pixels, channels = _pixels(operator)
    inputs = op.macs / max(pixels * channels, 1)
    wide = op.name != "FULLY_CONNECTED" and (inputs,) != _read(operator)[-1:]
    if channels < _COLUMNS if wide else _is_narrow(channels):
        written = float(_up(pixels, _NARROW_ROWS) * _up(channels, _NARROW_COLUMNS))
        if wide:
            return {"wide_narrow": written * inputs, "wide_narrow_written": written}
        work = {"narrow": written * (inputs - inputs % _NARROW_INPUTS), "narrow_written": written}
        rest = written * (inputs % _NARROW_INPUTS)
        return {**work, "narrow_rest": rest} if rest else work
    columns = _up(channels, _COLUMNS)
    if pixels == 1:
        return {"row": columns * inputs}
    rows = _up(pixels, _ROWS)
    kind = "wide" if wide else "dense"
    return {kind: rows * columns * inputs, f"{kind}_written": float(rows * columns)}


def _is_narrow(channels: int) -> bool:
    """Whether a product takes the kernel for few output channels.

    It does where usual tiles would compute more than 1 % in vain, and narrow ones less
    (src/operators/fully-connected-nc.c).
    """
    vain = _up(channels, _COLUMNS) - channels
    return channels < _COLUMNS or (
        _up(channels, _NARROW_COLUMNS) - channels < vain and vain * 100 > channels
    )


def _up(number: int, step: int) -> int:
    return -(-number // step) * step


def _depthwise(op: OperatorPlan, operator: Operator) -> dict[str, float]:
    """Its dense kernels go along the channels, a pixel at a time."""
    pixels, channels = _pixels(operator)
    taps = op.macs / max(_elements(operator), 1)
    kind = "depthwise" + _window(taps)
    whole = float(pixels * (channels - channels % _CHANNELS))
    work = {kind: taps * whole, f"{kind}_written": whole, f"{kind}_pixel": float(pixels)}
    if channels % _CHANNELS >= _VECTOR:
        work[f"{kind}_vector"] = float(pixels)
    if channels % _VECTOR:
        work[f"{kind}_rest"] = float(pixels)
    return work


def _window(taps: float) -> str:
    """What tells the kernels of depthwise convolutions with large windows from the others."""
    return "_large" if taps > _SMALL_WINDOW else ""


def _priced(work: Mapping[str, float], prices: Mapping[str, float]) -> float:
    return sum(amount * prices[name] for name, amount in work.items())


def _elements(operator: Operator) -> int:
    return sum(math.prod(tensor.shape) for tensor in operator.outputs)


def _read(operator: Operator) -> tuple[int, ...]:
    """The shape of its first input, () where a damaged file states none."""
    read = next(iter(operator.inputs), None)
    return () if read is None else read.shape


def _pixels(operator: Operator) -> tuple[int, int]:
    """Pixels and channels of what an operator writes."""
    shape = operator.outputs[0].shape if operator.outputs else ()
    return math.prod(shape[:-1]), shape[-1] if shape else 1


def _is_quantized(operator: Operator) -> bool:
    """Whether it multiplies integers, for which there are no prices."""
    if operator.name not in _MULTIPLIES | {"TRANSPOSE_CONV"}:
        return False
    # The first operand of a transposed convolution is the shape of its result.
    operand = _TRANSPOSED_DATA if operator.name == "TRANSPOSE_CONV" else 0
    read = operator.inputs[operand] if len(operator.inputs) > operand else None
    return read is not None and read.type not in _FLOATS
