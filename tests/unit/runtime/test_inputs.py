"""Inputs: what a model takes, random ones, and those of a file."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.errors import FileError, ModelError, UsageError
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.model import Model
from tflite_sparse.runtime.inputs import (
    InputSpec,
    input_specs,
    load_folder,
    load_inputs,
    random_inputs,
)


def _model() -> Model:
    builder = ModelBuilder()
    g = builder.graph()
    image = g.input((1, 4, 4, 3), name="image", signature=(-1, 4, 4, 3))
    mask = g.input((1, 4, 4, 3), name="mask")
    total = g.add(image, mask)
    g.output(total)
    builder.signature("add", g, {"b": mask, "a": image}, {"sum": total})
    return Model.read(builder.build())


def test_inputs_are_those_of_the_main_subgraph_by_position():
    assert input_specs(_model()) == (
        InputSpec("0", "image", (1, 4, 4, 3), "FLOAT32"),
        InputSpec("1", "mask", (1, 4, 4, 3), "FLOAT32"),
    )


def test_inputs_of_a_signature_go_by_its_names():
    specs = input_specs(_model(), "add")
    assert {spec.key for spec in specs} == {"a", "b"}


def test_a_batch_changes_only_what_is_dynamic():
    assert [spec.shape for spec in input_specs(_model(), batch=5)] == [(5, 4, 4, 3), (1, 4, 4, 3)]


def test_an_unknown_signature_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="signatures: add"):
        input_specs(_model(), "subtract")


def _spec(kind: str, shape: tuple[int, ...] = (64, 64)) -> InputSpec:
    return InputSpec("0", "x", shape, kind)


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("FLOAT32", -1, 1),
        ("FLOAT16", -1, 1),
        ("INT8", -128, 127),
        ("UINT8", 0, 255),
        ("INT16", -32768, 32767),
        ("INT32", 0, 7),
        ("INT64", 0, 7),
        ("BOOL", 0, 1),
    ],
)
def test_random_values_cover_the_range_of_their_type(kind, low, high):
    (feed,) = random_inputs((_spec(kind),), 1)
    values = feed["0"].astype(np.float64)
    assert low <= values.min() <= low + (high - low) * 0.02
    assert high - (high - low) * 0.02 <= values.max() <= high


def test_the_same_seed_gives_the_same_inputs_and_another_seed_others():
    specs = (_spec("FLOAT32"), InputSpec("1", "y", (3,), "INT8"))
    one, same, other = (random_inputs(specs, 2, seed) for seed in (3, 3, 4))
    for a, b in zip(one, same, strict=True):
        assert all(np.array_equal(a[key], b[key]) for key in a)
    assert not np.array_equal(one[0]["0"], other[0]["0"])
    assert not np.array_equal(one[0]["0"], one[1]["0"])


@pytest.mark.parametrize("kind", ["STRING", "COMPLEX64", "INT4"])
def test_types_without_random_values_ask_for_a_file(kind):
    with pytest.raises(UsageError, match="--inputs"):
        random_inputs((_spec(kind),), 1)


def _saved(path, **arrays: np.ndarray) -> str:
    np.savez(path / "in.npz", **arrays)
    return str(path / "in.npz")


SPECS = (InputSpec("0", "x", (2, 3), "FLOAT32"), InputSpec("1", "n", (1,), "INT32"))


def test_a_file_gives_inputs_by_name_or_position(tmp_path):
    x, n = np.ones((2, 3), np.float32), np.array([4], np.int32)
    (feed,) = load_inputs(_saved(tmp_path, x=x, **{"1": n}), SPECS)
    assert np.array_equal(feed["0"], x)
    assert np.array_equal(feed["1"], n)


def test_one_dimension_more_holds_the_trials(tmp_path):
    x = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    n = np.array([[4], [5]], np.int32)
    feeds = load_inputs(_saved(tmp_path, x=x, n=n), SPECS)
    assert [int(feed["1"][0]) for feed in feeds] == [4, 5]
    assert np.array_equal(feeds[1]["0"], x[1])


X, N = np.ones((2, 3), np.float32), np.array([4], np.int32)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": X}, "no array for input 'n'"),
        ({"x": X.astype(np.float64), "n": N}, "is FLOAT32, the file has float64"),
        ({"x": X[0], "n": N}, "has 2 dimensions, the file has an array of 1"),
        ({"x": np.stack([X, X]), "n": N}, "different numbers of trials"),
        ({"x": np.empty((0, 2, 3), np.float32), "n": np.empty((0, 1), np.int32)}, "no trial"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, arrays, said):
    with pytest.raises(UsageError, match=said):
        load_inputs(_saved(tmp_path, **arrays), SPECS)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 no archive"])
def test_a_file_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "in.npz").write_bytes(content)
    for name, said in (("missing.npz", "no such file"), ("in.npz", "no readable .npz")):
        with pytest.raises(FileError, match=said):
            load_inputs(str(tmp_path / name), SPECS)
    (tmp_path / "in.npz").rename(tmp_path / "in.npy")
    with pytest.raises(FileError, match="no readable"):
        load_folder(str(tmp_path), SPECS)


def test_an_array_alone_is_no_file_of_inputs(tmp_path):
    np.save(tmp_path / "in.npy", X)
    with pytest.raises(FileError, match="no readable"):
        load_inputs(str(tmp_path / "in.npy"), SPECS)


def test_a_model_without_inputs_takes_no_files(tmp_path):
    np.save(tmp_path / "in.npy", X)
    with pytest.raises(UsageError, match="no inputs"):
        load_folder(str(tmp_path), ())
    with pytest.raises(UsageError, match="no inputs"):
        load_inputs(_saved(tmp_path, x=X), ())


def test_a_file_with_pickles_is_refused(tmp_path):
    path = tmp_path / "in.npz"
    np.savez(path, x=np.array([{"a": 1}], object), n=N)
    with pytest.raises(FileError, match="no readable"):
        load_inputs(str(path), SPECS)


def test_a_model_without_subgraphs_is_refused():
    file = FlatFile.read(ModelBuilder().build())
    file.root["subgraphs"] = []
    with pytest.raises(ModelError, match="no subgraph,"):
        input_specs(Model(file))
