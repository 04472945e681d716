"""TensorFlow's analyzer on a model: analyze.py MODEL. Runs with the peers."""

from __future__ import annotations

import sys

import tensorflow as tf

tf.lite.experimental.Analyzer.analyze(model_path=sys.argv[1])
