"""Keras nets by TensorFlow's converter, as a command: keras_export.py FOLDER.

Runs in the environment of `peers`, on its own. Keras leaves the batch open unless one asks it not
to; some nets leave height and width, or a length, open too. Their weights are pruned at random.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers as kl

_ZEROS = 0.85


def _entry(image):
    return kl.Conv2D(16, 3, 2, activation="relu")(kl.ZeroPadding2D(1)(image))


def _separable(x, channels, stride=1):
    return kl.Conv2D(channels, 1, activation="relu")(
        kl.ReLU(6.0)(kl.DepthwiseConv2D(3, stride, padding="same")(x))
    )


def _classify(x):
    return kl.Dense(10, activation="softmax")(kl.GlobalAveragePooling2D()(x))


def _excited(x):
    gate = kl.Conv2D(8, 1, activation="relu")(kl.GlobalAveragePooling2D(keepdims=True)(x))
    return kl.Multiply()([x, kl.Conv2D(x.shape[3], 1, activation="sigmoid")(gate)])


def _doubled(x):
    return kl.Conv2DTranspose(16, 2, 2)(_separable(x, 32, 2))


def _net(shape, make, dtype="float32"):
    image = keras.Input(shape, dtype=dtype)
    return keras.Model(image, make(image))


_FIXED, _OPEN = (32, 32, 3), (None, None, 3)
NETS = {
    "batch": lambda: _net(_FIXED, lambda i: _classify(_separable(_entry(i), 32))),
    "batch_flatten": lambda: _net(_FIXED, lambda i: kl.Dense(10)(kl.Flatten()(_entry(i)))),
    "batch_reshape": lambda: _net(
        _FIXED, lambda i: kl.Dense(10)(kl.Reshape((16 * 4, 16 * 4))(_entry(i)))
    ),
    "batch_attention": lambda: _net(
        (8, 8, 3),
        lambda i: kl.MultiHeadAttention(2, 8)(*[kl.Reshape((-1, 16))(kl.Conv2D(16, 1)(i))] * 2),
    ),
    "open_map": lambda: _net(_OPEN, lambda i: kl.Conv2D(8, 1)(_excited(_entry(i)))),
    "open_same": lambda: _net(_OPEN, lambda i: _classify(_separable(_entry(i), 32, 2))),
    "open_pool": lambda: _net(
        _OPEN, lambda i: _classify(_separable(kl.MaxPool2D(2)(_entry(i)), 32))
    ),
    "open_deconvolution": lambda: _net(_OPEN, lambda i: _doubled(_separable(_entry(i), 16))),
    "open_resizing": lambda: _net(_OPEN, lambda i: _classify(_entry(kl.Resizing(32, 32)(i)))),
    "open_crop": lambda: _net(_OPEN, lambda i: _classify(kl.Cropping2D(1)(_entry(i)))),
    "open_length": lambda: _net(
        (None,), lambda i: kl.Conv1D(16, 3, padding="same")(kl.Embedding(30, 16)(i)), "int32"
    ),
}


def _pruned(model, rng):
    for weight in model.trainable_weights:
        if len(weight.shape) in {2, 4}:
            values = rng.normal(size=weight.shape) / np.sqrt(np.prod(weight.shape[:-1]))
            values[rng.random(weight.shape) < _ZEROS] = 0
            weight.assign(values.astype(np.float32))
    return model


def _converter(make, rng):
    return tf.lite.TFLiteConverter.from_keras_model(_pruned(make(), rng))


def main(folder: Path) -> None:
    """Converts all nets, one of them once more in int8 with int8 inputs."""
    rng = np.random.default_rng(1)
    for name, make in NETS.items():
        (folder / f"{name}.tflite").write_bytes(_converter(make, rng).convert())
    quantized = _converter(NETS["batch"], rng)
    quantized.optimizations = [tf.lite.Optimize.DEFAULT]
    quantized.representative_dataset = lambda: (
        [rng.uniform(-1, 1, (1, *_FIXED)).astype(np.float32)] for _ in range(4)
    )
    quantized.inference_input_type = quantized.inference_output_type = tf.int8
    (folder / "batch_int8.tflite").write_bytes(quantized.convert())


main(Path(sys.argv[1]))
