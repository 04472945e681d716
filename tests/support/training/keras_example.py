"""Trains a Keras net with masks, as a command for the Python of the peers: keras_example.py FOLDER.

Runs the example of the documentation there, and holds what it says of the callback.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import keras
import numpy as np

import tflite_sparse
from tests.support.training.examples import KERAS_STATE, examples
from tflite_sparse.errors import FileError, UsageError
from tflite_sparse.training import KerasMasks, MaskOptions, eligible


def values(net):
    return [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in net.weights]


def kept(net):
    return {
        variable.path: np.array(keras.ops.convert_to_numpy(variable.value)) != 0
        for variable in net.weights
        if variable.path.endswith("kernel") and tuple(variable.shape[:2]) == (1, 1)
    }


def refused(kind, make):
    try:
        make()
    except kind as error:
        return error.message
    raise AssertionError("nothing was refused")


def main(folder: Path) -> None:
    os.chdir(folder)
    keras.utils.set_random_seed(0)
    names: dict = {}
    exec(compile(examples("Keras 3"), "docs/own-training.md", "exec"), names)  # noqa: S102
    net, layers, pictures, classes = (names[n] for n in ("net", "layers", "pictures", "classes"))
    assert layers.names == ("conv2d_1", "conv2d_2"), layers
    after = kept(net)
    assert [round(1 - mask.mean(), 2) for mask in after.values()] == [0.8, 0.8]
    state = folder / KERAS_STATE

    # What is exported has other values; afterwards those of the net are there again.
    before = values(net)
    eligible(net, np.zeros((1, 32, 32, 3), np.float32))
    assert all((one == other).all() for one, other in zip(before, values(net), strict=True))

    # Loaded masks are those that were stored, and fit goes on with them; RigL moves zeros.
    options = MaskOptions(zeros=0.8, steps=40, every=2)
    batches = [(pictures[:16], classes[:16])]
    wrong = KerasMasks(layers, options, gradient_data=batches)
    assert "options of its masks differ" in refused(UsageError, lambda: wrong.load(state))
    assert "no such file" in refused(FileError, lambda: wrong.load(folder / "none"))
    assert "gradient" in refused(UsageError, lambda: KerasMasks(layers, options))
    moving = KerasMasks(layers, options, gradient_data=batches)
    net.fit(pictures, classes, batch_size=16, verbose=0, callbacks=[moving])
    moved = kept(net)
    assert any((mask != moved[name]).any() for name, mask in after.items())
    moving.save(state)
    again = KerasMasks(layers, options, gradient_data=batches)
    again.load(state)
    net.fit(pictures, classes, batch_size=64, verbose=0, callbacks=[again])
    assert again.report().step == 5
    assert all((kept(net)[name] <= mask).all() for name, mask in moved.items())

    # Several steps an execution count as many.
    net.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=2)
    gradual = KerasMasks({"conv2d_2": 0.5}, MaskOptions(masks="magnitude", steps=8, every=4))
    net.fit(pictures, classes, batch_size=16, epochs=2, verbose=0, callbacks=[gradual])
    assert gradual.report().step == 8

    # What a sweep wrote of the converted net.
    net.compile("sgd", "sparse_categorical_crossentropy")
    swept = tflite_sparse.sweep(layers.model, shares=(0.85, 0.9), resume=False)
    swept.recipe(0.85).write(folder / "recipe.json")
    options = MaskOptions(recipe=str(folder / "recipe.json"), masks="magnitude", steps=4, every=1)
    asked = KerasMasks(layers, options)
    net.fit(pictures, classes, batch_size=16, verbose=0, callbacks=[asked])
    shares = [1 - mask.mean() for mask in kept(net).values()]
    assert np.allclose(shares, 0.85, atol=0.01), shares


main(Path(sys.argv[1]))
