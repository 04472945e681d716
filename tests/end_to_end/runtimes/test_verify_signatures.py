"""Every signature is run, and what is not is named."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.failing import endless
from tflite_sparse.errors import RewriteError
from tflite_sparse.runtime.prove import verify_files
from tflite_sparse.runtime.verify import verify


def two_signatures(change: float = 0.0, *, graphs: int = 2) -> bytes:
    """A model whose second signature runs a subgraph of its own."""
    model = ModelBuilder()
    for number, key in enumerate(("first", "second")[:graphs]):
        g = model.graph(key)
        x = g.input((1, 4), name="x")
        y = g.add(x, np.float32(1.0 + number * change))
        g.output(y)
        model.signature(key, g, {"x": x}, {"y": y})
    return model.build()


def test_every_signature_is_run(store):
    same = verify(*store(two_signatures(), two_signatures()), trials=1)
    assert same.equal
    assert [entry.signature for entry in same.backends] == [None, None, "second", "second"]
    other = verify(*store(two_signatures(), two_signatures(0.5)), trials=1, weights=False)
    assert not other.equal
    assert [entry.agree for entry in other.backends] == [True, True, False, False]
    with pytest.raises(RewriteError, match="signature 'second'"):
        verify_files(*store(two_signatures(), two_signatures(0.5)), weights=False)


def test_what_was_not_asked_for_is_named(store):
    pair = store(two_signatures(), two_signatures(0.5))
    found = verify(*pair, trials=1, weights=False, signature="first")
    assert found.equal
    assert found.unreached == ("signature 'second': another one was asked for",)


def test_signatures_of_one_subgraph_that_name_other_outputs_are_run(store):
    def net(*, swapped: bool) -> bytes:
        model = ModelBuilder()
        g = model.graph()
        x = g.input((1, 4), name="x")
        one, two = (g.add(x, np.float32(number)) for number in (1, 2))
        g.output(one, two)
        pair = {"one": two, "two": one} if swapped else {"one": one, "two": two}
        model.signature("both", g, {"x": x}, pair)
        return model.build()

    found = verify(*store(net(swapped=False), net(swapped=True)), trials=1, weights=False)
    assert [entry.agree for entry in found.backends] == [True, True, False, False]


def test_a_signature_that_one_model_lacks_is_a_difference(store):
    found = verify(*store(two_signatures(), two_signatures(graphs=1)), trials=1, weights=False)
    assert not found.equal
    assert found.backends[-1].problem == "B has no signature 'second'"


def test_subgraphs_that_nothing_leads_to_are_named(store):
    model = ModelBuilder()
    for name in ("main", "forgotten"):
        g = model.graph(name)
        g.output(g.add(g.input((1, 4)), np.float32(1.0)))
    found = verify(*store(model.build(), model.build()), trials=1)
    assert found.equal
    assert found.unreached == ("subgraph 1 'forgotten': no signature and no operator leads to it",)
    assert verify(*store(endless(), endless()), timeout=1, trials=1).unreached == ()
