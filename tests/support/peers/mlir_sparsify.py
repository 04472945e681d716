"""TensorFlow's tflite -> tflite path as a command: mlir_sparsify.py IN OUT [IN OUT ...].

Runs in the environment of `peers`, on its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tensorflow.lite.python.convert import mlir_sparsify

files = sys.argv[1:]
for source, target in zip(files[::2], files[1::2], strict=True):
    Path(target).write_bytes(mlir_sparsify(Path(source).read_bytes()))
