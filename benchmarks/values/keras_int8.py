"""The Keras models of the race in full int8, inputs and activations too: keras_int8.py FOLDER.

Runs in the environment of the peers. The ranges come from noise: what counts here is the size.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

_MODELS = {
    "keras_mobilenet_v1": keras.applications.MobileNet,
    "keras_mobilenet_v2": keras.applications.MobileNetV2,
}
_SHAPE = (224, 224, 3)


def main(folder: Path) -> None:
    """Writes each model."""
    rng = np.random.default_rng(0)
    for name, make in _MODELS.items():
        converter = tf.lite.TFLiteConverter.from_keras_model(make(weights=None, input_shape=_SHAPE))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [rng.uniform(-1, 1, (1, *_SHAPE)).astype(np.float32)] for _ in range(2)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        (folder / f"{name}.tflite").write_bytes(converter.convert())


main(Path(sys.argv[1]))
