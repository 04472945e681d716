"""Which operators of two graphs stand beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.nets.small_nets import build
from tflite_sparse.comparison.alignment import aligned
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Operator


def convolutions(*names: str) -> Sequence[Operator]:
    """A row of 1x1 convolutions with such names."""

    def net(g):
        x = g.input((1, 4, 4, 8))
        for name in names:
            x = g.conv2d(x, 8, name=name)
        return x

    return Model.read(build(net)).main.operators


def pairs(first: Sequence[Operator], second: Sequence[Operator]) -> list[tuple[str, str]]:
    """Names of what they write; "" for no partner."""
    return [
        tuple("" if op is None else op.outputs[0].name for op in pair)
        for pair in aligned(first, second)
    ]


def test_operators_that_kept_their_names_are_pairs_whatever_came_between_them() -> None:
    before = convolutions("one", "two", "three")
    after = convolutions("new", "one", "other", "new_too", "two", "three")
    a, b, c = (op.outputs[0].name for op in before)
    found = pairs(before, after)
    assert {(a, a), (b, b), (c, c)} <= set(found)
    assert sum(not first for first, _ in found) == 3


def test_operators_are_pairs_by_kind_where_no_name_was_kept() -> None:
    before, after = convolutions("one", "two"), convolutions("uno", "due")
    assert all(first and second for first, second in pairs(before, after))
