"""What no kernel of LiteRT runs does not load by the plan, and what one runs does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as litert_schema
from flatbuffers import flexbuffers

from tests.support.nets.small_nets import build
from tflite_sparse.model import Model
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import run, run_many
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.stages.missing_kernels import STOCK_CUSTOM_OPERATORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Net

SIZE = (1, 8, 8)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def conv(channels: int, *filters: int, bias: Sequence[bool] = (True,)) -> Net:
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        options = litert_schema.Conv2DOptionsT()
        options.strideH = options.strideW = 1
        options.dilationHFactor = options.dilationWFactor = 1
        inputs = [
            g.input((*SIZE, channels)),
            g.constant(ones(*filters)),
            *(g.constant(ones(filters[0])) if there else None for there in bias),
        ]
        return g.op("CONV_2D", inputs, [((*SIZE, filters[0]), "FLOAT32")], options)

    return net


def depthwise(channels: int, filters: int, bias: Sequence[bool] = (True,)) -> Net:
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        options = litert_schema.DepthwiseConv2DOptionsT()
        options.strideH = options.strideW = 1
        options.dilationHFactor = options.dilationWFactor = 1
        options.depthMultiplier = max(filters // channels, 1)
        inputs = [
            g.input((*SIZE, channels)),
            g.constant(ones(1, 3, 3, filters)),
            *(g.constant(ones(filters)) if there else None for there in bias),
        ]
        return g.op("DEPTHWISE_CONV_2D", inputs, [((*SIZE, filters), "FLOAT32")], options)

    return net


def transposed(channels: int, *filters: int) -> Net:
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        options = litert_schema.TransposeConvOptionsT()
        options.strideH = options.strideW = 2
        shape = (1, 16, 16, filters[0])
        inputs = [
            g.constant(np.array(shape, np.int32)),
            g.constant(ones(*filters)),
            g.input((*SIZE, channels)),
        ]
        return g.op("TRANSPOSE_CONV", inputs, [(shape, "FLOAT32")], options)

    return net


def product(inputs: Sequence[int], filters: Sequence[int], *, keep: bool = False) -> Net:
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        options = litert_schema.FullyConnectedOptionsT()
        options.keepNumDims = keep
        rows = inputs[:-1] if keep else (int(np.prod(inputs)) // filters[1],)
        operands = [g.input(inputs), g.constant(ones(*filters)), None]
        return g.op("FULLY_CONNECTED", operands, [((*rows, filters[0]), "FLOAT32")], options)

    return net


def binary(name: str, first: int, second: int, *, constant: bool = False) -> Net:
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        x = g.input((*SIZE, first))
        y = g.constant(ones(second)) if constant else g.input((*SIZE, second), name="other")
        kind = "MaximumMinimum" if name.endswith("IMUM") else name.title()
        options = getattr(litert_schema, f"{kind}OptionsT")()
        return g.op(name, [x, y], [((*SIZE, max(first, second)), "FLOAT32")], options)

    return net


def after(first: Net, size: int) -> Net:
    """A transposed convolution of what another operator makes, past an activation."""

    def net(g: GraphBuilder) -> tuple[Value, ...]:
        (x,) = first(g)
        options = litert_schema.TransposeConvOptionsT()
        options.strideH = options.strideW = 2
        shape = (1, 16, 16, 4)
        inputs = [
            g.constant(np.array(shape, np.int32)),
            g.constant(ones(4, 2, 2, size)),
            g.unary("RELU", x),
        ]
        return g.op("TRANSPOSE_CONV", inputs, [(shape, "FLOAT32")], options)

    return net


def custom(code: str, operands: int = 1, *, options: bool = False) -> Net:
    """A custom operator; the options are those of a spectrogram."""
    settings = {"window_size": 8, "stride": 4, "magnitude_squared": True}
    raw = bytes(flexbuffers.Dumps(settings)) if options else None

    def net(g: GraphBuilder) -> tuple[Value, ...]:
        inputs = [g.input((16, 1), name=f"input{number}") for number in range(operands)]
        return g.op(code, inputs, [((1, 3, 5), "FLOAT32")], version=1, custom_options=raw)

    return net


REJECTED: dict[str, Net] = {
    "custom": custom("NobodyHasThisOperator"),
    "of Select TF": custom("FlexAddV2"),
    "custom of one operand": custom("TFLite_Detection_PostProcess", options=True),
    "custom of two operands": custom("AudioSpectrogram", 2, options=True),
    "convolution": conv(8, 4, 3, 3, 3),
    "1x1 convolution": conv(8, 4, 1, 1, 5),
    "convolution of more": conv(8, 4, 3, 3, 16),
    "groups of unlike size": conv(8, 6, 3, 3, 2),
    "depthwise": depthwise(8, 12),
    "depthwise of less": depthwise(8, 4),
    "convolution of two operands": conv(8, 4, 3, 3, 8, bias=()),
    "1x1 convolution of two operands": conv(8, 4, 1, 1, 8, bias=()),
    "convolution without its bias": conv(8, 4, 3, 3, 8, bias=(False,)),
    "depthwise without its bias": depthwise(8, 8, bias=(False,)),
    "transposed in groups": transposed(8, 8, 2, 2, 4),
    "transposed of more": transposed(8, 8, 2, 2, 16),
    "transposed after a convolution": after(conv(8, 6, 3, 3, 8), 3),
    "transposed after a depthwise": after(depthwise(8, 8), 4),
    "product that keeps dimensions": product((2, 8), (4, 4), keep=True),
    "product by three dimensions": product((1, 8), (4, 8, 1)),
    **{
        f"{name} of {'a constant' if constant else 'two maps'}": binary(
            name, 4, 5, constant=constant
        )
        for name in ("ADD", "MUL", "SUB", "DIV", "MAXIMUM", "MINIMUM")
        for constant in (False, True)
    },
}
TAKEN: dict[str, Net] = {
    "custom": custom("AudioSpectrogram", options=True),
    "convolution": conv(8, 4, 3, 3, 8),
    "convolution in groups": conv(8, 4, 3, 3, 2),
    "depthwise": depthwise(8, 8),
    "depthwise that doubles": depthwise(8, 16),
    "transposed": transposed(8, 4, 2, 2, 8),
    "transposed after a convolution": after(conv(8, 6, 3, 3, 8), 6),
    "product that flattens": product((2, 8), (4, 16)),
    "product that keeps dimensions": product((2, 8), (4, 8), keep=True),
    "sum of one channel": binary("ADD", 4, 1),
}


@pytest.mark.parametrize("backend", ["xnnpack", "reference"])
@pytest.mark.parametrize(("nets", "loads"), [(REJECTED, False), (TAKEN, True)])
def test_the_plan_says_what_litert_does(nets, loads, backend):
    models = {name: build(net) for name, net in nets.items()}
    jobs = [(data, random_inputs(input_specs(Model.read(data)), 1)) for data in models.values()]
    results = zip(models.items(), run_many(jobs, backend=backend), strict=True)
    for (name, data), result in results:
        assert result.ok is loads, (name, result.detail)
        for target in ("x86-noavx", "x86-avx", "wasm"):
            verdict = plan(Model.read(data).subgraphs[0], target).verdict
            assert (verdict.outcome is Outcome.LOAD_FAILURE) is not loads, name
            assert bool(verdict.missing) is not loads, name
            assert verdict.elsewhere is Outcome.DENSE


def test_a_depthwise_convolution_of_two_operands_ends_the_process():
    data = build(depthwise(8, 8, bias=()))
    feeds = random_inputs(input_specs(Model.read(data)), 1)
    verdict = plan(Model.read(data).main, "x86-avx").verdict
    assert verdict.outcome is Outcome.PROCESS_ABORT
    assert run(data, feeds).status == "crashed"
    assert run(data, feeds, backend="reference").ok


@pytest.mark.parametrize(
    ("code", "beside"),
    [
        *((code, None) for code in STOCK_CUSTOM_OPERATORS),
        ("Mfcc", "custom"),
        ("Mfcc", "convolution"),
    ],
)
def test_a_custom_operator_of_litert_without_options_ends_the_process(code, beside):
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        others = REJECTED[beside](g) if beside else ()
        return (*others, *custom(code, STOCK_CUSTOM_OPERATORS[code])(g))

    data = build(net)
    assert plan(Model.read(data).main, "x86-avx").verdict.outcome is Outcome.PROCESS_ABORT
    assert run(data, random_inputs(input_specs(Model.read(data)), 1)).status == "crashed"
