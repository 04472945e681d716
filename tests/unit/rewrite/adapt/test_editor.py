"""What the editor of a subgraph adds to a model."""

from __future__ import annotations

import numpy as np

from tests.support.nets.small_nets import build
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.editor import Editor


def editor() -> Editor:
    return Editor(Model.read(build(lambda g: g.conv2d(g.input((1, 4, 4, 8)), 8))).main)


def test_constants_that_are_alike_share_a_buffer_under_names_of_their_own() -> None:
    edited = editor()
    first, second = (edited.constant(np.ones((1, 3, 3, 8)), "taps") for _ in range(2))
    assert first.buffer is second.buffer
    assert first.name != second.name


def test_constants_of_another_shape_type_or_value_do_not_share() -> None:
    edited = editor()
    ones = np.ones((2, 8), np.float32)
    others = (ones.reshape(4, 4), ones.view(np.int32), 2 * ones)
    buffers = {edited.constant(values, "taps").buffer for values in (ones, *others)}
    assert len(buffers) == 4
