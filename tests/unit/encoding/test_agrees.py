"""An encoding agrees with a dense tensor exactly when it decodes to it."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from tflite_sparse.encoding import Layout, Level, SparseEncoding, agrees, encode, google_layout

SHAPE = (8, 3, 12)
LAYOUTS = {
    "google": google_layout(3),
    "first dimension": Layout((1, 2, 0), (False, False, True)),
    "blocks": google_layout(3, (4, 1, 2)),
    "two levels": Layout((0, 1, 2), (True, False, True)),
    "dense": Layout((0, 1, 2), (False, False, False)),
    "slices": Layout((0, 1, 2), (True, False, False)),
}


def tensor(dtype: type = np.float32) -> np.ndarray:
    rng = np.random.default_rng(3)
    values: np.ndarray = rng.integers(-9, 10, SHAPE).astype(dtype)
    values[rng.random(SHAPE) < 0.7] = 0
    return values


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
def test_agrees_with_what_was_encoded_and_with_nothing_else(layout: Layout, dtype: type) -> None:
    dense = tensor(dtype)
    encoding = encode(dense, layout)
    assert agrees(encoding, dense)
    for index in np.ndindex(SHAPE):
        other = dense.copy()
        other[index] += 1
        assert not agrees(encoding, other)
    assert not agrees(encoding, np.roll(dense, 1))
    assert not agrees(encoding, dense[:4])
    assert not agrees(encoding, dense.astype(np.float64))


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_minus_zero_is_zero_and_nan_is_itself(layout: Layout) -> None:
    dense = tensor()
    dense[0, 0, 0] = np.nan
    encoding = encode(dense, layout)
    assert agrees(encoding, np.where(dense == 0, np.float32(-0.0), dense))
    assert not agrees(encoding, np.where(np.isnan(dense), np.float32(0), dense))


def test_a_tensor_that_is_not_contiguous() -> None:
    dense = tensor()
    encoding = encode(np.ascontiguousarray(dense.T), google_layout(3))
    assert agrees(encoding, dense.T)
    assert isinstance(encoding, SparseEncoding)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0)])
def test_a_tensor_without_elements(shape: tuple[int, ...]) -> None:
    dense = np.zeros(shape, np.float32)
    encoding = encode(np.zeros((4, 4), np.float32), google_layout(2))
    levels = tuple(
        Level(shape[0]) if n == 0 else Level(segments=np.zeros(shape[0] + 1, "u1"), indices=level)
        for n, level in enumerate((None, encoding.levels[1].indices))
    )
    assert agrees(msgspec.structs.replace(encoding, shape=shape, levels=levels), dense)


def test_a_tensor_without_elements_below_entries_that_are_stored() -> None:
    levels = (Level(segments=np.array([0, 1], "u1"), indices=np.zeros(1, "u1")), Level(0))
    encoding = SparseEncoding((4, 0), (0, 1), None, levels, np.zeros(0, np.float32))
    assert agrees(encoding, np.zeros((4, 0), np.float32))
