"""The codec says what LiteRT says: its DENSIFY kernel, XNNPACK's, and its format converter."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import format_converter_wrapper_pybind11 as litert_converter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.densify import densified
from tests.support.nets.encodings import encodings, grown_encodings, layouts, tensors
from tests.support.peers.object_api import load
from tests.support.peers.sparse_tables import sparse_tensors
from tests.support.real_models import real_model
from tflite_sparse.encoding import candidates, decode, encode, google_layout, search, slices

REAL = (
    "face_detection_full_range_sparse",
    "face_detection_full_range_sparse_mediapipe",
    "pose_detection",
)
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


@SLOW
@given(st.lists(grown_encodings(), min_size=1, max_size=6))
def test_decode_gives_what_the_densify_kernel_gives_bit_for_bit(made):
    outputs, ran = densified(made)
    assert set(ran) == {"DENSIFY"}
    for encoding, output in zip(made, outputs, strict=True):
        assert same_bits(decode(encoding), output)


@SLOW
@given(st.lists(encodings(), min_size=1, max_size=6))
def test_the_densify_kernel_gives_back_what_was_encoded(pairs):
    outputs, _ = densified([encoding for _, encoding in pairs])
    for (array, _), output in zip(pairs, outputs, strict=True):
        assert same_bits(array, output)


@SLOW
@given(st.lists(grown_encodings(dtypes=("<f4", "<f2"), bits=False), min_size=1, max_size=3))
def test_decode_gives_what_xnnpack_unpacks(made):
    outputs, ran = densified(made, delegate=True)
    for encoding, output in zip(made, outputs, strict=True):
        assert np.array_equal(decode(encoding), output)
    # The delegate has taken in everything and unpacked the constants itself.
    assert ran[-1] == "DELEGATE"


@pytest.mark.parametrize("dtype", ["<f4", "<f2", "i1"])
@pytest.mark.parametrize("shape", [(16, 1, 1, 8), (1, 3, 3, 16), (8, 3, 3, 4), (32, 64)])
def test_the_runtime_reads_every_layout_that_the_search_tries(shape, dtype):
    rng = np.random.default_rng(0)
    array = (rng.integers(-100, 100, shape) * (rng.random(shape) < 0.3)).astype(dtype)
    blocks = [(), *((a, *(1,) * (len(shape) - 2), b) for a in (1, 2, 4) for b in (1, 2, 4))]
    tried = [
        layout
        for block in blocks
        if all(size % part == 0 for size, part in zip(shape, block, strict=False))
        for layout in candidates(shape, block)
    ]
    tried += slices(shape)
    assert len(set(tried)) >= len(blocks) // 2
    outputs, _ = densified([encode(array, layout) for layout in tried])
    assert all(same_bits(array, output) for output in outputs)


def test_the_runtime_reads_the_smallest_encoding_of_a_tensor_with_long_segments():
    rng = np.random.default_rng(0)
    array = rng.standard_normal((250, 1, 1, 1000)).astype(np.float32)
    array[rng.random(array.shape) < 0.7] = 0
    found = search(array)
    best, google = encode(array, found.layout), encode(array, google_layout(4))
    assert best.nbytes < google.nbytes
    assert [level.segments.dtype for level in (best.levels[-1], google.levels[-1])] == ["<i4"] * 2
    outputs, _ = densified([best, google])
    assert all(same_bits(array, output) for output in outputs)


@pytest.fixture(scope="module", params=REAL)
def real_tensors(request):
    found = dict(sparse_tensors(load(real_model(request.param).read_bytes())))
    assert len(found) in (38, 46)
    return found


def test_decode_gives_what_the_densify_kernel_gives_for_real_models(real_tensors):
    outputs, _ = densified(list(real_tensors.values()))
    for encoding, output in zip(real_tensors.values(), outputs, strict=True):
        assert same_bits(decode(encoding), output)


def test_encoding_real_tensors_as_the_exporter_does_gives_the_same_bytes(real_tensors):
    for name, encoding in real_tensors.items():
        again = encode(decode(encoding), google_layout(len(encoding.shape)))
        assert again.traversal_order == encoding.traversal_order, name
        assert again.block_map is None is encoding.block_map
        assert again.values.tobytes() == encoding.values.tobytes()
        for ours, theirs in zip(again.levels, encoding.levels, strict=True):
            assert ours.dense_size == theirs.dense_size
            assert ours.compressed == theirs.compressed
            if ours.compressed:
                assert same_bits(ours.segments, theirs.segments)
                assert same_bits(ours.indices, theirs.indices)


def test_the_search_makes_real_tensors_no_larger(real_tensors):
    for encoding in real_tensors.values():
        dense = decode(encoding)
        found = search(dense)
        assert found.cost.nbytes <= encoding.nbytes
        assert same_bits(decode(encode(dense, found.layout)), dense)


@SLOW
@given(st.data(), tensors(max_rank=5, dtypes=("<f4",)))
def test_encode_agrees_with_the_format_converter_of_the_wheel(data, array):
    layout = data.draw(layouts(array.shape))
    formats = dict(zip(layout.traversal_order, layout.compressed, strict=True))
    kinds = litert_converter.TfLiteDimensionType
    converter = litert_converter.FormatConverterFp32(
        list(array.shape),
        list(layout.traversal_order),
        [
            kinds.TF_LITE_DIM_SPARSE_CSR if formats[d] else kinds.TF_LITE_DIM_DENSE
            for d in range(array.ndim)
        ],
        list(layout.block_shape),
        list(layout.block_map),
    )
    assert converter.DenseToSparse(array.reshape(-1)) == litert_converter.TfLiteStatus.TF_LITE_OK
    metadata = converter.GetDimMetadata()
    encoding = encode(array, layout)
    assert encoding.values.tolist() == list(converter.GetData())
    for number, level in enumerate(encoding.levels):
        if level.compressed:
            assert level.segments.tolist() == metadata[2 * number]
            assert level.indices.tolist() == metadata[2 * number + 1]
        else:
            assert [level.dense_size] == metadata[2 * number]
            assert metadata[2 * number + 1] == []
