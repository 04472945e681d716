"""What is kept, what is given up and why, and that nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tests.unit.rewrite.adapt.nets import CHANNELS, adapted, entered, headed, net
from tests.unit.rewrite.adapt.test_passes import body, model, stock, unending
from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.rewrite.adapt.regions.price import Pricer
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome


def plain(zeros: float = 0.9, storage: str = "dense") -> bytes:
    def make(g):
        x = stock(g, (64, 64))
        for _ in range(3):
            x = g.conv2d(
                g.depthwise(x),
                128,
                zeros=zeros,
                storage=storage,
                bias_storage=storage.removesuffix("-sparse") if "fp16" in storage else "dense",
            )
        return headed(g, x)

    return model(make)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (plain(zeros=0.5), "% of its 1x1 weights are zero"),
        (model(lambda g: g.conv2d(stock(g), 8, 3)), "no 1x1 convolutions"),
        (model(lambda g: headed(g, body(g, entered(g)))), "eligible as it is"),
        (model(lambda g: g.softmax(g.conv2d(g.input((1, 4, 4, 8)), 8, zeros=0.9))), "no part"),
    ],
    ids=["few zeros", "no 1x1", "eligible", "nothing to win"],
)
def test_a_model_is_left_alone_with_the_reason(data, reason):
    found = adapted(data, min_gain=1.03)
    assert not found.done
    assert reason in found.rewrite.adaptation.reason
    assert found.after == Model.read(data).to_bytes()
    assert not found.rewrite.changed


def test_a_file_that_states_other_shapes_than_the_runtime_finds_is_left_alone():
    data = Model.read(plain())
    graph = data.subgraphs[0]
    conv = next(op for op in graph.operators if op.name == "DEPTHWISE_CONV_2D")
    conv.outputs[0].table["shape"] = np.array([1, 9, 9, CHANNELS], np.int32)
    found = adapted(data.to_bytes())
    assert not found.done
    assert "do not fit together" in found.rewrite.adaptation.reason
    assert conv.label in found.rewrite.adaptation.reason


def test_what_would_be_slower_is_tried_and_given_up_with_the_numbers():
    # A small map, many channels to bring in, little to win behind it.
    def make(g):
        x = g.conv2d(g.input((1, 24, 24, 3)), 96, 3)
        return headed(g, g.conv2d(g.depthwise(x), 16, zeros=0.7))

    assert not adapted(model(make), min_gain=1.03).done
    eager = adapted(model(make))
    assert eager.done
    (view,) = (v for v in eager.rewrite.adaptation.outlook if v.target == "wasm")
    assert view.after_ms > view.before_ms


def test_a_gain_that_is_asked_for_and_not_reached_is_told():
    found = adapted(plain(), min_gain=50.0)
    assert not found.done
    assert "ms in WebAssembly; as it is" in found.rewrite.adaptation.reason
    assert found.rewrite.adaptation.steps


def test_sparse_weights_are_sparse_again_and_dense_ones_stay_dense():
    assert "DENSIFY" in adapted(plain(storage="sparse")).kinds
    assert "DENSIFY" not in adapted(plain()).kinds


@pytest.mark.parametrize("storage", ["dense", "fp16", "sparse", "fp16-sparse"])
def test_every_storage_of_weights_runs_sparse(storage):
    found = adapted(plain(storage=storage), min_gain=1.03)
    made = Model.read(found.after)
    sparsify(made)
    assert plan(Model.read(made.to_bytes()).subgraphs[0], "arm64").outcome is Outcome.SPARSE
    (before,), (after,) = found.on_reference()
    assert np.allclose(before, after, rtol=1e-4, atol=1e-5 * np.abs(before).max())


def test_what_the_caller_sees_and_what_belongs_to_the_file_stays():
    builder = ModelBuilder()
    g = builder.graph("serving")
    image = g.input((1, 16, 16, 3), name="image", signature=(-1, 16, 16, 3))
    x = body(g, g.conv2d(image, CHANNELS, 3, 2))
    logits, boxes = headed(g, x), g.conv2d(x, 6, zeros=0.9, name="boxes")
    g.output(logits, boxes)
    other = builder.graph("other")
    other.output(other.unary("RELU", other.input((2, 2), name="y")))
    builder.signature("serve", g, {"image": image}, {"logits": logits, "boxes": boxes})
    builder.metadata("NOTES", b"keep me")
    found = adapted(builder.build(external=True))
    assert found.done
    before, after = Model.read(found.before), Model.read(found.after)
    for graph, twin in zip(before.subgraphs, after.subgraphs, strict=True):
        assert graph.name == twin.name
        for side in ("inputs", "outputs"):
            pairs = zip(getattr(graph, side), getattr(twin, side), strict=True)
            assert all(
                (a.name, a.type, a.shape, a.shape_signature)
                == (b.name, b.type, b.shape, b.shape_signature)
                for a, b in pairs
            )
    assert [(s.key, [n for n, _ in s.outputs]) for s in after.signatures] == [
        ("serve", ["logits", "boxes"])
    ]
    assert after.metadata[0].buffer.data.tobytes() == b"keep me"
    names = [tensor.name for tensor in after.subgraphs[0].tensors]
    assert len(set(names)) == len(names)


def test_a_batch_that_may_change_still_may():
    from tflite_sparse.runtime.litert.driver import run

    def make(g):
        image = g.input((1, 16, 16, 3), name="image", signature=(-1, 16, 16, 3))
        x = body(g, g.conv2d(image, CHANNELS, 3, 2))
        return g.conv2d(g.mean(x, keep_dims=True), 4), g.conv2d(x, 6, zeros=0.9)

    found = adapted(model(make))
    feeds = [{"image": np.random.default_rng(0).random((3, 16, 16, 3), np.float32)}]
    before, after = run(found.before, feeds), run(found.after, feeds)
    assert after.ok, after.detail
    pairs = zip(before.trials[0].values(), after.trials[0].values(), strict=True)
    for a, b in pairs:
        assert a.shape == b.shape == (3, *a.shape[1:])
        assert np.allclose(a, b, atol=1e-5)


def test_a_second_run_changes_nothing():
    once = adapted(plain(), min_gain=1.03)
    again = adapted(once.after, min_gain=1.03)
    assert once.done
    assert not again.done
    assert again.after == once.after


def test_weights_that_operators_share_are_shared_afterwards():
    def make(g):
        shared = g.constant(g.rng.standard_normal((1, 3, 3, CHANNELS)).astype(np.float32))
        x = stock(g)
        for _ in range(2):
            x = g.conv2d(g.depthwise(x, filters=shared), CHANNELS, zeros=0.9)
        return headed(g, x)

    found = adapted(model(make))
    depthwise = [op for op in Model.read(found.after).operators() if "DEPTHWISE" in op.name]
    assert len({op.inputs[1].index for op in depthwise}) == 1
    assert len(found.after) < len(found.before) + 4096


def test_constants_that_nothing_reads_any_more_are_gone():
    found = adapted(model(lambda g: headed(g, body(g, stock(g)))))
    graph = Model.read(found.after).subgraphs[0]
    read = {id(t) for op in graph.operators for t in op.inputs}
    assert all(id(t) in read for t in graph.tensors if t.is_constant)


@pytest.mark.parametrize(
    "options",
    [{"only": ("window",)}, {"without": ("all",)}, {"only": ("flip",), "without": ("mirror",)},
     {"min_gain": -1.0}],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(UsageError):
        AdaptOptions(**options)


def test_a_target_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="no target"):
        adapt(Model.read(plain()), AdaptOptions(targets=("abacus",)))


def test_heads_alone_are_mended_in_the_file_as_it_is():
    def make(g):
        x = g.conv2d(entered(g), 64, zeros=0.9, storage="sparse")
        return g.conv2d(g.mean(x, keep_dims=True), 4)

    data = model(make)
    assert plan(Model.read(data).subgraphs[0], "arm64").outcome is Outcome.LOAD_FAILURE
    found = adapted(data, only=("heads",))
    assert found.passes == ["heads"]
    assert plan(Model.read(found.after).subgraphs[0], "arm64").outcome is Outcome.SPARSE
    stored = {t.name: t.buffer.data.tobytes() for t in Model.read(data).subgraphs[0].tensors}
    for tensor in Model.read(found.after).subgraphs[0].tensors:
        if tensor.is_constant and tensor.name in stored:
            assert tensor.buffer.data.tobytes() == stored[tensor.name]


def test_optimize_is_adapt_and_sparsify():
    result = optimize(Model.read(plain()))
    step_by_step = adapt(Model.read(plain())).model
    sparsify(step_by_step)
    assert result.model.to_bytes() == step_by_step.to_bytes()
    assert result.kind == "optimize"
    assert result.adaptation.done
    assert result.weights
    assert {change.name for change in result.operators} >= {"DENSIFY", "PAD", "REVERSE_V2"}


def test_optimize_stores_weights_sparse_where_nothing_can_be_adapted():
    data = model(lambda g: headed(g, body(g, entered(g))))
    given = Model.read(data)
    result = optimize(given)
    assert not result.adaptation.done
    assert result.weights
    assert given.to_bytes() == Model.read(data).to_bytes()


def test_a_model_that_is_adapted_stays_as_it_was():
    given = Model.read(plain())
    before = given.to_bytes()
    assert adapt(given).changed
    assert optimize(given).changed
    assert given.to_bytes() == before


def test_densified_and_adapted_models_keep_their_weights():
    data = plain()
    back = Model.read(optimize(Model.read(data)).model.to_bytes())
    densify(back)
    once = {t.name: t.data for t in Model.read(data).subgraphs[0].tensors if t.is_constant}
    kept = 0
    for tensor in back.subgraphs[0].tensors:
        if tensor.is_constant and tensor.name in once and tensor.name.endswith("filter"):
            kept += 1
            assert np.array_equal(tensor.data, once[tensor.name])
    assert kept >= 1


def test_zeros_are_counted_once_for_a_filter_that_is_shared(monkeypatch):
    from tflite_sparse.model import zero_counts

    counted = []
    right = zero_counts.count
    monkeypatch.setattr(zero_counts, "count", lambda *a, **k: counted.append(a) or right(*a, **k))

    operator = next(op for op in Model.read(net(lambda _, x: x)).operators() if op.index == 2)
    pricer = Pricer()
    assert pricer.zeros(operator) == pricer.zeros(operator)
    assert len(counted) == 1


def test_a_net_without_an_end_stays_right():
    found = adapted(model(unending))
    assert found.done
    (before,), (after,) = found.on_reference()
    assert np.allclose(before, after, atol=1e-6)
