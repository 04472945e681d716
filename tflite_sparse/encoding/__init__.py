"""TFLite's sparse storage format: encode, decode, cost. Numpy in, numpy out; knows no model."""

from tflite_sparse.encoding.blocks import BlockFill, block_fill
from tflite_sparse.encoding.cost import Cost, LevelCost, cost, structure_nbytes, tables_nbytes
from tflite_sparse.encoding.decode import agrees, decode
from tflite_sparse.encoding.encode import encode
from tflite_sparse.encoding.occupancy import Occupancy, nonzero_mask
from tflite_sparse.encoding.search import AUTO_BLOCKS, EncodingChoice, candidates, search, slices
from tflite_sparse.encoding.sparse_encoding import (
    Layout,
    Level,
    SparseEncoding,
    google_layout,
    index_type,
)
from tflite_sparse.encoding.validate import validate

__all__ = [
    "AUTO_BLOCKS",
    "BlockFill",
    "Cost",
    "EncodingChoice",
    "Layout",
    "Level",
    "LevelCost",
    "Occupancy",
    "SparseEncoding",
    "agrees",
    "block_fill",
    "candidates",
    "cost",
    "decode",
    "encode",
    "google_layout",
    "index_type",
    "nonzero_mask",
    "search",
    "slices",
    "structure_nbytes",
    "tables_nbytes",
    "validate",
]
