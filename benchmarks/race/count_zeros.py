"""Counts the zeros of all tensors through TensorFlow: count_zeros.py MODEL. Runs with the peers.

These are the calls of the script that tensorflow-model-optimization has for this purpose in its
repository, though not in its wheel; without its search for m:n patterns, so that it is faster.
"""

from __future__ import annotations

import sys

import numpy as np
import tensorflow as tf

# Without this, tensors between the operators of a delegate have no memory to look at.
interpreter = tf.lite.Interpreter(model_path=sys.argv[1], experimental_preserve_all_tensors=True)
interpreter.allocate_tensors()
for detail in interpreter.get_tensor_details():
    try:
        values = interpreter.tensor(detail["index"])()
    except ValueError:
        # It has no memory before the model runs.
        continue
    if detail["name"] and values.size:
        share = 1 - np.count_nonzero(values) / values.size
        print(f"{detail['name']}: {detail['shape']} {share:.3f}")
