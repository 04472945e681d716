"""What a model would be as a file, without the file."""

from __future__ import annotations

import hashlib

import numpy as np

from tests.support.architectures import build
from tflite_sparse.inspection.file.gzip_size import (
    file_bytes,
    gzip_size,
    sha256_of,
    written_sizes,
)
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.reread import reread


def test_sizes_and_digest_are_those_of_the_written_file() -> None:
    model = sparsify(Model.read(build("mobilenet_v1", small=True))).model
    content = model.to_bytes()
    assert written_sizes(model) == (len(content), gzip_size(np.frombuffer(content, np.uint8)))
    assert sha256_of(model) == hashlib.sha256(content).hexdigest()
    again = reread(model)
    assert again.path is not None
    assert file_bytes(again).tobytes() == content
