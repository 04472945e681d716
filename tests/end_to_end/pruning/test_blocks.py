"""`--block`: the order of channels in which blocks cost least, which nobody outside can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.adapted import head, stock
from tests.support.architectures.two_subgraphs import two_subgraphs
from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.litert import invoke
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.small_nets import build
from tflite_sparse.model import Model
from tflite_sparse.pruning.channels.reorder import Ordered, in_blocks
from tflite_sparse.pruning.filters import find_filters
from tflite_sparse.pruning.judge import judge
from tflite_sparse.pruning.options import Method, PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.torch.training.options import DistillOptions
from tflite_sparse.xnnpack.plan import plan

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.nets.builder import GraphBuilder, Value

TINY = FOLDER / "mobilenet_tiny_80.tflite"
DIGITS = FOLDER / "trained" / "digits.tflite"
TWO = PruneOptions(zeros=0.8, block=2)


def residual(storage: str = "dense") -> Model:
    """Separable layers whose maps are added, as in MobileNetV2: several filters write each map."""

    def layer(g: GraphBuilder, x: Value) -> Value:
        return g.conv2d(g.depthwise(x), 128, storage=storage, bias_storage=storage)

    def net(g: GraphBuilder) -> Value:
        x = layer(g, stock(g, (64, 64)))
        for _ in range(2):
            x = g.add(x, layer(g, layer(g, x)))
        return head(g, x)

    return Model.read(build(net))


def dense(seed: int = 0) -> Model:
    """The model of the examples with weights by chance: its own have zeros."""
    model = Model.read(TINY).copy()
    rng = np.random.default_rng(seed)
    for tensor in model.main.tensors:
        if tensor.name.endswith("/pointwise/filter"):
            values = rng.standard_normal(tensor.shape) * rng.gamma(1, 1, tensor.shape[3])
            tensor.buffer.data = (values / np.sqrt(tensor.shape[3])).astype(np.float32)
    return Model.read(model.to_bytes())


@pytest.mark.parametrize("block", [2, 4])
@pytest.mark.parametrize("make", [dense, residual, lambda: residual("fp16")])
def test_another_order_computes_the_same(make, block: int) -> None:
    model = make()
    options = replace(TWO, block=block)
    ordered = in_blocks(model, find_filters(model, options), options, 0.8)
    assert ordered.classes > 1
    before = invoke(model.copy().to_bytes(), xnnpack=False)
    after = invoke(ordered.model.copy().to_bytes(), xnnpack=False)
    for name, value in before.items():
        bound = 1e-4 * float(np.abs(value).max())
        np.testing.assert_allclose(after[name], value, rtol=0, atol=bound)


def test_what_filters_compute_loses_less_as_blocks_in_another_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = Model.read(DIGITS)
    shape = model.main.inputs[0].shape
    pictures = np.load(DIGITS.with_suffix(".npz"))["pictures"][::2]
    inputs = [{"0": (values / np.float32(255)).reshape(shape)} for values in pictures]
    options = replace(TWO, block=4, method=Method.CALIBRATED)

    def error() -> float:
        return float(np.mean([done.error for done in prune(model, options, inputs).report.filters]))

    ordered = error()
    monkeypatch.setattr("tflite_sparse.pruning.prune.in_blocks", lambda m, s, *_: Ordered(m, s))
    assert ordered < 0.96 * error()


def test_the_kernel_for_two_channels_then_runs() -> None:
    made, single = (prune(dense(), replace(TWO, block=block)) for block in (2, 1))
    assert "in another order" in made.report.notes[-1]
    assert not any("another order" in note for note in single.report.notes)
    small = optimize(made.model, AdaptOptions(("arm64",))).model
    assert [op.kernel for op in plan(small.main, "arm64").operators if op.kernel] == [2] * 5


def test_channels_that_the_caller_sees_keep_their_order() -> None:
    model = dense()
    graph = model.main
    last = next(t for t in graph.tensors if t.name == "block4/pointwise/filter")
    (reader,) = graph.consumers(last)
    graph.outputs = [*graph.outputs, reader.operator.outputs[0]]
    graph.edited = True
    model = Model.read(model.to_bytes())
    options = PruneOptions(zeros=0.8, block=2)
    seen = in_blocks(model, find_filters(model, options), options, 0.8)
    unseen = in_blocks(dense(), find_filters(dense(), options), options, 0.8)
    assert seen.classes == unseen.classes - 1
    rows, moved = (np.asarray(m.main.tensors[last.index].data) for m in (model, seen.model))
    # Its rows stay where they are, though what it reads is in another order.
    assert not np.array_equal(rows, moved)
    np.testing.assert_array_equal(np.sort(rows, axis=3), np.sort(moved, axis=3))


def test_only_the_main_subgraph_is_pruned_where_others_number_their_tensors_alike() -> None:
    model = Model.read(two_subgraphs(64, 0.35, storage="dense"))
    made = prune(model, TWO)
    assert "in another order" in made.report.notes[-1]
    main, other = made.model.subgraphs
    numbers = [done.weight.tensor for done in made.report.filters]
    assert all(np.mean(np.asarray(main.tensors[i].data) == 0) > 2 / 3 for i in numbers)
    for a, b in zip(model.subgraphs[1].tensors, other.tensors, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_the_file_that_is_written_has_the_order_and_all_else_as_it_was(tmp_path: Path) -> None:
    model, out = tmp_path / "dense.tflite", tmp_path / "pruned.tflite"
    dense().write(model)
    done = call("prune", model, "-o", out, "--zeros", "0.8", "--block", "2")
    assert done.code == 0, done.err
    assert "are in another order" in " ".join(done.out.split())
    ordered = in_blocks(Model.read(model), find_filters(Model.read(model), TWO), TWO, 0.8)
    moved = {tensor.index for tensor in ordered.moved}
    one, two = Model.read(model), Model.read(out)
    for a, b, c in zip(one.main.tensors, two.main.tensors, ordered.model.main.tensors, strict=True):
        assert (a.name, a.shape, a.type) == (b.name, b.shape, b.type)
        if a.is_constant:
            values = np.asarray(b.data)
            np.testing.assert_array_equal(values, np.where(values == 0, 0, c.data))
            assert np.array_equal(a.data, b.data) or a.index in moved


def test_a_training_goes_on_in_the_same_order() -> None:
    model = dense()
    inputs = random_inputs(input_specs(model), 24)
    steps = DistillOptions(steps=2, batch=4, evaluate=1, learning_rate=1e-4)
    options = replace(TWO, method=Method.TRAIN, training=steps)
    trained = prune(model, options, inputs)
    calibrated = prune(model, replace(TWO, method=Method.CALIBRATED), inputs)
    assert trained.report.notes == calibrated.report.notes
    one, two = (judge(model, made.model, inputs).outputs[0].snr for made in (trained, calibrated))
    assert one == pytest.approx(two, abs=1.0)
    for tensor in trained.model.main.tensors:
        if tensor.name.endswith("/pointwise/filter"):
            rows = np.asarray(tensor.data).reshape(len(tensor.data), -1) == 0
            np.testing.assert_array_equal(rows[0::2], rows[1::2])


def test_a_training_takes_biases_that_share_their_bytes() -> None:
    builder = ModelBuilder()
    g = builder.graph()
    buffer = builder.buffer(np.zeros(64, np.float32))
    x = stock(g, (32, 32))
    for _ in range(3):
        bias = g.constant(np.zeros(64, np.float32), buffer=buffer)
        x = g.conv2d(g.depthwise(x), 64, bias=bias)
    g.output(head(g, x))
    model = Model.read(builder.build())
    steps = DistillOptions(steps=2, batch=2, evaluate=1, learning_rate=1e-4)
    options = PruneOptions(zeros=0.8, method=Method.TRAIN, training=steps)
    made = prune(model, options, random_inputs(input_specs(model), 8))
    assert made.report.share == pytest.approx(0.8, abs=0.01)
    assert len(Model.read(made.model.to_bytes()).buffers) == len(model.buffers) + 2
