"""The rewrites of whole models, each a pass and a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.planner import Adapt
from tflite_sparse.rewrite.compress import Compress
from tflite_sparse.rewrite.optimize import Optimize
from tflite_sparse.rewrite.passes import Registry
from tflite_sparse.rewrite.storage.densify import Densify
from tflite_sparse.rewrite.storage.sparsify import Sparsify

if TYPE_CHECKING:
    from tflite_sparse.rewrite.model_pass import ModelPass

__all__ = ["REWRITES"]

REWRITES: Registry[type[ModelPass]] = Registry(Optimize, Adapt, Sparsify, Compress, Densify)
