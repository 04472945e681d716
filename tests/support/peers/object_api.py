"""Models as the LiteRT wheel's own object API sees them: the independent reader of the tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

__all__ = ["differences", "load"]

# Where data lies is not what it is: these move when a file is written anew.
_PLACES = {"BufferT": {"offset"}, "OperatorT": {"largeCustomOptionsOffset"}}


def load(data: bytes) -> Any:
    """The model as a tree of ModelT, SubGraphT and so on, external data put in its place."""
    model = litert_schema.ModelT.InitFromPackedBuf(data, 0)
    for buffer in model.buffers or []:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(data, np.uint8, buffer.size, buffer.offset)
    for subgraph in model.subgraphs or []:
        for operator in subgraph.operators or []:
            start = operator.largeCustomOptionsOffset
            if start > 1:
                size = operator.largeCustomOptionsSize
                operator.customOptions = np.frombuffer(data, np.uint8, size, start)
    return model


def differences(a: Any, b: Any, path: str = "model") -> list[str]:
    """Paths at which two trees of the object API differ; empty where they are deeply equal."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        # An empty vector may come as a list or as an array.
        if a is None or b is None:
            return [f"{path}: {a!r} != {b!r}"]
        left, right = np.asarray(a), np.asarray(b)
        same = left.shape == right.shape and (left.size == 0 or left.tobytes() == right.tobytes())
        return [] if same else [f"{path}: arrays differ"]
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return [f"{path}: {len(a)} != {len(b)} elements"]
        return [
            found
            for index, (left, right) in enumerate(zip(a, b, strict=True))
            for found in differences(left, right, f"{path}[{index}]")
        ]
    if hasattr(a, "__dict__") and type(a) is type(b):
        left, right = vars(a), vars(b)
        places = _PLACES.get(type(a).__name__, set())
        return [
            found
            for key in left.keys() | right.keys()
            if key not in places
            for found in differences(left.get(key), right.get(key), f"{path}.{key}")
        ]
    return [] if a == b or (a != a and b != b) else [f"{path}: {a!r} != {b!r}"]  # noqa: PLR0124
