"""Small models whose weights are stored in other numbers, for the tests of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.store_values import SparsifyValues
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.storage.options import DensifyOptions, SparsifyOptions
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions

if TYPE_CHECKING:
    from tests.support.nets.small_nets import Net
    from tflite_sparse.rewrite.changes import Rewrite

__all__ = ["FP16", "INT8", "TO_FP32", "convolution", "kinds", "stored", "written"]

INT8 = ValuesOptions(StoredValues.INT8)
FP16 = ValuesOptions(StoredValues.FP16)
TO_FP32 = DensifyOptions(values=StoredValues.FP32)


def written(result: Rewrite) -> bytes:
    """The bytes of a result, which are proved on the way."""
    memory = io.BytesIO()
    save(result, memory)
    return memory.getvalue()


def stored(data: bytes, options: ValuesOptions = INT8, **storage: Any) -> tuple[Model, Rewrite]:
    """A model after its weights were stored sparse and in other numbers, and what was done."""
    result = SparsifyValues(options, SparsifyOptions(**storage)).run(Model.read(data))
    return Model.read(written(result)), result


def kinds(model: Model) -> list[tuple[str, int]]:
    return [(operator.name, operator.version) for operator in model.main.operators]


def convolution(zeros: float = 0.8, **more: Any) -> Net:
    return lambda g: g.conv2d(g.input((1, 8, 8, 64)), 64, zeros=zeros, name="conv", **more)
