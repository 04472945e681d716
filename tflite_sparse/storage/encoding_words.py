"""A sparse encoding in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.encoding import Layout

if TYPE_CHECKING:
    from tflite_sparse.encoding import SparseEncoding

__all__ = ["encoding_words"]


def encoding_words(encoding: SparseEncoding) -> str:
    """What people call an encoding, such as "CSR on dimension 3, blocks 4x1"."""
    layout = Layout(
        encoding.traversal_order,
        tuple(level.compressed for level in encoding.levels),
        encoding.block_map or (),
        encoding.block_shape,
    )
    return layout.describe(encoding.shape)
