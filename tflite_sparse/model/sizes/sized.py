"""A model at certain sizes: its tensors have the shapes that the runtime would give them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Literal

from tflite_sparse.errors import Place, UsageError
from tflite_sparse.model.sizes.asked import (
    asked_shapes,
    default_sizes,
    entries,
    has_placeholder,
    open_shape,
    shown_open,
    with_default,
)
from tflite_sparse.model.sizes.propagate import Misfit, Propagated, propagate, stated_shape
from tflite_sparse.records import Count, Record
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model.model import Model
    from tflite_sparse.model.sizes.operands import Shape
    from tflite_sparse.model.subgraph import Subgraph
    from tflite_sparse.model.tensor import Tensor

__all__ = [
    "InputShape",
    "InputShapes",
    "input_shapes_of",
    "resize",
    "resize_as",
    "shapes_asked",
    "size_options",
]

Source = Literal["given", "file", "default", "other"]


class InputShape(Record, frozen=True):
    """The shape of an input that leaves sizes open.

    Attributes:
        subgraph: index of its subgraph.
        name: its name.
        open: its shape in the file, -1 for a size that is left open.
        shape: the shape that the model is looked at with.
        source: "given" where somebody asked for it, "file" where it is what the file states,
            "default" where a size was chosen because the file states none, "other" where it is that
            of a model beside it.
    """

    subgraph: Count
    name: str
    open: tuple[int, ...]
    shape: tuple[Count, ...]
    source: Source

    @property
    def only_batch(self) -> bool:
        """Whether no more than the first dimension is open."""
        return -1 not in self.open[1:]


class InputShapes(Record, frozen=True):
    """The sizes that a model is looked at with.

    Attributes:
        inputs: the inputs that leave sizes open.
        unknown: why the sizes behind some operator are not known; "" where all are.
    """

    inputs: tuple[InputShape, ...] = ()
    unknown: str = ""

    @property
    def chosen(self) -> bool:
        """Whether more than a batch is open, so that what is said holds for one size alone."""
        return any(not entry.only_batch for entry in self.inputs)

    @property
    def only_batches(self) -> bool:
        """Whether batches are all that the file leaves open, and they are of one size here."""
        return not self.chosen and len({entry.shape[0] for entry in self.inputs}) == 1

    @property
    def words(self) -> str:
        """The shapes for people, such as "1x65x65x3"; with names where there are several."""
        first = [entry for entry in self.inputs if entry.subgraph == self.inputs[0].subgraph]
        if len(first) == 1:
            return shown_open(first[0].shape)
        return ", ".join(f"{entry.name} {shown_open(entry.shape)}" for entry in first)

    @property
    def argument(self) -> str:
        """The same as a user writes it: "1,65,65,3", or "a=1,65,65,3"."""
        first = self.inputs[0]
        sizes = ",".join(map(str, first.shape))
        return sizes if len(self.inputs) == 1 else f"{first.name}={sizes}"

    @property
    def fixing(self) -> str:
        """The options of a rewrite that fix these sizes, such as "--batch 1"."""
        if self.only_batches:
            return f"--batch {self.inputs[0].shape[0]}"
        return f"--input-shape {self.argument}"

    @property
    def open_words(self) -> str:
        """What the file leaves open, for people, such as "height and width"."""
        names = []
        for entry in self.inputs:
            names += [_axis(i, entry.open) for i, n in enumerate(entry.open) if n == -1]
        *others, last = dict.fromkeys(names)
        return f"{', '.join(others)} and {last}" if others else last


def input_shapes_of(model: Model) -> InputShapes:
    """The sizes that a model is looked at with; the default ones where nobody asked for any."""
    if model.input_shapes is None:
        resize(model)
    assert isinstance(model.input_shapes, InputShapes)  # noqa: S101 - that is what `resize` leaves
    return model.input_shapes


def size_options(model: Model) -> str:
    """The options of a command that give a model all its open sizes, quoted for a shell."""
    alone = sum(len(graph.inputs) for graph in entries(model)) == 1
    sizes = input_shapes_of(model)
    shapes = {entry.name: ",".join(map(str, entry.shape)) for entry in sizes.inputs}
    return " ".join(
        f"--input-shape {shlex.quote(shape if alone else f'{name}={shape}')}"
        for name, shape in shapes.items()
    )


def shapes_asked(
    model: Model, input_shapes: Mapping[str, Sequence[int]] | None, batch: int | None
) -> InputShapes:
    """The sizes that a model is looked at with, once it has those that somebody asks for.

    Args:
        model: the model.
        input_shapes: see `resize`.
        batch: see `resize`.

    Raises:
        UsageError: see `resize`.
    """
    if input_shapes or batch is not None:
        return resize(model, input_shapes, batch)
    return input_shapes_of(model)


def resize(
    model: Model,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    source: Source = "given",
) -> InputShapes:
    """Gives all tensors of a model the shapes that they have at certain sizes.

    Only `Tensor.shape` is set, for whoever looks at the model: what is written to a file stays as
    it was. Where the file leaves sizes open and nobody asks for any, the batch is what stands in
    the file, and height and width are above 1, without a divisor in common with the channels.

    Args:
        model: the model.
        input_shapes: shapes by the name of the input, "" for the only one.
        batch: the first dimension, where that is open.
        source: where these shapes come from.

    Raises:
        UsageError: there is no such input, it cannot have that shape, or the model does not take
            it.
    """
    asked = asked_shapes(model, input_shapes or {}, batch)
    inputs: list[InputShape] = []
    unknown = ""
    for subgraph in entries(model):
        _forget(subgraph)
        if not any(-1 in open_shape(tensor) for tensor in subgraph.inputs):
            continue
        given = {tensor: shape for tensor, shape in asked.items() if tensor.subgraph is subgraph}
        propagated = _propagated(subgraph, given, batch)
        if propagated is None:
            unknown = unknown or "no sizes were found that the model takes"
        else:
            for tensor, shape in propagated.shapes.items():
                tensor.shape = shape
            if propagated.blind is not None:
                unknown = unknown or f"{propagated.blind.label} reads what has no size ahead"
        inputs += _described(subgraph, given, batch, source)
    model.input_shapes = InputShapes(tuple(inputs), unknown)
    return model.input_shapes


def resize_as(model: Model, other: Model) -> None:
    """Gives a model that leaves sizes open those of another that has fixed ones, if it takes them.

    Args:
        model: the model.
        other: the other one.
    """
    ours, theirs = model.main.inputs, other.main.inputs
    is_open = any(-1 in open_shape(tensor) for tensor in ours)
    is_fixed = all(-1 not in open_shape(tensor) for tensor in theirs)
    if not is_open or not is_fixed or len(ours) != len(theirs):
        return
    shapes = {mine.name: stated_shape(its) for mine, its in zip(ours, theirs, strict=True)}
    try:
        resize(model, shapes, source="other")
    except UsageError:
        model.input_shapes = None


def _propagated(
    subgraph: Subgraph, given: Mapping[Tensor, Shape], batch: int | None
) -> Propagated | None:
    """The shapes of a subgraph; None where it takes none of the sizes that were tried."""
    left = [tensor for tensor in subgraph.inputs if tensor not in given]
    is_asked = bool(given) or batch is not None
    tries = default_sizes(subgraph) if any(map(has_placeholder, left)) else iter((1,))
    misfit = None
    for size in tries:
        shapes = {tensor: with_default(tensor, size, batch) for tensor in left}
        try:
            return propagate(subgraph, {**shapes, **given})
        except Misfit as error:
            misfit = misfit or error
    if is_asked and misfit is not None:
        raise UsageError(
            f"the model does not take these sizes: {misfit}",
            place=Place(file=subgraph.model.name),
            hint="give other ones with --input-shape",
        )
    return None


def _forget(subgraph: Subgraph) -> None:
    """Gives the tensors back the shapes that the file states."""
    for tensor in subgraph.tensors:
        tensor.shape = stated_shape(tensor)
    subgraph.memo.clear()


def _described(
    subgraph: Subgraph, given: Mapping[Tensor, Shape], batch: int | None, asked: Source
) -> list[InputShape]:
    sizes = []
    for tensor in subgraph.inputs:
        free = open_shape(tensor)
        if -1 not in free:
            continue
        source: Source = "file"
        if tensor in given or (batch is not None and -1 not in free[1:]):
            source = asked
        elif has_placeholder(tensor):
            source = "default"
        # A placeholder may be 0 or less.
        shape = tuple(max(size, 1) for size in tensor.shape)
        sizes.append(InputShape(subgraph.index, readable(tensor.name), free, shape, source))
    return sizes


_CHANNELS_LAST = ("batch", "height", "width", "channels")
_CHANNELS_FIRST = ("batch", "channels", "height", "width")


def _axis(axis: int, free: Shape) -> str:
    if axis == 0:
        return "batch"
    if len(free) != len(_CHANNELS_LAST) or (free[1] == -1 and free[3] == -1):
        return f"dimension {axis}"
    # Convolutions know their channels: whatever is open is none.
    return (_CHANNELS_FIRST if free[3] == -1 else _CHANNELS_LAST)[axis]
