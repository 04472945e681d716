"""Keras nets with zeros in all filters, by TensorFlow's converter: keras_nets.py DIR ZEROS NAME...

Runs in the environment of `peers`, on its own. Weights are random; of each kernel of a convolution
that is not depthwise, and of a dense layer, the smallest are zero. U-Net and the nets for
super-resolution are written after their papers, the others are those of keras.applications.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers as kl

_SIZES = {"InceptionV3": 299}
_PRUNED = ("Conv2D", "Dense", "Conv2DTranspose")


def _prune(model, zeros):
    for layer in model.layers:
        if type(layer).__name__ in _PRUNED:
            kernel, *rest = layer.get_weights()
            kernel[np.abs(kernel) < np.quantile(np.abs(kernel), zeros)] = 0
            rng = np.random.default_rng(kernel.size)
            layer.set_weights([kernel, *(rng.normal(0, 0.1, b.shape) for b in rest)])


def _twice(x, channels):
    for _ in range(2):
        x = kl.Conv2D(channels, 3, padding="same", use_bias=False)(x)
        x = kl.ReLU()(kl.BatchNormalization()(x))
    return x


def _unet(enlarge):
    """Four levels (Ronneberger et al., 2015), with padding and half the channels."""
    x = image = keras.Input((256, 256, 3))
    skips = []
    for channels in (32, 64, 128, 256):
        x = _twice(x, channels)
        skips.append(x)
        x = kl.MaxPool2D(2)(x)
    x = _twice(x, 512)
    for channels, skip in zip((256, 128, 64, 32), reversed(skips), strict=True):
        x = _twice(kl.Concatenate()([skip, enlarge(x, channels)]), channels)
    return keras.Model(image, kl.Conv2D(21, 1)(x))


def _transposed(x, channels):
    return kl.Conv2DTranspose(channels, 2, 2)(x)


def _bilinear(x, channels):
    x = kl.UpSampling2D(2, interpolation="bilinear")(x)
    return kl.ReLU()(kl.Conv2D(channels, 3, padding="same")(x))


def _spread(x):
    return kl.Lambda(lambda t: tf.nn.depth_to_space(t, 2))(x)


def _edsr(blocks=8, channels=64):
    """EDSR (Lim et al., 2017), the baseline with half the blocks."""
    image = keras.Input((128, 128, 3))

    def conv(x, outputs=channels, act=None):
        return kl.Conv2D(outputs, 3, padding="same", activation=act)(x)

    x = first = conv(image)
    for _ in range(blocks):
        x = kl.Add()([x, conv(conv(x, act="relu"))])
    x = kl.Add()([first, conv(x)])
    return keras.Model(image, conv(_spread(conv(x, 4 * channels)), 3))


def _espcn(channels=64):
    """ESPCN (Shi et al., 2016), with two layers more."""
    x = image = keras.Input((128, 128, 3))
    x = kl.Conv2D(channels, 5, padding="same", activation="tanh")(x)
    for _ in range(3):
        x = kl.Conv2D(channels, 3, padding="same", activation="relu")(x)
    return keras.Model(image, _spread(kl.Conv2D(12, 3, padding="same")(x)))


_BUILT = {
    "unet_transposed": lambda: _unet(_transposed),
    "unet_bilinear": lambda: _unet(_bilinear),
    "edsr": _edsr,
    "espcn": _espcn,
}


def _made(name):
    if name in _BUILT:
        return _BUILT[name]()
    size = _SIZES.get(name, 224)
    return getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))


def main(folder: Path, zeros: float, names: list[str]) -> None:
    """Converts the nets."""
    for name in names:
        keras.utils.set_random_seed(1)
        model = _made(name)
        _prune(model, zeros)
        data = tf.lite.TFLiteConverter.from_keras_model(model).convert()
        (folder / f"{name}.tflite").write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
