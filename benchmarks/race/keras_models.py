"""Makes the models of keras.applications, pruned: keras_models.py FOLDER.

Runs in the environment of the peers. The weights are random; in each kernel of a convolution that
is not depthwise, and of a dense layer, the smallest 80 % are set to zero, so that batch
normalisation can be folded into the rest. Converted by TensorFlow's own converter.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

ZEROS = 0.8
MODELS = {
    "keras_mobilenet_v1": keras.applications.MobileNet,
    "keras_mobilenet_v2": keras.applications.MobileNetV2,
    "keras_efficientnet_b0": keras.applications.EfficientNetB0,
}


def prune(model: Any) -> None:
    """Sets the smallest values of each kernel to zero."""
    for layer in model.layers:
        if type(layer).__name__ not in ("Conv2D", "Dense"):
            continue
        kernel, *rest = layer.get_weights()
        kernel[np.abs(kernel) < np.quantile(np.abs(kernel), ZEROS)] = 0
        # Biases of trained layers are not all the same either.
        rng = np.random.default_rng(kernel.size)
        layer.set_weights([kernel, *(rng.normal(0, 0.1, b.shape) for b in rest)])


def main(folder: Path) -> None:
    """Writes each model, in fp32."""
    keras.utils.set_random_seed(1)
    for name, make in MODELS.items():
        model = make(weights=None, input_shape=(224, 224, 3))
        prune(model)
        (folder / f"{name}.tflite").write_bytes(
            tf.lite.TFLiteConverter.from_keras_model(model).convert()
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
