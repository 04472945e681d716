"""What all passes over a model have in common: what they need, what they promise, their order."""

from __future__ import annotations

import importlib
import inspect

import numpy as np
import pytest

from tests.support.adapted import trunk
from tests.support.nets.builder import ModelBuilder
from tflite_sparse.errors import EncodingError, RewriteError, UsageError
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.model import Model
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.rewrite.changes import Baseline, OperatorChange, Rewrite, RewriteKind
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.passes import Pass, Registry
from tflite_sparse.rewrite.registry import REWRITES
from tflite_sparse.rewrite.sequence import Sequence
from tflite_sparse.rewrite.writing.runtime_version import VersionRaise
from tflite_sparse.storage.safety import forecasts
from tflite_sparse.xnnpack.forecast import Forecast


def small(storage: str = "dense") -> Model:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    graph.output(graph.conv2d(graph.input((1, 8, 8, 32)), 32, zeros=0.9, storage=storage))
    return Model.read(builder.build())


class Rename(ModelPass):
    """Gives the description another end, and says what it was told to say."""

    name = RewriteKind.SPARSIFY
    summary = "rename"

    def __init__(self, end: str, **result: object) -> None:
        self.end = end
        self.result = result

    def apply(self, model: Model) -> Rewrite:
        model.table["description"] = model.description + self.end
        return Rewrite(model, self.name, **self.result)


class Both(Sequence):
    name = RewriteKind.OPTIMIZE
    summary = "two passes"


class Recorder(Pass[list[str], str]):
    name = "recorder"
    summary = "write down what is called"

    def requires(self, subject: list[str]) -> None:
        subject.append("requires")

    def apply(self, subject: list[str]) -> str:
        subject.append("apply")
        return "result"

    def ensures(self, subject: list[str], result: str) -> None:
        subject.append(f"ensures {result}")


def test_a_pass_asks_works_and_checks():
    calls: list[str] = []
    assert Recorder().run(calls) == "result"
    assert calls == ["requires", "apply", "ensures result"]


def test_a_registry_keeps_the_order_and_every_name_once():
    class Other(Recorder):
        name = "other"

    registry = Registry(Recorder(), Other())
    assert registry.names == ("recorder", "other")
    assert registry.summaries == dict.fromkeys(registry.names, "write down what is called")
    assert len(registry) == 2
    assert "other" in registry
    assert isinstance(registry["other"], Other)
    with pytest.raises(UsageError, match="no pass 'third'") as error:
        registry["third"]
    assert error.value.hint == "passes: recorder, other"
    with pytest.raises(ValueError, match="two passes are called 'other'"):
        Registry(Other(), Other())


def test_every_rewrite_of_a_model_has_a_command_that_says_the_same_of_it():
    assert set(REWRITES.names) == set(RewriteKind)
    for rewrite in REWRITES:
        module = importlib.import_module(f"tflite_sparse.cli.commands.{rewrite.name}")
        first_line = (inspect.getdoc(module.command) or "").partition("\n")[0]
        assert first_line == rewrite.summary


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda r: r.name)
def test_no_pass_takes_a_model_that_would_lose_something(
    rewrite: type[ModelPass], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FlatFile, "read_only", property(lambda _: "it has a part that is unknown"))
    model = small()
    with pytest.raises(RewriteError, match="it has a part that is unknown"):
        rewrite().run(model)
    assert not any(operator.name == "DENSIFY" for operator in model.operators())


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda r: r.name)
def test_no_pass_takes_a_malformed_encoding(rewrite: type[ModelPass]) -> None:
    model = small("sparse")
    tensor = next(t for t in model.main.tensors if t.sparsity is not None)
    assert tensor.sparsity is not None
    last = tensor.sparsity["dim_metadata"][3]
    last["array_segments"]["values"] = last["array_segments"]["values"][::-1].copy()
    with pytest.raises(EncodingError):
        rewrite().run(model)
    assert tensor.sparsity is not None


def test_a_result_with_which_the_runtime_would_do_worse_is_a_bug():
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.conv2d(trunk(graph), 64, zeros=0.9, storage="sparse")
    graph.output(graph.conv2d(graph.mean(x, keep_dims=True), 4))
    model = Model.read(builder.build())
    (now,) = forecasts(model, ZeroCounts())
    assert now.failure is not None
    Rename("", baseline=Baseline((now,), ZeroCounts())).run(model)

    sound = Forecast(None, (), {})
    with pytest.raises(RewriteError, match="would do worse"):
        Rename("", baseline=Baseline((sound,), ZeroCounts())).run(model)


def test_a_sequence_leaves_the_model_and_joins_what_its_passes_did():
    given = small()
    before = given.description
    result = Both(
        Rename(
            " one",
            operators=(OperatorChange("PAD", added=2), OperatorChange("RELU", added=1)),
            min_runtime_version=VersionRaise("1.5.0", "2.2.0"),
            notes=("first",),
        ),
        Rename(
            " two",
            operators=(
                OperatorChange("PAD", removed=3),
                OperatorChange("RELU", removed=1),
                OperatorChange("ADD", versions=((1, 2, 4),)),
            ),
            min_runtime_version=VersionRaise("2.2.0", "2.3.0"),
            notes=("second",),
        ),
    ).run(given)
    assert given.description == before
    assert result.model.description == f"{before} one two"
    assert result.kind is RewriteKind.OPTIMIZE
    assert result.operators == (
        OperatorChange("PAD", removed=1),
        OperatorChange("ADD", versions=((1, 2, 4),)),
    )
    assert result.min_runtime_version == VersionRaise("1.5.0", "2.3.0")
    assert result.notes == ("first", "second")


def test_what_a_sequence_writes_has_the_weights_of_the_model_that_it_was_given():
    given = small()
    result = Both(*(REWRITES[name]() for name in ("sparsify", "densify"))).run(given)
    assert np.array_equal(result.model.main.tensors[1].data, given.main.tensors[1].data)
