"""Who reads and who writes a tensor is known after every edit as though worked out anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.docs.make_testdata import FOLDER
from tflite_sparse.model import Model
from tflite_sparse.model.subgraph import Subgraph
from tflite_sparse.rewrite.optimize import optimize

if TYPE_CHECKING:
    import pytest

    from tflite_sparse.model import Tensor


def links(subgraph: Subgraph) -> list[tuple[Tensor, list[tuple[str, int]], str]]:
    return [
        (
            tensor,
            [(use.operator.label, use.operand) for use in subgraph.consumers(tensor)],
            "" if (writer := subgraph.producer(tensor)) is None else writer.label,
        )
        for tensor in subgraph.tensors
    ]


def test_links_follow_every_edit_of_a_rewrite(monkeypatch: pytest.MonkeyPatch) -> None:
    edits: list[str] = []

    def checked(name: str) -> None:
        edit = getattr(Subgraph, name)

        def edit_and_check(self: Subgraph, *arguments: object, **more: object) -> object:
            result = edit(self, *arguments, **more)
            edits.append(name)
            if name == "remove":
                kept = links(self)
                self.relink()
                assert links(self) == kept
            return result

        monkeypatch.setattr(Subgraph, name, edit_and_check)

    for name in ("add_operator", "rewire", "reread", "remove"):
        checked(name)
    optimize(Model.read(FOLDER / "mobilenet_tiny_80_same.tflite"))
    assert {"add_operator", "rewire", "remove"} <= {*edits}


def test_of_two_writers_the_one_that_stays_is_known() -> None:
    model = Model.read(FOLDER / "mobilenet_tiny_80.tflite")
    graph = model.main
    old = graph.operators[2]
    links(graph)
    new = graph.add_operator(2, old.code, old.inputs, old.outputs)
    assert graph.producer(old.outputs[0]) is old
    graph.remove([old])
    assert graph.producer(old.outputs[0]) is new
    inputs = [*new.inputs[1:], new.inputs[0]]
    graph.reread(new, inputs)
    kept = links(graph)
    graph.relink()
    assert links(graph) == kept
