"""The passes are objects in one registry, from which everything that lists them is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.adapted import CHANNELS, Adapted, adapted, head, separable, stock
from tests.support.nets.small_nets import build
from tflite_sparse.errors import RewriteError, UsageError
from tflite_sparse.rewrite.adapt.forms.table import FORMS
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.passes import registry
from tflite_sparse.rewrite.adapt.passes.adapt_pass import SubgraphPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.passes import Registry

if TYPE_CHECKING:
    from tflite_sparse.rewrite.adapt.editor import Editor


class OneRelu(SubgraphPass):
    name = "one-relu"
    summary = "drop a RELU that reads a RELU"

    def change(self, editor: Editor) -> None:
        for op in list(editor.subgraph.operators):
            producer = editor.subgraph.producer(op.inputs[0])
            if op.name == "RELU" and producer is not None and producer.name == "RELU":
                editor.note(self, editor.label(op), "reads what a RELU reads", "once is enough")
                editor.read(op, 0, producer.inputs[0])
        editor.sweep()


class Renaming(SubgraphPass):
    name = "renaming"
    summary = "break what it promises"

    def change(self, editor: Editor) -> None:
        editor.subgraph.inputs[0].table["name"] = "another"


def twice_relu(g):
    x = g.unary("RELU", g.unary("RELU", g.conv2d(separable(g, stock(g)), CHANNELS, zeros=0.9)))
    return head(g, x)


def add(monkeypatch: pytest.MonkeyPatch, *passes: SubgraphPass) -> None:
    monkeypatch.setattr(registry, "PASSES", Registry(*registry.PASSES, *passes))


def relus(result: Adapted) -> int:
    return result.kinds.count("RELU")


def test_a_pass_that_is_registered_is_used(monkeypatch):
    assert relus(adapted(build(twice_relu))) == 2
    add(monkeypatch, OneRelu())
    result = adapted(build(twice_relu))
    assert result.done
    assert result.passes[0] == "one-relu"
    assert relus(result) == 1
    assert relus(adapted(build(twice_relu), without=("one-relu",))) == 2


def test_a_pass_that_is_registered_is_an_option(monkeypatch):
    with pytest.raises(UsageError):
        AdaptOptions(only=("one-relu",))
    add(monkeypatch, OneRelu())
    assert {p.name for p in AdaptOptions(only=("one-relu",)).passes} == {"one-relu"}
    assert "one-relu" in {p.name for p in AdaptOptions().passes}
    with pytest.raises(UsageError) as refused:
        AdaptOptions(only=("two-relus",))
    assert refused.value.hint == f"did you mean one-relu? passes: {', '.join(PassName)}, one-relu"


def test_a_pass_that_changes_what_the_caller_sees_is_stopped(monkeypatch):
    add(monkeypatch, Renaming())
    with pytest.raises(RewriteError, match="renaming broke its promise that what the caller sees"):
        adapted(build(twice_relu))


def test_the_names_are_those_of_the_passes_in_order():
    assert registry.PASSES.names == tuple(PassName)


@pytest.mark.parametrize("adapt_pass", registry.PASSES, ids=lambda p: p.name)
def test_every_pass_says_what_it_does_and_what_it_costs(adapt_pass):
    assert adapt_pass.summary
    assert adapt_pass.detail.endswith(".")
    assert adapt_pass.cost
    assert adapt_pass.exact
    assert not set("|\n") & set(adapt_pass.detail + adapt_pass.cost + adapt_pass.exact)


def test_every_form_is_made_by_passes_of_the_registry():
    changes = [change for form in FORMS.values() for change in (form.change, form.ending) if change]
    assert {change.by for change in changes} <= set(registry.PASSES)
    assert all(form.ending is not None for form in FORMS.values() if form.leaves)


def test_options_take_the_former_names_of_passes():
    assert (
        AdaptOptions(only=("flip", "windows")).passes
        == AdaptOptions(only=("mirror", "windows")).passes
    )
    assert (
        AdaptOptions(without=("spelling",)).passes == AdaptOptions(without=("canonicalize",)).passes
    )
