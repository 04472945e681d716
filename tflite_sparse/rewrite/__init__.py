"""Model -> Model and a list of changes: sparsify, densify, adapt, optimize."""

from tflite_sparse.rewrite.adapt import AdaptOptions, adapt
from tflite_sparse.rewrite.densify import densify
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.rewrite.options import Choice, DensifyOptions, SparsifyOptions
from tflite_sparse.rewrite.results import Left, OperatorChange, Rewrite, WeightChange, WeightId
from tflite_sparse.rewrite.saving import read, save, write
from tflite_sparse.rewrite.sparsify import sparsify

__all__ = [
    "AdaptOptions",
    "Choice",
    "DensifyOptions",
    "Left",
    "OperatorChange",
    "Rewrite",
    "SparsifyOptions",
    "WeightChange",
    "WeightId",
    "adapt",
    "densify",
    "optimize",
    "read",
    "save",
    "sparsify",
    "write",
]
