"""Zeros of the filters: how many, and in which blocks of output channels; counted once a weight."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from tflite_sparse._dataclass import dataclass
from tflite_sparse.model.sparse import decoded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Model, Tensor
    from tflite_sparse.xnnpack.assumptions import WhatIf

__all__ = ["FilterFacts", "block_size", "facts_of", "filter_facts", "remember"]

_BLOCK = 4
_HALF = 2


@dataclass(frozen=True, slots=True)
class FilterFacts:
    """What counts about the zeros of a filter of shape (outputs, ..., inputs).

    Attributes:
        parameters: size of the filter.
        zeros: zeros in it; -0.0 is one.
        pairs: pairs of output channels with a weight other than zero.
        in_pairs: weights other than zero within whole pairs.
        fours: groups of four output channels with a weight other than zero.
        in_fours: weights other than zero within whole groups of four.
    """

    parameters: int
    zeros: int
    pairs: int = 0
    in_pairs: int = 0
    fours: int = 0
    in_fours: int = 0


def facts_of(nonzero: NDArray[np.bool_]) -> FilterFacts:
    """Counts a filter.

    Args:
        nonzero: shape (outputs, ...), true where the weight is not zero.
    """
    rows = nonzero.reshape(nonzero.shape[0], -1) if nonzero.ndim else nonzero.reshape(1, 1)
    outputs, _ = rows.shape
    total = int(np.count_nonzero(rows))
    even = rows[: outputs - outputs % _HALF]
    pairs: NDArray[np.bool_] = np.logical_or(even[0::_HALF], even[1::_HALF])
    whole = rows[: outputs - outputs % _BLOCK]
    # A group of four is nonzero where either of its pairs is.
    halves = pairs[: whole.shape[0] // _HALF]
    fours = np.logical_or(halves[0::_HALF], halves[1::_HALF])
    return FilterFacts(
        parameters=rows.size,
        zeros=rows.size - total,
        pairs=int(np.count_nonzero(pairs)),
        in_pairs=int(np.count_nonzero(even)),
        fours=int(np.count_nonzero(fours)),
        in_fours=int(np.count_nonzero(whole)),
    )


def block_size(facts: FilterFacts, blocks: tuple[int, ...]) -> int:
    """Output channels that the sparse kernel of a filter computes together.

    Blocks are taken where they are at least 90 % filled, four before two; a filter without a whole
    block counts as filled. Source: src/operators/convolution-nchw.c, create_spmm_path.

    Args:
        facts: the filter's zeros.
        blocks: the block sizes for which the target has kernels.
    """
    if _BLOCK in blocks and facts.in_fours * 5 >= facts.fours * 18:
        return _BLOCK
    if _HALF in blocks and facts.in_pairs * 5 >= facts.pairs * 9:
        return _HALF
    return 1


# Counted filters of each model. An entry keeps the array it was counted from, so that the memory
# cannot be given to another array while the entry is believed.
_COUNTED: WeakKeyDictionary[Model, dict[int, tuple[NDArray[Any], Any, FilterFacts]]] = (
    WeakKeyDictionary()
)


def filter_facts(constant: Tensor, assume: WhatIf) -> FilterFacts:
    """The zeros of a constant filter, as they are or as they are assumed to be.

    Args:
        constant: the tensor that the file stores, dense or sparse.
        assume: assumptions; `zeros` is looked up by the tensor's index.

    Raises:
        EncodingError: a sparse encoding is malformed.
        ModelError: the buffer does not fit the shape.
    """
    assumed = assume.zeros.get(constant.index)
    if isinstance(assumed, int | np.integer):
        return FilterFacts(math.prod(constant.shape), int(assumed), 1, 1, 1, 1)
    if assumed is not None:
        return facts_of(~np.asarray(assumed, dtype=np.bool_).reshape(constant.shape))
    _, key = _identity(constant)
    known = _COUNTED.get(constant.subgraph.model, {}).get(constant.buffer.index)
    if known is not None and known[1] == key:
        return known[2]
    values = decoded(constant)
    facts = FilterFacts(0, 0) if values is None else facts_of(_nonzero(constant, values))
    remember(constant, facts)
    return facts


def remember(constant: Tensor, facts: FilterFacts) -> None:
    """Takes over the zeros of a constant from somebody who has counted them already."""
    raw, key = _identity(constant)
    _COUNTED.setdefault(constant.subgraph.model, {})[constant.buffer.index] = (raw, key, facts)


def _identity(constant: Tensor) -> tuple[NDArray[Any], tuple[object, ...]]:
    # The same bytes can be seen in another shape by another tensor that shares the buffer.
    raw = constant.buffer.data
    return raw, (raw.__array_interface__["data"][0], raw.nbytes, constant.type, constant.shape)


def _nonzero(constant: Tensor, values: NDArray[Any]) -> NDArray[np.bool_]:
    quantization = constant.quantization
    points = None if quantization is None else quantization["zero_point"]
    if constant.type == "INT8" and points is not None and len(points) == 1:
        return np.asarray(values != int(points[0]), np.bool_)
    return np.asarray(values != 0, np.bool_)
