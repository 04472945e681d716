"""Data of users that fail are told as theirs, not as a bug of the program."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from tflite_sparse.errors import FileError, UsageError
from tflite_sparse.model import Model
from tflite_sparse.report.prepared_images import images_words
from tflite_sparse.runtime.data.given import given_inputs, preparation_of
from tflite_sparse.runtime.data.images import ImageOptions, Images
from tflite_sparse.runtime.data.normalization import Normalization
from tflite_sparse.runtime.inputs import input_specs

MODEL = Path("testdata/mobilenet_tiny_80.tflite")

MODULE = """
def nothing():
    pass

def fails():
    yield from ()
    raise ValueError("no such split")
"""

DATASETS = """
import numpy as np

class Dataset:
    def __init__(self):
        self.read = []

    def __len__(self):
        return 5

    def __getitem__(self, index):
        if index == 4:
            raise OSError("no such picture")
        self.read.append(index)
        return np.full((64, 64, 3), index, np.float32), 7

dataset = Dataset()

def whole():
    return dataset

def iterated():
    return (item for item in (dataset[0], dataset[1]))

def small():
    yield np.zeros((1, 32, 32, 3), np.float32)

def several():
    yield np.zeros((7, 64, 64, 3), np.float32)

class Stream:  # as an IterableDataset of PyTorch that has a length
    def __len__(self):
        return 3

    def __getitem__(self, index):
        raise NotImplementedError

    def __iter__(self):
        return (dataset[index] for index in range(3))

def stream():
    return Stream()

def endless():
    while True:
        yield dataset[0]

def empty():
    return type("Empty", (), {"__len__": lambda _: 0, "__getitem__": None})()
"""


@pytest.fixture
def model(tmp_path, monkeypatch):
    model = Model.read(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return model


def test_a_function_that_fails_is_named_with_its_error(model, tmp_path):
    (tmp_path / "failing_data.py").write_text(MODULE)
    with pytest.raises(FileError, match="the function fails: ValueError: no such split"):
        given_inputs("failing_data:fails", model)
    with pytest.raises(FileError, match="gives NoneType, and not inputs"):
        given_inputs("failing_data:nothing", model)


def test_a_dataset_is_read_item_by_item_without_its_classes(model, tmp_path):
    (tmp_path / "my_dataset.py").write_text(DATASETS)
    inputs = given_inputs("my_dataset:whole", model)
    import my_dataset

    assert len(inputs) == 5
    assert my_dataset.dataset.read == []
    shape = model.main.inputs[0].shape
    assert [(feeds["0"].shape, feeds["0"].max()) for feeds in inputs[1:3]] == [
        (shape, 1),
        (shape, 2),
    ]
    assert my_dataset.dataset.read == [1, 2]
    with pytest.raises(FileError, match="item 4 fails: OSError: no such picture"):
        inputs[4]
    assert [feeds["0"].max() for feeds in given_inputs("my_dataset:iterated", model)] == [0, 1]
    assert [feeds["0"].max() for feeds in given_inputs("my_dataset:stream", model)] == [0, 1, 2]
    with pytest.raises(FileError, match="the function gives nothing"):
        given_inputs("my_dataset:empty", model)


def test_a_function_that_yields_more_than_memory_holds_is_stopped(model, tmp_path, monkeypatch):
    (tmp_path / "endless_data.py").write_text(DATASETS)
    size = 64 * 64 * 3 * 4
    monkeypatch.setattr("tflite_sparse.runtime.data.given._MOST_BYTES", 10 * size)
    with pytest.raises(FileError, match="yields more than 10 inputs, which is too much") as error:
        given_inputs("endless_data:endless", model)
    assert "a dataset with a length" in error.value.hint
    monkeypatch.setattr("tflite_sparse.runtime.data.given._MOST", 9)
    assert len(given_inputs("endless_data:endless", model)) == 9


def test_samples_in_one_array_are_as_many_inputs_but_for_a_batch_that_was_asked_for(
    model, tmp_path
):
    stack = np.arange(7, dtype=np.float32)[:, None, None, None] + np.zeros((64, 64, 3), np.float32)
    np.save("stack.npy", stack)
    np.savez("stack.npz", **{model.main.inputs[0].name: stack})
    for source in ("stack.npy", "stack.npz"):
        inputs = given_inputs(source, model)
        assert [feeds["0"].shape for feeds in inputs] == [(1, 64, 64, 3)] * 7
        assert [feeds["0"].max() for feeds in inputs] == list(range(7))
    model.main.inputs[0].table["shape_signature"] = np.array([-1, 64, 64, 3], np.int32)
    model.main.edited = True
    assert len(given_inputs("stack.npy", model)) == 7
    assert [f["0"].shape for f in given_inputs("stack.npy", model, batch=7)] == [(7, 64, 64, 3)]


def test_data_of_another_size_are_refused_and_of_another_batch_are_not(model, tmp_path):
    Path("sized.py").write_text(DATASETS, "utf-8")
    with pytest.raises(UsageError, match="is 64x64x3 behind the batch, an array is 32x32x3"):
        given_inputs("sized:small", model)
    np.save("small.npy", np.zeros((3, 1, 64, 48, 3), np.float32))
    with pytest.raises(UsageError, match="an array is 64x48x3"):
        given_inputs("small.npy", model)
    assert len(given_inputs("sized:several", model)) == 7


def test_a_module_that_cannot_be_imported_is_named_with_its_error(model, tmp_path):
    (tmp_path / "broken_data.py").write_text("x = = 1")
    with pytest.raises(UsageError, match="cannot be imported: SyntaxError"):
        given_inputs("broken_data:inputs", model)
    with pytest.raises(UsageError, match="cannot be imported: ValueError: Empty module name"):
        given_inputs(":inputs", model)


def test_images_say_how_they_become_inputs_and_where_that_is_known_from(model, tmp_path):
    (tmp_path / "one.png").touch()
    files, (spec,) = [tmp_path / "one.png"], input_specs(model, None)
    stated = Normalization((1.0, 2.0, 3.0), (4.0,))
    guessed = Images(files, spec, ImageOptions(), None).preparation
    assert images_words(guessed) == [
        "64x64, NHWC by the input's shape",
        "mean 127.5 and std 127.5, a guess, as no metadata say it: --mean and --std set them",
    ]
    known = Images(files, spec, ImageOptions(), stated).preparation
    assert images_words(known)[1] == "mean 1, 2, 3 and std 4, as the model's metadata say"
    asked = Images(files, spec, ImageOptions(mean=(0.0,), layout="nhwc"), stated).preparation
    assert images_words(asked) == [
        "64x64, NHWC as asked for",
        "mean 0, as asked for",
        "std 4, as the model's metadata say",
    ]
    assert preparation_of(given_inputs(".", model)) == guessed
    assert preparation_of([]) is None


def test_an_image_that_claims_to_be_huge_is_refused_by_name(model, tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    (tmp_path / "huge.png").write_bytes(png)
    with pytest.raises(FileError, match="no readable image") as caught:
        given_inputs(".", model)[0]
    assert caught.value.place.file.endswith("huge.png")
