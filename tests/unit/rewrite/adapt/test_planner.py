"""What is kept, what is given up and why, and that nothing is lost."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.support.adapted import CHANNELS, adapted, head, separable, stack, stock, through, trunk
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.small_nets import build
from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt import planner
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.passes import barriers
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.rewrite.adapt.regions.price import Pricer
from tflite_sparse.rewrite.compress import compress
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.storage.values.options import ValuesOptions
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

ELIGIBLE = Path(__file__).parents[4] / "testdata" / "mobilenet_tiny_80.tflite"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (stack(zeros=0.5), "% of its 1x1 weights are zero"),
        (build(lambda g: g.conv2d(stock(g), 8, 3)), "no 1x1 convolutions"),
        (build(lambda g: head(g, separable(g, trunk(g)))), "eligible as it is"),
        (build(lambda g: g.softmax(g.conv2d(g.input((1, 4, 4, 8)), 8, zeros=0.9))), "no part"),
    ],
    ids=["few zeros", "no 1x1", "eligible", "nothing to win"],
)
def test_a_model_is_left_alone_with_the_reason(data, reason):
    result = adapted(data, min_gain=1.03)
    assert not result.done
    assert reason in result.rewrite.adaptation.reason
    assert result.after == Model.read(data).to_bytes()
    assert not result.rewrite.changed


@pytest.mark.parametrize("stored", ["sparse", "dense"])
def test_a_model_whose_weights_are_rounded_to_int8_is_as_eligible_as_before(stored):
    rounded = compress(Model.read(ELIGIBLE), values=ValuesOptions()).model
    if stored == "dense":
        densify(rounded)
    assert "eligible as it is" in adapt(rounded).adaptation.reason
    assert plan(sparsify(rounded).model.main, "arm64").outcome is Outcome.SPARSE


def test_a_filter_with_signalling_nans_is_adapted_without_a_warning():
    data = Model.read(build(lambda g: g.conv2d(stock(g), 8, 3, zeros=0.9)))
    tensor = next(op for op in reversed(data.main.operators) if op.name == "CONV_2D").inputs[1]
    values = tensor.numpy().copy()
    values.view(np.uint32)[0, 0, 0, 0] = 0x7FA00000
    tensor.set(values)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        adapted(data.to_bytes())


def test_a_file_that_states_other_shapes_than_the_runtime_finds_is_left_alone():
    data = Model.read(stack())
    graph = data.subgraphs[0]
    conv = next(op for op in graph.operators if op.name == "DEPTHWISE_CONV_2D")
    conv.outputs[0].table["shape"] = np.array([1, 9, 9, CHANNELS], np.int32)
    result = adapted(data.to_bytes())
    assert not result.done
    assert "do not fit together" in result.rewrite.adaptation.reason
    assert conv.label in result.rewrite.adaptation.reason


def test_what_would_be_slower_is_tried_and_given_up_with_the_numbers():
    # A small map, many channels to bring in, little to win behind it.
    def make(g):
        x = g.conv2d(g.input((1, 24, 24, 3)), 96, 3)
        return head(g, g.conv2d(g.depthwise(x), 16, zeros=0.7))

    assert not adapted(build(make), min_gain=1.03).done
    eager = adapted(build(make))
    assert eager.done
    (view,) = (v for v in eager.rewrite.adaptation.outlook if v.target == "wasm")
    assert view.after_ms > view.before_ms


def test_a_gain_that_is_asked_for_and_not_reached_is_told():
    result = adapted(stack(), min_gain=50.0)
    assert not result.done
    adaptation = result.rewrite.adaptation
    assert "ms in WebAssembly; as it is" in adaptation.reason
    # What was tried is not what came of it.
    assert adaptation.steps == ()
    assert all(view.after is view.before for view in adaptation.outlook)
    assert all(view.sparse_after == view.sparse_before for view in adaptation.outlook)
    assert all(view.after_ms == view.before_ms for view in adaptation.outlook)
    assert adaptation.attempt.steps
    assert {view.after for view in adaptation.attempt.outlook} == {"sparse"}


def test_why_a_model_stays_is_told_by_a_target_that_it_is_made_for():
    for target, words in (("armv7", "times as long"), ("arm64", "times as many instructions")):
        reason = adapted(stack(), min_gain=50.0, targets=(target,)).rewrite.adaptation.reason
        assert f"{words} on {target}" in reason
    assert "WebAssembly" not in reason


def test_sparse_weights_are_sparse_again_and_dense_ones_stay_dense():
    assert "DENSIFY" in adapted(stack(storage="sparse")).kinds
    assert "DENSIFY" not in adapted(stack()).kinds


def test_what_the_caller_sees_and_what_belongs_to_the_file_stays():
    builder = ModelBuilder()
    g = builder.graph("serving")
    image = g.input((1, 16, 16, 3), name="image", signature=(-1, 16, 16, 3))
    x = separable(g, g.conv2d(image, CHANNELS, 3, 2))
    logits, boxes = head(g, x), g.conv2d(x, 6, zeros=0.9, name="boxes")
    g.output(logits, boxes)
    other = builder.graph("other")
    other.output(other.unary("RELU", other.input((2, 2), name="y")))
    builder.signature("serve", g, {"image": image}, {"logits": logits, "boxes": boxes})
    builder.metadata("NOTES", b"keep me")
    result = adapted(builder.build(external=True))
    assert result.done
    before, after = Model.read(result.before), Model.read(result.after)
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


def test_a_second_run_changes_nothing():
    once = adapted(stack(), min_gain=1.03)
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
        return head(g, x)

    result = adapted(build(make))
    depthwise = [op for op in Model.read(result.after).operators() if "DEPTHWISE" in op.name]
    assert len({op.inputs[1].index for op in depthwise}) == 1
    assert len(result.after) < len(result.before) + 4096


def test_constants_that_nothing_reads_any_more_are_gone():
    result = adapted(build(lambda g: head(g, separable(g, stock(g)))))
    graph = Model.read(result.after).subgraphs[0]
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
        adapt(Model.read(stack()), AdaptOptions(targets=("abacus",)))


def test_heads_alone_are_mended_in_the_file_as_it_is():
    def make(g):
        x = g.conv2d(trunk(g), 64, zeros=0.9, storage="sparse")
        return g.conv2d(g.mean(x, keep_dims=True), 4)

    data = build(make)
    assert plan(Model.read(data).subgraphs[0], "arm64").outcome is Outcome.LOAD_FAILURE
    result = adapted(data, only=("heads",))
    assert result.passes == ["heads"]
    assert plan(Model.read(result.after).subgraphs[0], "arm64").outcome is Outcome.SPARSE
    stored = {t.name: t.buffer.data.tobytes() for t in Model.read(data).subgraphs[0].tensors}
    for tensor in Model.read(result.after).subgraphs[0].tensors:
        if tensor.is_constant and tensor.name in stored:
            assert tensor.buffer.data.tobytes() == stored[tensor.name]


def test_optimize_is_adapt_and_sparsify():
    result = optimize(Model.read(stack()))
    step_by_step = adapt(Model.read(stack())).model
    sparsify(step_by_step)
    assert result.model.to_bytes() == step_by_step.to_bytes()
    assert result.kind == "optimize"
    assert result.adaptation.done
    assert result.weights
    assert {change.name for change in result.operators} >= {"DENSIFY", "PAD", "REVERSE_V2"}


def test_optimize_stores_weights_sparse_where_nothing_can_be_adapted():
    data = build(lambda g: head(g, separable(g, trunk(g))))
    given = Model.read(data)
    result = optimize(given)
    assert not result.adaptation.done
    assert result.weights
    assert given.to_bytes() == Model.read(data).to_bytes()


def test_classifiers_that_older_releases_count_are_set_apart_where_that_costs_nothing():
    def net(begin):
        # Without zeros, and larger than all that has some.
        return build(lambda g: g.fully_connected(g.mean(separable(g, begin(g))), 200))

    made, asked = adapted(net(stock)), adapted(net(trunk), targets=("arm64@litert-1.3",))
    for result in (made, asked):
        assert result.passes[-1] == "heads"
        assert result.kinds[-3:] == ["MEAN", "RESHAPE", "FULLY_CONNECTED"]
        stored = sparsify(Model.read(result.after)).model
        for release in ("1.1", "1.3", "2.3"):
            assert plan(stored.main, f"arm64@litert-{release}").outcome is Outcome.SPARSE
    # What is not changed in any case is not changed for it.
    assert not adapted(net(trunk)).done


def test_a_model_that_is_adapted_stays_as_it_was():
    given = Model.read(stack())
    before = given.to_bytes()
    assert adapt(given).changed
    assert optimize(given).changed
    assert given.to_bytes() == before


def test_densified_and_adapted_models_keep_their_weights():
    data = stack()
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

    operator = next(op for op in Model.read(through(lambda _, x: x)).operators() if op.index == 2)
    pricer = Pricer()
    assert pricer.zeros(operator) == pricer.zeros(operator)
    assert len(counted) == 1


def test_a_subgraph_is_checked_and_an_operator_is_priced_once(monkeypatch):
    checked, priced = [], []
    for module in (barriers, planner):
        monkeypatch.setattr(module, "shape_mismatch", checked.append)
    count = Pricer._counted
    monkeypatch.setattr(Pricer, "_counted", lambda self, op: priced.append(op) or count(self, op))

    def net(g):
        x = g.conv2d(g.input((1, 32, 32, 3)), CHANNELS, 3, 2)
        for _ in range(6):
            x = separable(g, x)
        return head(g, x)

    adapted(build(net), min_gain=1.03)
    # Each attempt works on a copy, and asks before and after it repairs.
    assert 0 < len(checked) <= 12
    assert max(Counter(map(id, priced)).values()) == 1


def test_of_weights_with_one_name_each_is_told_for_itself():
    """One of two is stored sparse again, as the other has few zeros."""

    def net(g):
        x = g.conv2d(g.input((1, 8, 8, 64)), 64, zeros=0.8, storage="sparse")
        return g.conv2d(x, 64, zeros=0.1, storage="sparse")

    model = Model.read(build(net))
    for tensor in model.main.tensors:
        tensor.table["name"] = "the same"
    model = Model.read(model.to_bytes())
    repaired = planner._stored_safely(model, densify(model.copy()), None)
    zeros = [change.zeros / change.elements for change in repaired.weights]
    assert zeros == [pytest.approx(0.1, abs=0.05)]
