"""Shapes that are worked out for open sizes are LiteRT's, and fixing them changes no number."""

from __future__ import annotations

import pytest

from tests.support.nets.random_nets import random_net
from tests.support.nets.random_tangles import random_tangle
from tests.support.open_sizes import opened
from tests.support.peers.keras_exports import NAMES, keras_exports
from tests.support.sizes import fixing_changes, shape_differences
from tflite_sparse.model import Model
from tflite_sparse.model.sizes.asked import open_shape
from tflite_sparse.model.sizes.sized import input_shapes_of

SIZES = ((32, 32), (33, 40), (17, 17))


@pytest.mark.parametrize("first", range(0, 120, 20))
@pytest.mark.parametrize("make", [random_net, random_tangle])
def test_shapes_of_random_nets_are_those_of_litert(make, first):
    for number in range(first, first + 20):
        content = opened(make(number)[0], (0, 1, 2))
        channels = Model.read(content).main.inputs[0].shape[-1]
        for batch, (height, width) in enumerate(SIZES, 1):
            assert shape_differences(content, [(batch, height, width, channels)]) == []


@pytest.mark.parametrize("first", range(0, 40, 20))
@pytest.mark.parametrize("make", [random_net, random_tangle])
def test_random_nets_of_fixed_size_compute_the_same(make, first):
    for number in range(first, first + 20):
        content = opened(make(number)[0])
        model = Model.read(content)
        sizes = input_shapes_of(model)
        if sizes.inputs and not sizes.unknown:
            assert fixing_changes(content, [model.main.inputs[0].shape]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_keras_exports_have_the_shapes_of_litert_at_every_size(name):
    content = keras_exports()[name].read_bytes()
    model = Model.read(content)
    (tensor,) = model.main.inputs
    free = open_shape(tensor)
    assert free[0] == -1
    sizes = input_shapes_of(model)
    assert not sizes.unknown
    assert sizes.chosen is (not name.startswith("batch"))
    default = tensor.shape
    assert fixing_changes(content, [default]) == []
    for batch, (height, width) in enumerate(SIZES, 1):
        wanted = (batch, height, width, 3)[: len(free)]
        shape = tuple(size if left == -1 else left for left, size in zip(free, wanted, strict=True))
        assert shape_differences(content, [shape]) == []
