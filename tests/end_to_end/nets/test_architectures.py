"""The architectures run on LiteRT, at a scale at which comparisons prove something."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from tests.support.architectures import ARCHITECTURES, build
from tests.support.architectures.pictures import picture
from tests.support.litert import invoke
from tests.support.nets.weights import without_smallest
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.plan import plan

small = functools.cache(functools.partial(build, small=True))


def feeds(model: Model, name: str, seed: int) -> dict[str, np.ndarray]:
    a = ARCHITECTURES[name]
    inputs = model.subgraphs[0].inputs
    return {t.name: picture(t.shape, seed + i, a.low, a.high) for i, t in enumerate(inputs)}


def outputs(data: bytes, name: str, seed: int) -> list[np.ndarray]:
    return list(invoke(data, feeds(Model.read(data), name, seed)).values())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_outputs_are_finite_and_vary_with_the_picture(name):
    data = small(name)
    for first, second in zip(outputs(data, name, 1), outputs(data, name, 20), strict=True):
        assert np.isfinite(first).all()
        # Rounding differs by 1e-7 to 1e-5 of the largest: pictures differ by far more.
        scale = np.abs(first).max()
        assert np.abs(first - second).mean() > 1e-3 * np.abs(first).mean()
        assert 1e-3 < scale < 1e3
        # No end of a softmax or a sigmoid at which all values are alike.
        assert np.unique(first).size > 0.3 * first.size


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_four_fifths_of_the_pointwise_weights_are_zeros(name):
    planned = plan(Model.read(small(name)).subgraphs[0], "arm64")
    counted = [each for each in planned.filters if each.pointwise]
    assert counted
    assert all(each.zeros == round(each.parameters * 0.8) for each in counted)


@pytest.mark.parametrize("storage", ["sparse", "fp16", "fp16-sparse"])
@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v3_small"])
def test_every_storage_computes_the_same(name, storage):
    (dense,), (other,) = (outputs(small(name, storage=s), name, 3) for s in ("dense", storage))
    # Half precision keeps 11 bits of a weight.
    assert np.allclose(dense, other, rtol=0, atol=0.02 * dense.max())
    assert np.array_equal(dense, other) == (storage == "sparse")


def test_keras_padding_is_what_the_explicit_one_computes():
    (keras,), (explicit,) = (
        outputs(small("mobilenet_v2", padding=padding), "mobilenet_v2", 3)
        for padding in ("keras", "explicit")
    )
    assert np.allclose(keras, explicit, rtol=0, atol=1e-6)


def test_the_padding_of_pytorch_is_another_one():
    (keras,), (torch,) = (
        outputs(small("mobilenet_v2", padding=padding), "mobilenet_v2", 3)
        for padding in ("keras", "torch")
    )
    assert not np.allclose(keras, torch, rtol=0, atol=1e-3 * keras.max())


def test_the_smallest_become_zeros():
    array = np.array([[3.0, -1.0], [0.5, -4.0]])
    assert without_smallest(array, 0.5).tolist() == [[3, 0], [0, -4]]
    assert without_smallest(array, 0).tolist() == array.tolist()


def test_pictures_depend_on_their_seed_alone():
    shape = (1, 9, 7, 3)
    assert np.array_equal(picture(shape, 1), picture(shape, 1))
    assert not np.array_equal(picture(shape, 1), picture(shape, 2))
    values = picture(shape, 1, 0, 255)
    assert values.min() >= 0
    assert values.max() <= 255
    assert values.std() > 25
