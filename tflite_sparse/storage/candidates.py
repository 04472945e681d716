"""Looks at each weight: whether to store it sparse, how, and what that saves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tflite_sparse.encoding import Occupancy, decode
from tflite_sparse.errors import ModelError
from tflite_sparse.model.sparse import encoding_of, weight_bytes
from tflite_sparse.model.types import dtype
from tflite_sparse.storage.decision import Candidate, Decision, Encoded
from tflite_sparse.storage.encoding_choice import (
    best_storage,
    densify_nbytes,
    direct_storage,
)
from tflite_sparse.storage.encoding_words import encoding_words
from tflite_sparse.storage.fully_connected import direct_form, direct_refusal
from tflite_sparse.storage.refusals import (
    Refusal,
    asked_refusal,
    reader_refusal,
    structural_refusal,
)
from tflite_sparse.storage.weight_id import WeightId
from tflite_sparse.storage.zeroing import dense_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tflite_sparse.encoding import EncodingChoice
    from tflite_sparse.model.weights import Weight
    from tflite_sparse.storage.options import SparsifyOptions

__all__ = ["examine"]


def examine(
    weight: Weight,
    options: SparsifyOptions,
    *,
    values: NDArray[Any] | None = None,
    nonzeros: int | None = None,
) -> Decision:
    """Looks at one weight.

    Args:
        weight: the weight.
        options: whether it is asked for, and how it is to be stored.
        values: its dense value, where the caller has it.
        nonzeros: how many of its values are not zero, where the caller has counted them.

    Raises:
        EncodingError: it is stored sparse, and its encoding is malformed.
    """
    tensor = weight.tensor
    encoding = None if tensor.sparsity is None else encoding_of(tensor)
    direct = options.fc == "direct" and encoding is None and _reads_directly(weight)
    decision = Decision(
        weight=weight,
        id=WeightId.of(weight),
        elements=_elements(weight),
        zeros=None,
        stored="dense" if encoding is None else encoding_words(encoding),
        bytes=weight_bytes(weight),
        outcome=Refusal("type", "it has no fixed width"),
    )
    refusal = asked_refusal(weight, options) or structural_refusal(weight)
    if refusal is None and encoding is not None and not options.reencode:
        refusal = Refusal("sparse-already", "stored sparse already")
    if refusal is None and not direct and encoding is None:
        refusal = reader_refusal(weight)
    if refusal is not None:
        decision.refuse(refusal)
    if refusal is not None or dtype(tensor.type) is None:
        return decision
    source: Callable[[], NDArray[Any]]
    if encoding is not None:
        source = partial(decode, encoding)
    else:
        # The values are taken from the file now, before the tensor is said to be sparse.
        source = partial(dense_source, tensor, _dense(weight), options.zero_below)
    array = source() if values is None or options.zero_below else values
    singles = None if nonzeros is None or options.zero_below else {(1,) * array.ndim: nonzeros}
    counts = Occupancy(array, singles)
    decision.zeros = decision.elements - counts.values
    decision.outcome = _choose(decision, options, counts, source, direct=direct)
    tensor.subgraph.model.passed(counts.array.nbytes)
    return decision


def _choose(
    decision: Decision,
    options: SparsifyOptions,
    counts: Occupancy,
    source: Callable[[], NDArray[Any]],
    *,
    direct: bool,
) -> Candidate | Refusal:
    weight, dense = decision.weight, decision.is_dense
    if not counts.values:
        # The runtime takes a tensor without bytes for one that is no constant.
        return Refusal("all-zero", "it has no value but zero, and a sparse tensor needs one")
    if counts.array.size - counts.values < options.min_sparsity * counts.array.size:
        return Refusal("too-few-zeros", "fewer zeros than asked for (--min-sparsity)")
    storage = _best(weight, options, counts, direct=direct)
    if isinstance(storage, Refusal):
        return storage
    after = storage.cost.nbytes + storage.cost.structure * len(weight.tensors)
    before = weight_bytes(weight)
    if dense and not direct:
        after += sum(densify_nbytes(t) for t in weight.tensors if t.subgraph.consumers(t))
    elif not dense:
        before += storage.cost.structure * len(weight.tensors)
    layout = storage.layout.describe(weight.tensor.shape)
    decision.encoded = Encoded(layout, after if dense else storage.cost.nbytes)
    saving = before - after
    if saving < 1:
        return Refusal("not-smaller", "it would not shrink")
    if saving < options.min_saving or saving < options.min_ratio * before:
        return Refusal("saves-too-little", "saves less than asked for (--min-saving)")
    return Candidate(
        storage=storage,
        direct=direct,
        source=source,
        dtype=counts.array.dtype,
        zeroed=_zeroed(weight, options, counts) if dense else 0,
        bytes_after=after,
    )


def _best(
    weight: Weight, options: SparsifyOptions, counts: Occupancy, *, direct: bool
) -> EncodingChoice | Refusal:
    if direct:
        blocks = {form.block for reader in weight.readers for form in direct_form(reader)}
        storage = direct_storage(counts, tuple(sorted(blocks)))
    else:
        storage = best_storage(counts, options)
    if storage is None and options.block and not direct:
        return Refusal("block", "such blocks do not divide it")
    return storage or Refusal("not-smaller", "it would not shrink")


def _zeroed(weight: Weight, options: SparsifyOptions, counts: Occupancy) -> int:
    if options.zero_below <= 0:
        return 0
    before = weight.tensor.data
    return 0 if before is None else Occupancy(before).values - counts.values


def _dense(weight: Weight) -> NDArray[Any]:
    data = weight.tensor.data
    if data is None:
        raise ModelError("the tensor has no data", place=weight.tensor.place)
    return data


def _reads_directly(weight: Weight) -> bool:
    return bool(weight.uses) and all(
        not use.through and direct_refusal(use.operator, use.operand) is None for use in weight.uses
    )


def _elements(weight: Weight) -> int:
    try:
        return weight.tensor.size
    except ModelError:
        return 0
