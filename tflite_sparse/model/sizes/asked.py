"""Which sizes inputs get: those that were asked for, those of the file, or one worth looking at.

A converter writes 1 in place of a size that is left open. There the order of channels and pixels
makes no difference, so that neither the plan nor a run shows what goes wrong at real sizes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.errors import Place, UsageError
from tflite_sparse.model.sizes.propagate import stated_shape
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tflite_sparse.model.model import Model
    from tflite_sparse.model.sizes.operands import Shape
    from tflite_sparse.model.subgraph import Subgraph
    from tflite_sparse.model.tensor import Tensor

__all__ = [
    "asked_shapes",
    "default_sizes",
    "entries",
    "has_placeholder",
    "open_shape",
    "shown_open",
    "with_default",
]

_ODD = (65, 67, 71, 73, 97, 127, 129, 193, 225, 257, 321)
# What is halved and doubled again, as in a U-net, comes out right at multiples of 32 only.
_EVEN = (96, 160, 224, 64, 128, 192, 256, 320, 512)

# Kernels count the values of a tensor in 32 bits.
_MOST = 2**31 - 1


def entries(model: Model) -> tuple[Subgraph, ...]:
    """The subgraphs that a caller can run: the main one, and those of signatures."""
    called = [signature.subgraph for signature in model.signatures]
    return tuple(dict.fromkeys([*model.subgraphs[:1], *called]))


def open_shape(tensor: Tensor) -> Shape:
    """The shape of an input with -1 where the file leaves a size open."""
    stated, signature = stated_shape(tensor), tensor.shape_signature
    if signature is None or len(signature) != len(stated):
        return tuple(-1 if size < 0 else size for size in stated)
    return tuple(
        -1 if open_size == -1 else size for open_size, size in zip(signature, stated, strict=True)
    )


def with_default(tensor: Tensor, size: int, batch: int | None) -> Shape:
    """The shape of an input that nobody asked for.

    Args:
        tensor: the input.
        size: for sizes that are open and have no more than a placeholder in the file.
        batch: for the first dimension, where that is open; None for the file's.
    """
    shape = []
    for axis, (is_open, stated) in enumerate(
        zip(open_shape(tensor), stated_shape(tensor), strict=True)
    ):
        if is_open != -1:
            shape.append(stated)
        elif axis == 0:
            shape.append(max(stated, 1) if batch is None else batch)
        else:
            shape.append(stated if stated > 1 else size)
    return tuple(shape)


def has_placeholder(tensor: Tensor) -> bool:
    """Whether an input has an open size, other than the batch, that the file does not state."""
    return with_default(tensor, 2, None) != with_default(tensor, 3, None)


def default_sizes(subgraph: Subgraph) -> Iterator[int]:
    """Sizes to try in place of open ones, best first.

    The first have no divisor in common with any number of channels, and stay odd when they are
    halved for a few times.
    """
    channels = _channels(subgraph)
    yield from (n for n in _ODD if all(math.gcd(n, count) == 1 for count in channels))
    yield from (n for n in _EVEN if n not in channels)


def asked_shapes(
    model: Model, asked: Mapping[str, Sequence[int]], batch: int | None
) -> dict[Tensor, Shape]:
    """The shapes that were asked for, by the input.

    Args:
        model: the model.
        asked: shapes by the name of the input, of its tensor or in a signature.
        batch: what the first dimension must be where it is open; None for any.

    Raises:
        UsageError: there is no such input, or it cannot have that shape.
    """
    named = _names(model)
    shapes: dict[Tensor, Shape] = {}
    for name, sizes in asked.items():
        inputs = named.get(name, []) if name else _only_input(model)
        if not inputs:
            raise UsageError(
                f"there is no input {name!r}",
                place=Place(file=model.name),
                hint="inputs: " + (", ".join(map(readable, named)) or "none"),
            )
        for tensor in inputs:
            shape = tuple(int(size) for size in sizes)
            _check(tensor, shape, batch)
            shapes[tensor] = shape
    return shapes


def shown_open(shape: Sequence[int]) -> str:
    """A shape for people: "1x?x?x3"."""
    return "x".join("?" if size < 0 else str(size) for size in shape) or "scalar"


def _names(model: Model) -> dict[str, list[Tensor]]:
    named: dict[str, list[Tensor]] = {}
    for subgraph in entries(model):
        for tensor in subgraph.inputs:
            named.setdefault(tensor.name, []).append(tensor)
    for signature in model.signatures:
        for name, tensor in signature.inputs:
            if tensor not in named.setdefault(name, []):
                named[name].append(tensor)
    return named


def _only_input(model: Model) -> list[Tensor]:
    inputs = [tensor for subgraph in entries(model) for tensor in subgraph.inputs]
    if len(inputs) != 1:
        raise UsageError(
            f"the model has {len(inputs)} inputs, and the shape says of none which it is for",
            place=Place(file=model.name),
            hint="name it: " + ", ".join(f"{readable(t.name)}=..." for t in inputs[:8]),
        )
    return inputs


def _check(tensor: Tensor, shape: Shape, batch: int | None) -> None:
    free = open_shape(tensor)
    fits = len(free) == len(shape) and all(
        size >= 1 and left in {-1, size} for left, size in zip(free, shape, strict=True)
    )
    if not fits:
        raise UsageError(
            f"input {readable(tensor.name)!r} is {shown_open(free)} in the file,"
            f" which {shown_open(shape)} does not fit",
            place=Place(file=tensor.subgraph.model.name),
            hint="only sizes that the file leaves open (?) can be chosen",
        )
    if max(shape, default=1) > _MOST or math.prod(shape) > _MOST:
        raise UsageError(
            f"{shown_open(shape)} is more than a tensor can hold: {_MOST:,} values",
            place=Place(file=tensor.subgraph.model.name),
        )
    if batch is not None and free[:1] == (-1,) and shape[0] != batch:
        raise UsageError(f"a batch of {shape[0]} and one of {batch} contradict each other")


def _channels(subgraph: Subgraph) -> frozenset[int]:
    counts = set()
    for tensor in subgraph.tensors:
        if len(tensor.shape) > 1:
            counts.add(tensor.shape[-1])
            if tensor.is_constant:
                counts.add(tensor.shape[0])
    return frozenset(count for count in counts if count > 1)
