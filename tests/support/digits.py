"""Handwritten digits that scikit-learn ships: small, real and labelled.

1,797 pictures of 8x8 pixels, after E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten
Digits (UCI, 1998).
"""

from __future__ import annotations

import gzip
import io
import zipfile

import numpy as np

from tests.support.real_models import wheel

__all__ = ["digits", "enlarged"]

_FILE = "sklearn/datasets/data/digits.csv.gz"


def digits() -> tuple[np.ndarray, np.ndarray]:
    """All of them.

    Returns:
        Pictures from 0 to 1, of shape (1797, 8, 8, 1), and what each shows, of shape (1797,).
    """
    with zipfile.ZipFile(wheel("scikit-learn==1.7.2")) as archive:
        text = gzip.decompress(archive.read(_FILE))
    table = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.float32)
    return table[:, :64].reshape(-1, 8, 8, 1) / 16, table[:, 64].astype(np.int64)


def enlarged(pictures: np.ndarray) -> np.ndarray:
    """Pictures of twice the size, with three channels that are alike."""
    return np.ascontiguousarray(pictures.repeat(2, axis=1).repeat(2, axis=2).repeat(3, axis=3))
