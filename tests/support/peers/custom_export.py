"""A small net with an operator that TFLite lacks, by TensorFlow's converter: custom_export.py FILE.

Made testdata/exports/custom.tflite.gz, with the Python of requirements-peers.lock.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


def main(path: Path) -> None:
    """Converts the net, with its unknown operator as a custom one."""
    rng = np.random.default_rng(0)
    entry = tf.constant(rng.normal(size=(3, 3, 3, 8)).astype(np.float32))
    filters = rng.normal(size=(1, 1, 8, 16)) * (rng.random((1, 1, 8, 16)) > 0.8)
    pointwise = tf.constant(filters.astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((1, 16, 16, 3), tf.float32, name="image")])
    def net(image):
        x = tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]])
        x = tf.nn.conv2d(tf.nn.relu(tf.nn.conv2d(x, entry, 2, "VALID")), pointwise, 1, "SAME")
        return tf.math.igamma(1.0, tf.abs(tf.reduce_mean(x, (1, 2))))

    converter = tf.lite.TFLiteConverter.from_concrete_functions([net.get_concrete_function()], net)
    converter.allow_custom_ops = True
    path.write_bytes(gzip.compress(converter.convert(), 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
